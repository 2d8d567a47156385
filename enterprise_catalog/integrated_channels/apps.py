"""The Django application of the integrated channels."""

from django.apps import AppConfig


class IntegratedChannelsConfig(AppConfig):
    name = "enterprise_catalog.integrated_channels"
    verbose_name = "Integrated channels"
