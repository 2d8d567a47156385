"""Refreshes of queries: one row each, the changes of membership, and the leases.

``catalog/models.py`` imports these classes, for Django to find them.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import ContentKeyField


class RefreshState(models.TextChoices):
    """State of a refresh. Only a complete refresh has changed the query's members or their documents."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    COMPLETE = "complete", _("complete")
    HELD = "held", _("held")  #: Waits for approval of its change.
    APPROVED = "approved", _("approved")  #: An operator approved the held change; a later refresh applies it.
    REJECTED = "rejected", _("rejected")  #: An operator rejected the held change.
    FAILED = "failed", _("failed")  #: See ``reason``.
    SUPERSEDED = "superseded", _("superseded")  #: Was held until a later refresh compared the members again.


class RefreshTrigger(models.TextChoices):
    """The reason for a refresh."""

    SCHEDULE = "schedule", _("schedule")
    API = "api", _("API")
    ADMIN = "admin", _("admin")
    COMMAND = "command", _("command")
    FILTER_EDIT = "filter_edit", _("edited filter")
    APPROVAL = "approval", _("approval")


class CatalogRefresh(models.Model):
    """One refresh of a query: who asked for it, what it changed, and why it stopped."""

    catalog_query = models.ForeignKey(
        "catalog.CatalogQuery", models.CASCADE, verbose_name=_("query"), related_name="refreshes", db_index=False
    )
    trigger = models.CharField(_("trigger"), max_length=16, choices=RefreshTrigger)
    requested_by = models.CharField(
        _("requested by"), max_length=150, blank=True, help_text=_("User name. Empty if the schedule asked.")
    )
    # Serves no query, but the rule: callers of the API get the id of their own task.
    task_id = models.CharField(_("task id"), max_length=36, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=RefreshState, default=RefreshState.QUEUED)
    reason = models.TextField(_("reason"), blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    found = models.PositiveIntegerField(_("found"), default=0, help_text=_("Items that the filter finds."))
    added = models.PositiveIntegerField(_("added"), default=0)
    removed = models.PositiveIntegerField(_("removed"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0, help_text=_("Members with a changed document."))
    left_out = models.PositiveIntegerField(
        _("left out"), default=0, help_text=_("Results that enterprise customers cannot have, and persons.")
    )
    incomplete = models.PositiveIntegerField(
        _("without full document"), default=0, help_text=_("Items of which course-discovery has no full document.")
    )
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_reason = models.TextField(_("reason for the decision"), blank=True)

    class Meta:
        verbose_name = _("catalog refresh")
        verbose_name_plural = _("catalog refreshes")
        permissions = (
            ("request_refresh", _("Can refresh catalogs")),
            ("decide_refresh", _("Can approve and reject held refreshes")),
        )
        indexes = (
            # Serves the newest refreshes of a query.
            models.Index(fields=("catalog_query", "requested_at"), name="refresh_by_query"),
            # Serves the list of refreshes in some state, and the search for unfinished ones of a query.
            models.Index(fields=("state", "requested_at"), name="refresh_by_state"),
            # Serves the list filtered by day, and the removal of old rows.
            models.Index(fields=("requested_at",), name="refresh_by_time"),
        )

    def __str__(self) -> str:
        return f"refresh {self.pk}"


class ChangeKind(models.TextChoices):
    """The effect of a refresh on an item's membership."""

    ADDED = "added", _("added")
    REMOVED = "removed", _("removed")


class RefreshChange(models.Model):
    """An item that a refresh added or removed, or would add or remove if it is held."""

    refresh = models.ForeignKey(
        CatalogRefresh, models.CASCADE, verbose_name=_("refresh"), related_name="changes", db_index=False
    )
    content_key = ContentKeyField(_("content key"))
    kind = models.CharField(_("change"), max_length=16, choices=ChangeKind)

    class Meta:
        verbose_name = _("change by a refresh")
        verbose_name_plural = _("changes by refreshes")
        indexes = (
            # Serves the list of a refresh's changes, in key order.
            models.Index(fields=("refresh", "kind", "content_key"), name="refresh_change_by_refresh"),
            # Serves the diagnosis of an item: which refresh has removed it.
            models.Index(fields=("content_key", "refresh"), name="refresh_change_by_key"),
        )

    def __str__(self) -> str:
        return f"{self.content_key} {self.kind}"


class RefreshLease(models.Model):
    """The right to refresh a query, held by one worker until it expires (``leases.py``)."""

    catalog_query = models.OneToOneField(
        "catalog.CatalogQuery", models.CASCADE, primary_key=True, related_name="refresh_lease"
    )
    token = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"lease of query {self.catalog_query_id}"


class DiscoveredContent(models.Model):
    """The hash of the search result from which an item's document was made; unchanged results are not read in full."""

    content = models.OneToOneField(
        "catalog.ContentMetadata", models.CASCADE, primary_key=True, related_name="discovered"
    )
    result_hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"search result of {self.content_id}"


class NestedContent(models.Model):
    """The key of an item in another item's document: the courses and programs of a pathway, the courses of a program.

    Also the programs in a course's document. The item with this key may be missing (``nested.py``).
    """

    container = models.ForeignKey(
        "catalog.ContentMetadata", models.CASCADE, related_name="nested_content", db_index=False
    )
    content_type = models.CharField(max_length=32)
    content_key = ContentKeyField()

    class Meta:
        constraints = (
            # Serves the import of an item, which replaces its nested content.
            models.UniqueConstraint(fields=("container", "content_type", "content_key"), name="nested_content_once"),
        )
        indexes = (
            # Serves the keys of one type, and the containers of an item.
            models.Index(fields=("content_type", "content_key", "container"), name="nested_content_by_key"),
        )

    def __str__(self) -> str:
        return f"{self.content_key} in {self.container_id}"
