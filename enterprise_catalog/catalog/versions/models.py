"""The tables of versions, and of the changes between them.

``catalog/models.py`` imports these classes, for Django to find them.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import ContentKeyField
from enterprise_catalog.db.timestamps import TimestampField


class VersionClock(models.Model):
    """The newest version: one row that every writer locks last (:mod:`~enterprise_catalog.catalog.versions.clock`)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.version)


class CatalogVersion(models.Model):
    """A version that the clock has given to a transaction.

    A version without a row is too old, comes from another database, or was lost when this database was restored.
    """

    version = models.BigIntegerField(primary_key=True)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.version)


class ContentChangeKind(models.TextChoices):
    """The kinds of changes of a query's members."""

    JOINED = "joined", _("joined")
    CHANGED = "changed", _("changed")  #: The member's document changed.
    LEFT = "left", _("left")


class ContentChange(models.Model):
    """A change of one member of a query, by the transaction with this version.

    The log of a query is complete between its ``logged_from`` and its ``logged_to``. The primary key is the only index,
    in the order in which the changes since a version are read.
    """

    pk = models.CompositePrimaryKey("catalog_query", "version", "content_key")
    catalog_query = models.ForeignKey(
        "catalog.CatalogQuery", models.CASCADE, related_name="content_changes", db_index=False
    )
    version = models.BigIntegerField()
    content_key = ContentKeyField()
    kind = models.CharField(max_length=8, choices=ContentChangeKind)
    updated_at = TimestampField(null=True)  #: The member's time of change; empty if it left.

    def __str__(self) -> str:
        return f"{self.content_key} {self.kind} in {self.catalog_query_id}"
