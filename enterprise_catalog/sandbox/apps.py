"""Django app configuration of the sandboxes, for the ``run_sandbox`` and ``demo`` commands. The app has no models."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Installed only by the local and test settings."""

    name = "enterprise_catalog.sandbox"
    label = "sandbox"
