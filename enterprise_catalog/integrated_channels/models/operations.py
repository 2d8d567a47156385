"""Long actions that Celery carries out, their progress, and the items that they found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import models
from django.db.models import Case, Value, When
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import ContentKeyField
from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.decisions import MAX_NAME_LENGTH, Decision

if TYPE_CHECKING:
    from datetime import datetime

#: Time without a sign of life after which an operation counts as stopped. Longer than any call to an LMS.
MAX_SILENCE: Final = timedelta(minutes=10)


class OperationKind(models.TextChoices):
    """The long actions."""

    PREVIEW = "preview", _("preview")
    CHECK_DRIFT = "check_drift", _("check drift")
    ADOPT = "adopt", _("adopt")
    RESEND_ALL = "resend_all", _("resend all")


class OperationState(models.TextChoices):
    """State of an operation, as stored; see :meth:`Operation.is_stopped`."""

    WAITING = "waiting", _("waiting")  #: Queued; no worker has begun.
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")  #: It could not continue; see ``message``.


#: States of an operation that may still change.
UNFINISHED: Final = (OperationState.WAITING, OperationState.RUNNING)


class Operation(models.Model):
    """One long action on one configuration. Its worker writes the progress."""

    configuration = models.ForeignKey(
        ChannelConfiguration, models.PROTECT, verbose_name=_("configuration"), related_name="operations"
    )
    kind = models.CharField(_("action"), max_length=16, choices=OperationKind)
    state = models.CharField(_("state"), max_length=16, choices=OperationState, default=OperationState.WAITING)
    done = models.PositiveIntegerField(_("done"), default=0, help_text=_("Number of items."))
    total = models.PositiveIntegerField(_("total"), null=True, help_text=_("Number of items; empty if unknown."))
    message = models.TextField(_("message"), blank=True, help_text=_("The result, or the reason for a failure."))
    counts = models.JSONField(_("counts"), default=dict, help_text=_("Kind of item -> number of items."))
    position = ContentKeyField(blank=True, help_text=_("Last processed item; a new worker continues after it."))
    # Serves the foreign key. MariaDB creates the index.
    decision = models.ForeignKey(
        Decision, models.PROTECT, verbose_name=_("decision"), null=True, related_name="+", db_index=False
    )
    started_by = models.CharField(_("started by"), max_length=MAX_NAME_LENGTH)
    reason = models.TextField(_("reason"), blank=True, help_text=_("As entered by the user."))
    # Serves the list filtered by day, and the removal of old operations.
    created_at = models.DateTimeField(_("created at"), db_index=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    seen_at = models.DateTimeField(_("last sign of life"), help_text=_("Of the queue or the worker."))
    finished_at = models.DateTimeField(_("finished at"), null=True)

    # True or NULL: a unique constraint ignores rows with NULL, on each database.
    is_open = models.GeneratedField(
        expression=Case(When(state__in=[state.value for state in UNFINISHED], then=Value(value=True)), default=None),
        output_field=models.BooleanField(null=True),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = (
            # Serves the search for an unfinished operation, and the list of a configuration's operations.
            models.UniqueConstraint(fields=("configuration", "kind", "is_open"), name="operation_runs_once"),
        )
        indexes = (
            # Serves the list filtered by state.
            models.Index(fields=("state", "created_at"), name="operation_by_state"),
            # Serves the list filtered by kind.
            models.Index(fields=("kind", "created_at"), name="operation_by_kind"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} {self.pk}"

    @property
    def is_unfinished(self) -> bool:
        """True if the operation waits or runs, as far as the row shows."""
        return self.state in UNFINISHED

    def is_stopped(self, now: datetime) -> bool:
        """Return True if no worker will finish the operation: its last sign of life is too long ago."""
        return self.is_unfinished and self.seen_at < now - MAX_SILENCE


class OperationItem(models.Model):
    """One item that an operation found: an action of a plan, or a difference between an LMS and the catalogs."""

    operation = models.ForeignKey(
        Operation, models.CASCADE, verbose_name=_("operation"), related_name="found", db_index=False
    )
    content_key = ContentKeyField(_("content key"))
    kind = models.CharField(_("kind"), max_length=16, help_text=_("An action, or a kind of difference."))
    details = models.TextField(_("details"), blank=True)

    class Meta:
        verbose_name = _("found item")
        verbose_name_plural = _("found items")
        indexes = (
            # Serves the list of an operation's items, sorted by key.
            models.Index(fields=("operation", "content_key"), name="operation_item_by_key"),
            # Serves the list of an operation's items of one kind, sorted by key.
            models.Index(fields=("operation", "kind", "content_key"), name="operation_item_by_kind"),
        )

    def __str__(self) -> str:
        return str(self.content_key)
