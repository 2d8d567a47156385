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
    from datetime import datetime

#: Maximum length of a stored message, in characters. A vendor's error page can have megabytes.
MAX_MESSAGE_LENGTH = 2_000


def _choices(enum: type[Action | Outcome | Presence | State]) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in enum]


class RunState(models.TextChoices):
    """State of a run."""

    RUNNING = "running", "running"
    COMPLETE = "complete", "complete"  #: The LMS equals the catalogs.
    INCOMPLETE = "incomplete", "incomplete"  #: The run ended, but some items failed, are waiting or are left over.
    STOPPED = "stopped", "stopped"  #: The run could not continue; see ``reason``.
    ABANDONED = "abandoned", "abandoned"  #: The worker died, or lost its lease.


class ChannelConfiguration(models.Model):
    """One customer's connection to one LMS."""

    channel_code = models.CharField("channel", max_length=32, choices=channel_choices)
    display_name = models.CharField(max_length=255, blank=True)
    enterprise_customer_uuid = models.UUIDField(db_index=True)
    catalog_uuids = models.JSONField(
        "catalogs",
        default=list,
        blank=True,
        help_text="UUIDs of the catalogs to send. Leave empty to send all catalogs of the customer.",
    )
    active = models.BooleanField(default=True, help_text="Only active configurations are synced.")
    base_url = models.URLField("base URL", max_length=255, help_text="Address of the LMS.")
    settings = models.JSONField(default=dict, blank=True, help_text="Settings of the channel.")
    credentials = models.TextField(editable=False, help_text="Encrypted; see credentials.py.")
    chunk_size = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Maximum number of items per chunk. Leave empty for the channel's default.",
    )
    max_chunks_per_run = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Maximum number of chunks per run. Leave empty for no limit. The next runs send the remaining items.",
    )
    sync_interval_minutes = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1)],
        help_text="Minutes from the end of one run to the start of the next.",
    )
    delete_limit_items = models.PositiveIntegerField(
        "deletes without approval",
        default=50,
        help_text="A run holds its deletes for approval if they exceed the share, and also exceed either this number or"
        " half of the items at the LMS.",
    )
    delete_limit_percent = models.PositiveSmallIntegerField(
        "share of deletes without approval",
        default=20,
        validators=[MaxValueValidator(100)],
        help_text="Percentage of the items at the LMS. At 100, deletes are never held.",
    )
    next_sync_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Empty: as soon as possible.")
    last_full_sync_at = models.DateTimeField(
        null=True, editable=False, help_text="When the LMS was last known to equal the catalogs."
    )
    # The checkpoint of the last complete run; see sync/checkpoint.py.
    last_full_etag = models.CharField(
        max_length=MAX_ETAG_LENGTH,
        blank=True,
        default="",
        editable=False,
        help_text="ETag of the customer's catalogs when the LMS last equaled them; empty if it may differ.",
    )
    last_full_scope = models.CharField(
        max_length=64,
        blank=True,
        default="",
        editable=False,
        help_text="SHA-256 of the settings for which the ETag is valid.",
    )
    last_full_items = models.PositiveIntegerField(
        default=0, editable=False, help_text="Number of items in the catalogs when the ETag was stored."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
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
    expires_at = models.DateTimeField(null=True, help_text="Empty if the lease is not held.")
    # Calls in the current rate-limit window; see budgets.py.
    calls = models.PositiveIntegerField(default=0, help_text="Calls in the current window of the channel's rate limit.")
    calls_since = models.DateTimeField(null=True, help_text="Time of the first call in the window.")
    overruns = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Number of runs in a row that exceeded a deadline."
    )
    # See pacing.py.
    batch_sizes = models.JSONField(null=True, help_text="Kind of call -> number of items in the next call.")

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

    configuration = models.ForeignKey(ChannelConfiguration, models.PROTECT, related_name="runs", db_index=False)
    state = models.CharField(max_length=16, choices=RunState, default=RunState.RUNNING)
    reason = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, help_text="action -> outcome -> number of items")
    matched = models.PositiveIntegerField(default=0, help_text="Items that were already up to date.")
    waiting = models.PositiveIntegerField(default=0, help_text="Failed items whose next attempt was not due yet.")
    backlog = models.PositiveIntegerField(default=0, help_text="Due items that were not sent.")
    dead = models.PositiveIntegerField(
        "dead letters", default=0, help_text="Items that failed too often to be retried automatically."
    )
    staged = models.PositiveIntegerField(default=0, help_text="Items in the feed that the LMS has not fetched yet.")
    held = models.PositiveIntegerField(default=0, help_text="Items whose deletes are waiting for approval.")
    kept = models.PositiveIntegerField(
        default=0, help_text="Items that left the catalogs and were kept by an operator."
    )

    class Meta:
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
        ChannelConfiguration, models.PROTECT, related_name="transmissions", db_index=False
    )
    content_key = ContentKeyField()
    catalog_uuid = models.UUIDField(null=True, help_text="Catalog that the item's content came from.")
    content_title = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=16, choices=_choices(State), default=State.PENDING)
    action = models.CharField(
        max_length=8, choices=_choices(Action), default=Action.CREATE, help_text="Action that was last tried."
    )
    reason = models.TextField(blank=True, help_text="Reason for the state.")
    presence = models.CharField(max_length=8, choices=_choices(Presence), default=Presence.ABSENT)
    remote_id = models.CharField(max_length=255, blank=True, help_text="The LMS's own id.")
    remote_created_at = models.DateTimeField(null=True)
    remote_updated_at = models.DateTimeField(null=True)
    remote_deleted_at = models.DateTimeField(null=True)
    content_updated_at = TimestampField(null=True, help_text="Version that the LMS has.")
    attempted_updated_at = TimestampField(null=True, help_text="Version that was last tried.")
    payload_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the payload that was last sent.")
    attempts = models.PositiveIntegerField(default=0, help_text="Failed attempts since the last success.")
    split_level = models.PositiveSmallIntegerField(
        default=0,
        db_column="halvings",  # Workers of release 1.0 still use this name during an upgrade.
        help_text="How many times a call containing this item has been split since the item last had a result of its"
        " own.",
    )
    last_attempt_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    due_since = models.DateTimeField(
        null=True, help_text="When the LMS fell out of date for this item; empty if it is up to date."
    )
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(
        null=True, help_text="When the item left the catalogs and was removed from the LMS."
    )

    objects = TransmissionQuerySet.as_manager()

    class Meta:
        verbose_name = "transmission"
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
    feed_key = ContentKeyField(help_text="Key of the item in the feed; the content key if the LMS accepts it.")
    payload = models.JSONField()
    modified_at = models.DateTimeField(help_text="Increases with each change of the payload.")
    served_at = models.DateTimeField(null=True, help_text="When this payload was last sent completely.")
    served_since = models.DateTimeField(
        null=True, help_text="Latest If-Modified-Since of the polls that received this payload."
    )
    is_confirmed = models.BooleanField(default=False, help_text="A later poll has acknowledged this payload.")

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

    transmission = models.ForeignKey(ContentMetadataItemTransmission, models.PROTECT, related_name="attempt_rows")
    run = models.ForeignKey(SyncRun, models.PROTECT, related_name="attempts", db_index=False)
    action = models.CharField(max_length=8, choices=_choices(Action))
    content_updated_at = models.DateTimeField(null=True, help_text="Version that was sent.")
    payload_hash = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True, choices=_choices(Outcome))
    status_code = models.PositiveSmallIntegerField(null=True, help_text="HTTP status.")
    vendor_code = models.CharField(max_length=100, blank=True)
    message = models.TextField(blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = "attempt"
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
