"""The Django application of the local token endpoint."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class LocalAuthConfig(AppConfig):
    name = "enterprise_catalog.local_auth"
    verbose_name = "Local tokens"

    def ready(self) -> None:
        # Django sends the signal only for applications with models, after all migrations.
        post_migrate.connect(_register, sender=apps.get_app_config("oauth2_provider"))


def _register(**_: object) -> None:
    """Create the integrated channels' OAuth2 client, and its user with the operator role for all customers."""
    from enterprise_catalog.local_auth.clients import register_channels_client

    register_channels_client()
