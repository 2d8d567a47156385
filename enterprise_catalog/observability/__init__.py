"""Health, metrics and error reports of a process.

``health.py``         ``/health`` and ``/metrics``, and the access control for both.
``health_checks.py``  The checks behind ``/health``; applications add their own.
``error_reports.py``  Redacts Django's error reports.
``redaction.py``      Redacts known secrets from messages, for the integrated channels.
"""
