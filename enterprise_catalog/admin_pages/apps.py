"""The Django application of the shared admin code; it has no models."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import sites
from django.utils.module_loading import import_string


class AdminPagesConfig(AppConfig):
    """Installed before unfold and ``django.contrib.admin``: its templates and its admin site take precedence."""

    name = "enterprise_catalog.admin_pages"
    verbose_name = "Admin pages"

    def ready(self) -> None:
        """Make our site the default site, as unfold's own configuration does with its site."""
        # Its modules import models, which are not ready earlier.
        site = import_string("enterprise_catalog.admin_pages.admin_site.AdminSite")()
        admin.site = sites.site = site
