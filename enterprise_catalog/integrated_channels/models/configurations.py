"""A customer's connection to an LMS, the lease of its sync, and the slots of slow syncs."""

from __future__ import annotations

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Value
from django.db.models.functions import Concat, Left, Lower, StrIndex, Substr
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.channels.registry import channel_choices
from enterprise_catalog.integrated_channels.domain import MAX_ETAG_LENGTH
from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet

#: Limits of a configuration's freshness goal; the longest one is 30 days.
MIN_GOAL_MINUTES: Final = 5
MAX_GOAL_MINUTES: Final = 43_200
#: Default interval of a configuration: a day. Changes in the catalogs make it due long before.
SWEEP_MINUTES: Final = 1_440

_AFTER_SCHEME: Final = Concat(Substr("base_url", StrIndex("base_url", Value("//")) + 2), Value("/"))


class SyncQueue(models.TextChoices):
    """The Celery queue of a sync, and so the workers that may run it."""

    INTERACTIVE = "interactive", _("interactive")  #: A user is waiting.
    CHANGES = "changes", _("changes")  #: Catalogs of the customer changed.
    SWEEP = "sweep", _("sweep")  #: Everything else: intervals, retries, and the rest of large syncs.


class ChannelConfiguration(models.Model):
    """One customer's connection to one LMS."""

    channel_code = models.CharField(_("channel"), max_length=32, choices=channel_choices)
    display_name = models.CharField(_("display name"), max_length=255, blank=True)
    # Serves the query for a customer's configurations.
    enterprise_customer_uuid = models.UUIDField(_("enterprise customer UUID"), db_index=True)
    catalog_uuids = models.JSONField(
        _("catalogs"),
        default=list,
        blank=True,
        help_text=_("UUIDs of the catalogs to send. Leave empty to send all catalogs of the customer."),
    )
    active = models.BooleanField(_("active"), default=True, help_text=_("Only active configurations are synced."))
    paused_at = models.DateTimeField(
        _("paused at"), null=True, editable=False, help_text=_("Empty if the configuration was not paused by a user.")
    )
    pause_reason = models.TextField(
        _("reason for the pause"), blank=True, default="", db_default="", editable=False, help_text=_("As entered.")
    )
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
    max_seconds_per_run = models.PositiveIntegerField(
        _("max seconds per run"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "A run that takes longer ends after the current chunk, and the next run continues behind the syncs that"
            " are waiting. Leave empty for the default."
        ),
    )
    sync_interval_minutes = models.PositiveIntegerField(
        _("sync interval minutes"),
        default=SWEEP_MINUTES,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Minutes from the end of one run to the start of the next. Changes in the catalogs are synced at once."
        ),
    )
    freshness_goal_minutes = models.PositiveIntegerField(
        _("freshness goal in minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_GOAL_MINUTES), MaxValueValidator(MAX_GOAL_MINUTES)],
        help_text=_(
            "A change that takes longer to reach the LMS makes the configuration late, and subscribers are notified."
            " Leave empty for the site's goal."
        ),
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
    # The message of the next sync in a Celery queue.
    queue = models.CharField(
        _("queue"),
        max_length=16,
        choices=SyncQueue,
        default=SyncQueue.SWEEP,
        db_default=SyncQueue.SWEEP,
        editable=False,
        help_text=_("Queue of the next sync."),
    )
    queued_at = models.DateTimeField(
        _("queued at"), null=True, editable=False, help_text=_("When the next sync was queued; empty if it is not.")
    )
    queue_token = models.BigIntegerField(
        _("queue token"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("Identifies the message in the queue. All other messages are void."),
    )
    sync_requests = models.PositiveBigIntegerField(
        _("sync requests"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("Counts the reasons for a sync. If it grows during a run, another run is due."),
    )
    not_before = models.DateTimeField(
        _("not before"),
        null=True,
        editable=False,
        help_text=_("End of the pause that the last run asked for. Changes do not shorten it."),
    )
    lms_host = models.GeneratedField(
        verbose_name=_("LMS host"),
        expression=Lower(Left(_AFTER_SCHEME, StrIndex(_AFTER_SCHEME, Value("/")) - 1)),
        output_field=models.CharField(max_length=255),
        db_persist=True,
    )
    last_full_sync_at = models.DateTimeField(
        _("last full sync at"),
        null=True,
        editable=False,
        help_text=_("When the LMS was last known to equal the catalogs, except for rejected and kept items."),
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
        help_text=_("Number of items in the catalogs, without rejected ones, when the ETag was stored."),
    )
    # The state that the rows of the transmissions record; see sync/checkpoint.py.
    synced_versions = models.JSONField(
        _("synced versions"),
        null=True,
        editable=False,
        help_text=_(
            "Catalog UUID -> version of the last plan; empty if only a full comparison can tell the difference."
        ),
    )
    synced_items = models.PositiveIntegerField(
        _("synced items"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("Number of items in the catalogs at these versions; an item in several catalogs counts once."),
    )
    fully_compared_at = models.DateTimeField(
        _("fully compared at"),
        null=True,
        editable=False,
        help_text=_("When a run last compared all items with the catalogs, and not only changed items."),
    )
    full_comparison_requested_at = models.DateTimeField(
        _("full comparison requested at"),
        null=True,
        editable=False,
        help_text=_("When a user last requested a comparison of all items."),
    )
    polled_since = models.DateTimeField(
        _("polled since"),
        null=True,
        editable=False,
        help_text=_("Latest If-Modified-Since of the LMS's polls; empty if the LMS does not poll."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    deleted_at = models.DateTimeField(
        _("deleted at"),
        null=True,
        editable=False,
        help_text=_("When the configuration was deleted by the API. It counts as deleted while it is inactive."),
    )

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel configuration")
        verbose_name_plural = _("channel configurations")
        permissions = (("operate_configurations", "Can sync, pause, resume and check configurations"),)
        indexes = (
            # Serves the scheduler's query for due configurations.
            models.Index(fields=("active", "next_sync_at"), name="configuration_due"),
            # Serves the scheduler's query for queued configurations.
            models.Index(fields=("queued_at",), name="configuration_queued"),
            # Serves the lists' filters by channel. Contains all columns of their conditions.
            models.Index(fields=("channel_code", "active", "deleted_at"), name="configuration_by_channel"),
        )

    def __str__(self) -> str:
        return self.display_name or f"{self.channel_code} of {self.enterprise_customer_uuid}"


class SyncLease(models.Model):
    """The right to run a configuration's sync. ``token`` grows with each holder; earlier holders are rejected."""

    configuration = models.OneToOneField(ChannelConfiguration, models.CASCADE, primary_key=True, related_name="lease")
    token = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, help_text=_("Empty if the lease is not held."))
    # Calls in the current rate-limit window; see audit/rate_budget.py.
    calls = models.PositiveIntegerField(
        default=0, help_text=_("Calls in the current window of the channel's rate limit.")
    )
    calls_since = models.DateTimeField(null=True, help_text=_("Time of the first call in the window."))
    overruns = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("Number of runs in a row that exceeded a deadline.")
    )
    # See audit/pacing.py.
    batch_sizes = models.JSONField(null=True, help_text=_("Kind of call -> number of items in the next call."))

    class Meta:
        indexes = (
            # Serves the scheduler's query for configurations that are being synced.
            models.Index(fields=("expires_at",), name="lease_by_expiry"),
        )

    def __str__(self) -> str:
        return f"lease {self.token} of configuration {self.configuration_id}"


class SlowSyncSlot(models.Model):
    """A slot that a configuration needs to run in a worker after its last run exceeded a deadline.

    The slot is taken while the configuration's lease has this token and has not expired; see leases.py.
    """

    number = models.PositiveSmallIntegerField(primary_key=True)
    # Serves the foreign key, when a configuration is deleted.
    configuration = models.ForeignKey(ChannelConfiguration, models.SET_NULL, null=True, related_name="+")
    token = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"slot {self.number}"
