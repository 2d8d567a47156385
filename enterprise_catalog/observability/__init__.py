"""Health, metrics and error reports of a process.

``health.py``          ``/health`` and ``/metrics``, and the access control for both.
``health_checks.py``   The checks behind ``/health``; applications add their own.
``metrics.py``         The metrics of all processes, and of the whole fleet.
``metric_files.py``    The files in which processes count; merges those of dead processes.
``metrics_server.py``  Serves the metrics of workers and schedulers.
``broker.py``          Short connections to Celery's broker, for health checks and metrics.
``celery_metrics.py``  Metrics of Celery tasks: how long they waited and took, and the lengths of the queues.
``tracing.py``         Starts OpenTelemetry traces, if they are wanted.
``spans.py``           The spans of traces, without secrets.
``error_reports.py``   Redacts Django's error reports.
``redaction.py``       Redacts known secrets from messages, for the integrated channels.
"""
