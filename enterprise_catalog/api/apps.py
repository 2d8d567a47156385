"""The Django application of the catalog's HTTP API."""

from django.apps import AppConfig


class APIConfig(AppConfig):
    name = "enterprise_catalog.api"
    verbose_name = "Catalog API"
