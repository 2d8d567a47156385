"""The admin's shared parts as a Django application; it has no models."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import sites
from django.utils.module_loading import import_string


class AdminPagesConfig(AppConfig):
    """Stands before unfold and ``django.contrib.admin``: its templates come first, and pages register at its site."""

    name = "enterprise_catalog.admin_pages"
    verbose_name = "Admin pages"

    def ready(self) -> None:
        """Make our site the default one, as unfold's own configuration would do with its site."""
        # Its modules import models, which exist only now.
        site = import_string("enterprise_catalog.admin_pages.site.AdminSite")()
        admin.site = sites.site = site
