"""The Django application of the catalog's HTTP API."""

from django.apps import AppConfig


class APIConfig(AppConfig):
    name = "enterprise_catalog.api"
    verbose_name = "Catalog API"

    def ready(self) -> None:
        from enterprise_catalog.api import schema  # noqa: F401  (importing it registers it)
