"""The admin's shared parts as a Django application; it has no models."""

from __future__ import annotations

from django.apps import AppConfig


class AdminPagesConfig(AppConfig):
    name = "enterprise_catalog.admin_pages"
    verbose_name = "Admin pages"
