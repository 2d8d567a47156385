"""The Django application of the integrated channels."""

from django.apps import AppConfig


class IntegratedChannelsConfig(AppConfig):
    name = "enterprise_catalog.integrated_channels"
    verbose_name = "Integrated channels"

    def ready(self) -> None:
        """Register the workers' heartbeat, and the health checks and gauges of the integrated channels."""
        from enterprise_catalog.celery import app
        from enterprise_catalog.integrated_channels.audit import heartbeats
        from enterprise_catalog.integrated_channels.reporting.fleet.gauges import fleet_gauges
        from enterprise_catalog.observability.celery_metrics import queue_lengths
        from enterprise_catalog.observability.health_checks import CHECKS, Check
        from enterprise_catalog.observability.metrics import SOURCES

        app.steps["worker"].add(heartbeats.Heartbeat)
        CHECKS["broker"] = Check(heartbeats.check_broker)
        CHECKS["workers"] = Check(heartbeats.check_workers)
        CHECKS["scheduler"] = Check(heartbeats.check_scheduler)
        SOURCES["channels"] = fleet_gauges
        SOURCES["queues"] = queue_lengths
        CHECKS["changes"] = Check(heartbeats.check_changes)
