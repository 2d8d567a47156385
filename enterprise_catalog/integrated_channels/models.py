"""The tables of the integrated channels. They have no foreign keys to the catalog: UUIDs and content keys instead.

::

    ChannelConfiguration 1--n ContentMetadataItemTransmission 1--n TransmissionAttempt
                                                                  1--1 FeedItem
            1--n SyncRun 1--n TransmissionAttempt
            1--1 SyncLease
            1--n SlowSyncSlot

Only ``audit/`` writes rows of attempts. Only ``audit/`` and ``feed/entries.py`` write rows of transmissions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import ContentKeyField
from enterprise_catalog.db.timestamps import TimestampField
from enterprise_catalog.integrated_channels.channels.registry import channel_choices
from enterprise_catalog.integrated_channels.domain import MAX_ETAG_LENGTH, Action, Outcome, Presence, State
from enterprise_catalog.integrated_channels.querysets import (
    AttemptQuerySet,
    ConfigurationQuerySet,
    FeedQuerySet,
    TransmissionQuerySet,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django_stubs_ext import StrOrPromise

#: Maximum length of a stored message, in characters. A vendor's error page can have megabytes.
MAX_MESSAGE_LENGTH = 2_000


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


class RunState(models.TextChoices):
    """State of a run."""

    RUNNING = "running", _("running")
    COMPLETE = "complete", _("complete")  #: The LMS equals the catalogs.
    INCOMPLETE = "incomplete", _("incomplete")  #: The run ended, but some items failed, are waiting or are left over.
    STOPPED = "stopped", _("stopped")  #: The run could not continue; see ``reason``.
    ABANDONED = "abandoned", _("abandoned")  #: The worker died, or lost its lease.


class ChannelConfiguration(models.Model):
    """One customer's connection to one LMS."""

    channel_code = models.CharField(_("channel"), max_length=32, choices=channel_choices)
    display_name = models.CharField(_("display name"), max_length=255, blank=True)
    enterprise_customer_uuid = models.UUIDField(_("enterprise customer UUID"), db_index=True)
    catalog_uuids = models.JSONField(
        _("catalogs"),
        default=list,
        blank=True,
        help_text=_("UUIDs of the catalogs to send. Leave empty to send all catalogs of the customer."),
    )
    active = models.BooleanField(_("active"), default=True, help_text=_("Only active configurations are synced."))
    base_url = models.URLField(_("base URL"), max_length=255, help_text=_("Address of the LMS."))
    settings = models.JSONField(_("settings"), default=dict, blank=True, help_text=_("Settings of the channel."))
    credentials = models.TextField(_("credentials"), editable=False, help_text=_("Encrypted; see credentials.py."))
    chunk_size = models.PositiveIntegerField(
        _("chunk size"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Maximum number of items per chunk. Leave empty for the channel's default."),
    )
    max_chunks_per_run = models.PositiveIntegerField(
        _("max chunks per run"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Maximum number of chunks per run. Leave empty for no limit. The next runs send the remaining items."
        ),
    )
    sync_interval_minutes = models.PositiveIntegerField(
        _("sync interval minutes"),
        default=60,
        validators=[MinValueValidator(1)],
        help_text=_("Minutes from the end of one run to the start of the next."),
    )
    delete_limit_items = models.PositiveIntegerField(
        _("deletes without approval"),
        default=50,
        help_text=_(
            "A run holds its deletes for approval if they exceed the share, and also exceed either this number or"
            " half of the items at the LMS."
        ),
    )
    delete_limit_percent = models.PositiveSmallIntegerField(
        _("share of deletes without approval"),
        default=20,
        validators=[MaxValueValidator(100)],
        help_text=_("Percentage of the items at the LMS. At 100, deletes are never held."),
    )
    next_sync_at = models.DateTimeField(
        _("next sync at"), null=True, blank=True, editable=False, help_text=_("Empty: as soon as possible.")
    )
    last_full_sync_at = models.DateTimeField(
        _("last full sync at"),
        null=True,
        editable=False,
        help_text=_("When the LMS was last known to equal the catalogs."),
    )
    # The checkpoint of the last complete run; see sync/checkpoint.py.
    last_full_etag = models.CharField(
        _("last full etag"),
        max_length=MAX_ETAG_LENGTH,
        blank=True,
        default="",
        editable=False,
        help_text=_("ETag of the customer's catalogs when the LMS last equaled them; empty if it may differ."),
    )
    last_full_scope = models.CharField(
        _("last full scope"),
        max_length=64,
        blank=True,
        default="",
        editable=False,
        help_text=_("SHA-256 of the settings for which the ETag is valid."),
    )
    last_full_items = models.PositiveIntegerField(
        _("last full items"),
        default=0,
        editable=False,
        help_text=_("Number of items in the catalogs when the ETag was stored."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel configuration")
        verbose_name_plural = _("channel configurations")
        indexes = (
            # Serves the scheduler's query for due configurations.
            models.Index(fields=("active", "next_sync_at"), name="configuration_due"),
        )

    def __str__(self) -> str:
        return self.display_name or f"{self.channel_code} of {self.enterprise_customer_uuid}"


class SyncLease(models.Model):
    """The right to run a configuration's sync. ``token`` grows with each holder; earlier holders are rejected."""

    configuration = models.OneToOneField(ChannelConfiguration, models.CASCADE, primary_key=True, related_name="lease")
    token = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, help_text=_("Empty if the lease is not held."))
    # Calls in the current rate-limit window; see budgets.py.
    calls = models.PositiveIntegerField(
        default=0, help_text=_("Calls in the current window of the channel's rate limit.")
    )
    calls_since = models.DateTimeField(null=True, help_text=_("Time of the first call in the window."))
    overruns = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("Number of runs in a row that exceeded a deadline.")
    )
    # See pacing.py.
    batch_sizes = models.JSONField(null=True, help_text=_("Kind of call -> number of items in the next call."))

    def __str__(self) -> str:
        return f"lease {self.token} of configuration {self.configuration_id}"


class SlowSyncSlot(models.Model):
    """A slot that a configuration needs to run in a worker after its last run exceeded a deadline.

    The slot is taken while the configuration's lease has this token and has not expired; see leases.py.
    """

    number = models.PositiveSmallIntegerField(primary_key=True)
    configuration = models.ForeignKey(ChannelConfiguration, models.SET_NULL, null=True, related_name="+")
    token = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"slot {self.number}"


class SyncRun(models.Model):
    """Result of one run of a configuration's sync, and the reason why it stopped."""

    configuration = models.ForeignKey(
        ChannelConfiguration, models.PROTECT, verbose_name=_("configuration"), related_name="runs", db_index=False
    )
    state = models.CharField(_("state"), max_length=16, choices=RunState, default=RunState.RUNNING)
    reason = models.TextField(_("reason"), blank=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    counts = models.JSONField(_("counts"), default=dict, help_text=_("action -> outcome -> number of items"))
    matched = models.PositiveIntegerField(_("matched"), default=0, help_text=_("Items that were already up to date."))
    waiting = models.PositiveIntegerField(
        _("waiting"), default=0, help_text=_("Failed items whose next attempt was not due yet.")
    )
    backlog = models.PositiveIntegerField(_("backlog"), default=0, help_text=_("Due items that were not sent."))
    dead = models.PositiveIntegerField(
        _("dead letters"), default=0, help_text=_("Items that failed too often to be retried automatically.")
    )
    staged = models.PositiveIntegerField(
        _("staged"), default=0, help_text=_("Items in the feed that the LMS has not fetched yet.")
    )
    held = models.PositiveIntegerField(
        _("held"), default=0, help_text=_("Items whose deletes are waiting for approval.")
    )
    kept = models.PositiveIntegerField(
        _("kept"), default=0, help_text=_("Items that left the catalogs and were kept by an operator.")
    )

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        indexes = (
            # Serves the audit view: newest runs of a configuration.
            models.Index(fields=("configuration", "started_at"), name="run_by_configuration"),
            # Serves the search for runs that never ended.
            models.Index(fields=("configuration", "state"), name="run_by_state"),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"


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
    content_title = models.CharField(_("content title"), max_length=255, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=_choices(State), default=State.PENDING)
    action = models.CharField(
        _("action"),
        max_length=8,
        choices=_choices(Action),
        default=Action.CREATE,
        help_text=_("Action that was last tried."),
    )
    reason = models.TextField(_("reason"), blank=True, help_text=_("Reason for the state."))
    presence = models.CharField(_("presence"), max_length=8, choices=_choices(Presence), default=Presence.ABSENT)
    remote_id = models.CharField(_("remote id"), max_length=255, blank=True, help_text=_("The LMS's own id."))
    remote_created_at = models.DateTimeField(_("remote created at"), null=True)
    remote_updated_at = models.DateTimeField(_("remote updated at"), null=True)
    remote_deleted_at = models.DateTimeField(_("remote deleted at"), null=True)
    content_updated_at = TimestampField(_("content updated at"), null=True, help_text=_("Version that the LMS has."))
    attempted_updated_at = TimestampField(
        _("attempted updated at"), null=True, help_text=_("Version that was last tried.")
    )
    payload_hash = models.CharField(
        _("payload hash"), max_length=64, blank=True, help_text=_("SHA-256 of the payload that was last sent.")
    )
    attempts = models.PositiveIntegerField(
        _("attempts"), default=0, help_text=_("Failed attempts since the last success.")
    )
    split_level = models.PositiveSmallIntegerField(
        _("split level"),
        default=0,
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

    objects = TransmissionQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("transmissions")
        verbose_name = _("transmission")
        constraints = (models.UniqueConstraint(fields=("configuration", "content_key"), name="transmission_once"),)
        indexes = (
            # Serves the support team: one key in all configurations.
            models.Index(fields=("content_key",), name="transmission_by_key"),
            # Serves the audit view's filter by state, and the query for unsettled items. Contains all columns that a
            # run reads of settled items, so that the run never reads their rows.
            models.Index(
                fields=("configuration", "state", "due_since", "content_key", "content_updated_at", "catalog_uuid"),
                name="transmission_by_state",
            ),
            # Serves the query for the longest waiting items of a configuration.
            models.Index(fields=("configuration", "due_since"), name="transmission_by_due_since"),
        )

    def __str__(self) -> str:
        return str(self.content_key)


class FeedItem(models.Model):
    """One item's entry in the feed of a pull channel. Never removed: an item keeps its key forever."""

    transmission = models.OneToOneField(
        ContentMetadataItemTransmission, models.PROTECT, primary_key=True, related_name="feed_item"
    )
    configuration = models.ForeignKey(ChannelConfiguration, models.PROTECT, related_name="feed_items", db_index=False)
    feed_key = ContentKeyField(help_text=_("Key of the item in the feed; the content key if the LMS accepts it."))
    payload = models.JSONField()
    modified_at = models.DateTimeField(help_text=_("Increases with each change of the payload."))
    served_at = models.DateTimeField(null=True, help_text=_("When this payload was last sent completely."))
    served_since = models.DateTimeField(
        null=True, help_text=_("Latest If-Modified-Since of the polls that received this payload.")
    )
    is_confirmed = models.BooleanField(default=False, help_text=_("A later poll has acknowledged this payload."))

    #: A poller accepts a change only if its time is later, and may truncate times to full seconds.
    RESOLUTION: Final = timedelta(seconds=1)

    objects = FeedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("configuration", "feed_key"), name="feed_key_once"),)
        indexes = (
            # Serves the feed's pages, and the search for entries that a poll acknowledges.
            models.Index(fields=("configuration", "is_confirmed", "modified_at"), name="feed_by_configuration"),
        )

    def __str__(self) -> str:
        return str(self.feed_key)

    @classmethod
    def visible_from(cls, now: datetime) -> datetime:
        """Return ``modified_at`` of an entry that is written at ``now``: a full second that no poll can miss.

        ``If-Modified-Since`` has full seconds, and is the time at which a poll began. A poll that began at this time or
        later must have seen the entry. The transaction that writes the entry therefore has at least a second to commit.
        """
        return now.replace(microsecond=0) + 2 * cls.RESOLUTION


class TransmissionAttempt(models.Model):
    """One call, or one feed entry, for one item. Written before the call; ``outcome`` is empty until it ends."""

    transmission = models.ForeignKey(
        ContentMetadataItemTransmission, models.PROTECT, verbose_name=_("transmission"), related_name="attempt_rows"
    )
    run = models.ForeignKey(SyncRun, models.PROTECT, verbose_name=_("run"), related_name="attempts", db_index=False)
    action = models.CharField(_("action"), max_length=8, choices=_choices(Action))
    content_updated_at = models.DateTimeField(_("content updated at"), null=True, help_text=_("Version that was sent."))
    payload_hash = models.CharField(_("payload hash"), max_length=64, blank=True)
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
            # Serves the search for attempts that a dead run left in flight.
            models.Index(fields=("run", "outcome"), name="attempt_by_run"),
        )

    def __str__(self) -> str:
        return f"{self.action} at {self.started_at:%Y-%m-%d %H:%M:%S}"


class WorkerHeartbeat(models.Model):
    """Time at which a Celery worker was last alive. The worker itself writes it; see ``heartbeats.py``."""

    name = models.CharField(max_length=255, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
