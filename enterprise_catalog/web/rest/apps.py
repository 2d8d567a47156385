"""The Django application of the parts that both HTTP APIs share."""

from django.apps import AppConfig


class RESTConfig(AppConfig):
    name = "enterprise_catalog.web.rest"
    verbose_name = "HTTP API"

    def ready(self) -> None:
        from enterprise_catalog.web.rest import schema  # noqa: F401  (importing it registers it)
