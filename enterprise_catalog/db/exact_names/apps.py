"""The Django application that sets the collation of names after each migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.models.signals import post_migrate

if TYPE_CHECKING:
    from django.apps import AppConfig as AnyAppConfig


class ExactNamesConfig(AppConfig):
    """Sets collations after every migration: migrations of the tables' own packages would reset them."""

    name = "enterprise_catalog.db.exact_names"
    verbose_name = "Exact names"

    def ready(self) -> None:
        post_migrate.connect(_compare_exactly, dispatch_uid=self.name)


def _compare_exactly(sender: AnyAppConfig, using: str, **_: object) -> None:
    from enterprise_catalog.db.exact_names.columns import compare_exactly

    compare_exactly(sender.label, using=using)
