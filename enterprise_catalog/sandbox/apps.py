"""The sandbox as a Django application, so that settings for local use can offer ``run_sandbox``; it has no models."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Installed by the local and test settings only."""

    name = "enterprise_catalog.sandbox"
    label = "sandbox"
