"""The state of each item in each LMS, and each attempt to send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import models
from django.db.models import Case, When
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import ContentKeyField
from enterprise_catalog.db.text_index import TextIndex
from enterprise_catalog.db.timestamps import TimestampField
from enterprise_catalog.integrated_channels.domain import Action, Outcome, Presence, Record, State
from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.querysets import AttemptQuerySet, TransmissionQuerySet
from enterprise_catalog.integrated_channels.models.runs import SyncRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrOrPromise

#: Maximum length of a stored message, in characters. A vendor's error page can have megabytes.
MAX_MESSAGE_LENGTH = 2_000


#: Length of ``problem``, in characters: enough to distinguish messages, and short enough for an index.
MAX_PROBLEM_LENGTH: Final = 100
#: States whose reason is a problem that an operator may search for.
PROBLEM_STATES: Final = (State.IN_DOUBT, State.RETRYING, State.REJECTED, State.DEAD_LETTER, State.HELD)

#: Value of an action, state, presence or outcome -> label for users.
LABELS: Final[Mapping[str, StrOrPromise]] = {
    "create": _("create"),
    "update": _("update"),
    "delete": _("delete"),
    "pending": _("pending"),
    "in_doubt": _("in doubt"),
    "staged": _("staged"),
    "transmitted": _("transmitted"),
    "retrying": _("retrying"),
    "rejected": _("rejected"),
    "dead_letter": _("dead letter"),
    "held": _("held"),
    "kept": _("kept"),
    "deleted": _("deleted"),
    "absent": _("absent"),
    "present": _("present"),
    "unknown": _("unknown"),
    "done": _("done"),
    "unchanged": _("unchanged"),
    "withdrawn": _("withdrawn"),
    "retry": _("retry"),
    "gone": _("gone"),
    "skipped": _("skipped"),
    "throttled": _("throttled"),
}


def _choices(enum: type[Action | Outcome | Presence | State]) -> list[tuple[str, StrOrPromise]]:
    return [(member.value, LABELS[member.value]) for member in enum]


class ContentMetadataItemTransmission(models.Model):
    """State of one item in one configuration's LMS. Rows are never removed; see ``deleted_at``."""

    configuration = models.ForeignKey(
        ChannelConfiguration,
        models.PROTECT,
        verbose_name=_("configuration"),
        related_name="transmissions",
        db_index=False,
    )
    content_key = ContentKeyField(_("content key"))
    catalog_uuid = models.UUIDField(
        _("catalog UUID"), null=True, help_text=_("Catalog that the item's content came from.")
    )
    content_title = models.CharField(_("content title"), max_length=255, blank=True, default="", db_default="")
    state = models.CharField(
        _("state"), max_length=16, choices=_choices(State), default=State.PENDING, db_default=State.PENDING.value
    )
    action = models.CharField(
        _("action"),
        max_length=8,
        choices=_choices(Action),
        default=Action.CREATE,
        help_text=_("Action that was last tried."),
    )
    reason = models.TextField(_("reason"), blank=True, help_text=_("Reason for the state."))
    presence = models.CharField(
        _("presence"),
        max_length=8,
        choices=_choices(Presence),
        default=Presence.ABSENT,
        db_default=Presence.ABSENT.value,
    )
    remote_id = models.CharField(
        _("remote id"), max_length=255, blank=True, default="", db_default="", help_text=_("The LMS's own id.")
    )
    remote_created_at = models.DateTimeField(_("remote created at"), null=True)
    remote_updated_at = models.DateTimeField(_("remote updated at"), null=True)
    remote_deleted_at = models.DateTimeField(_("remote deleted at"), null=True)
    content_updated_at = TimestampField(_("content updated at"), null=True, help_text=_("Version that the LMS has."))
    attempted_updated_at = TimestampField(
        _("attempted updated at"), null=True, help_text=_("Version that was last tried.")
    )
    payload_hash = models.CharField(
        _("payload hash"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("SHA-256 of the payload that was last sent."),
    )
    attempts = models.PositiveIntegerField(
        _("attempts"), default=0, db_default=0, help_text=_("Failed attempts since the last success.")
    )
    split_level = models.PositiveSmallIntegerField(
        _("split level"),
        default=0,
        db_default=0,
        db_column="halvings",  # Workers of release 1.0 still use this name during an upgrade.
        help_text=_(
            "How many times a call containing this item has been split since the item last had a result of its own."
        ),
    )
    last_attempt_at = models.DateTimeField(_("last attempt at"), null=True)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True)
    due_since = models.DateTimeField(
        _("due since"),
        null=True,
        help_text=_("When the LMS fell out of date for this item; empty if it is up to date."),
    )
    created_at = models.DateTimeField(_("created at"))
    deleted_at = models.DateTimeField(
        _("deleted at"), null=True, help_text=_("When the item left the catalogs and was removed from the LMS.")
    )

    problem = models.GeneratedField(
        verbose_name=_("problem"),
        expression=Case(
            When(state__in=[state.value for state in PROBLEM_STATES], then=Left("reason", MAX_PROBLEM_LENGTH)),
            default=None,
        ),
        output_field=models.CharField(max_length=MAX_PROBLEM_LENGTH, null=True),
        # MariaDB adds a virtual column without a copy of the table. But its indexes on virtual columns have had bugs
        # that corrupted them.
        db_persist=True,
    )

    objects = TransmissionQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("transmissions")
        verbose_name = _("transmission")
        permissions = (
            ("approve_deletes", "Can approve held deletes, or keep the items"),
            ("retry_items", "Can send items again"),
        )
        constraints = (
            # Serves a run's reads and updates of the rows of some keys.
            models.UniqueConstraint(fields=("configuration", "content_key"), name="transmission_once"),
        )
        indexes = (
            # Serves the search for one key in all configurations.
            models.Index(fields=("content_key",), name="transmission_by_key"),
            # Serves a run's query for unsettled items, the counts of items, and the audit view's filter by state.
            # Contains all columns that a full comparison reads of settled items: it never reads their rows.
            models.Index(
                fields=("configuration", "state", "due_since", "content_key", "content_updated_at", "catalog_uuid"),
                name="transmission_by_state",
            ),
            # Serves the audit view's list of all configurations, filtered by state, action or day of the last attempt.
            # Rows are added at the ends of its ranges, so it takes little time.
            models.Index(fields=("state", "action", "last_attempt_at"), name="transmission_by_attempt"),
            # Serves the audit view's search by the beginning of a title.
            TextIndex(fields=("content_title",), name="transmission_by_title"),
            # Serves the audit view's search by the LMS's own id.
            models.Index(fields=("remote_id",), name="transmission_by_remote_id"),
            # Serves the audit view's search and filter by reason, of all configurations or of one. Settled rows have
            # no problem; their entries are NULL.
            TextIndex(fields=("problem", "configuration"), name="transmission_by_problem"),
        )

    def __str__(self) -> str:
        return str(self.content_key)

    def as_record(self) -> Record:
        """Return the columns that planning needs, as ``TransmissionQuerySet.history`` does for many rows."""
        return Record(
            content_key=self.content_key,
            state=State(self.state),
            action=Action(self.action),
            presence=Presence(self.presence),
            catalog_uuid=self.catalog_uuid,
            content_updated_at=self.content_updated_at,
            attempted_updated_at=self.attempted_updated_at,
            next_attempt_at=self.next_attempt_at,
            is_deleted=self.deleted_at is not None,
            failures=self.attempts,
            split_level=self.split_level,
            due_since=self.due_since,
            is_payload_known=bool(self.payload_hash),
        )


class TransmissionAttempt(models.Model):
    """One call, or one feed entry, for one item. Written before the call; ``outcome`` is empty until it ends."""

    # Serves an item's timeline, and the newest attempt of an item.
    transmission = models.ForeignKey(
        ContentMetadataItemTransmission, models.PROTECT, verbose_name=_("transmission"), related_name="attempt_rows"
    )
    run = models.ForeignKey(SyncRun, models.PROTECT, verbose_name=_("run"), related_name="attempts", db_index=False)
    action = models.CharField(_("action"), max_length=8, choices=_choices(Action))
    content_updated_at = models.DateTimeField(_("content updated at"), null=True, help_text=_("Version that was sent."))
    payload_hash = models.CharField(_("payload hash"), max_length=64, blank=True)
    # Serves the removal of old attempts, and the list filtered by day.
    started_at = models.DateTimeField(_("started at"), db_index=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16, blank=True, choices=_choices(Outcome))
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True, help_text=_("HTTP status."))
    vendor_code = models.CharField(_("vendor code"), max_length=100, blank=True)
    message = models.TextField(_("message"), blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("attempts")
        verbose_name = _("attempt")
        indexes = (
            # Serves the search for attempts that a dead run left in flight, and the summary of a run.
            models.Index(fields=("run", "outcome"), name="attempt_by_run"),
            # Serves the audit view's list of attempts, filtered by outcome or action.
            models.Index(fields=("outcome", "action", "started_at"), name="attempt_by_outcome"),
        )

    def __str__(self) -> str:
        return f"{self.action} at {self.started_at:%Y-%m-%d %H:%M:%S}"
