"""The Django application of the catalog service's data."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "enterprise_catalog.catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        """Register the gauges of refreshes, and of the queues if refreshes use them."""
        from django.conf import settings

        from enterprise_catalog.catalog.discovery.records import refresh_gauges
        from enterprise_catalog.observability.celery_metrics import queue_lengths
        from enterprise_catalog.observability.metrics import SOURCES

        SOURCES["refreshes"] = refresh_gauges
        if settings.DISCOVERY_SERVICE_API_URL:
            SOURCES["queues"] = queue_lengths
