"""The Django application of the catalog service's data."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "enterprise_catalog.catalog"
    verbose_name = "Catalog"
