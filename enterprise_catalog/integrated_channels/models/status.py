"""The status of each configuration, and the figures of each day: small tables that the overview reads."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.fields import count_field


class Status(models.TextChoices):
    """Status of a configuration, the worst first."""

    FAILING = "failing", _("failing")  #: The last run could not continue, or items fail.
    NEEDS_DECISION = "needs_decision", _("needs a decision")  #: Deletes are held, or items are dead letters.
    BEHIND = "behind", _("behind")  #: Items are still to be sent, or to be fetched by the LMS.
    NEVER_SYNCED = "never_synced", _("never synced")  #: No run has ended yet.
    UP_TO_DATE_EXCEPT = "up_to_date_except", _("up to date, with exceptions")  #: Items were rejected or kept.
    UP_TO_DATE = "up_to_date", _("up to date")  #: The LMS equals the catalogs.
    PAUSED = "paused", _("paused")  #: The configuration is inactive.

    @property
    def rank(self) -> int:
        """Position in the order of urgency; 0 is the worst."""
        return _RANKS[self]


_RANKS: Final = {status: rank for rank, status in enumerate(Status)}


class ConfigurationStatus(models.Model):
    """Status of one configuration after its last run or the last decision of an operator.

    Only ``audit/status.py`` writes these rows. A configuration gets its row when it is created.
    """

    configuration = models.OneToOneField(
        ChannelConfiguration,
        models.CASCADE,
        verbose_name=_("configuration"),
        primary_key=True,
        related_name="status",
    )
    state = models.CharField(_("state"), max_length=20, choices=Status, default=Status.NEVER_SYNCED)
    rank = models.PositiveSmallIntegerField(
        default=_RANKS[Status.NEVER_SYNCED], help_text=_("Urgency of the state; 0 is the worst.")
    )
    since = models.DateTimeField(_("since"), help_text=_("When the state began."))
    reason = models.TextField(_("reason"), blank=True, help_text=_("Reason of the last run, if it could not continue."))
    failing = count_field(_("failing"), _("Items that failed temporarily and are retried."))
    held = count_field(_("held"), _("Items whose deletes are waiting for approval."))
    dead = count_field(_("dead letters"), _("Items that failed too often to be retried automatically."))
    behind = count_field(_("behind"), _("Items that are still to be sent, or to be fetched by the LMS."))
    rejected = count_field(_("rejected"), _("Items that the channel or the LMS rejects."))
    kept = count_field(_("kept"), _("Items that left the catalogs and were kept by an operator."))
    matched = count_field(_("matched"), _("Items in the catalogs that the last run did not find rejected."))
    run_state = models.CharField(
        max_length=16,
        blank=True,
        help_text=_("State of the last run; incomplete after a rate limit, and empty if no run has ended."),
    )
    stop_cause = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text=_("Kind of error that ended the last run early; see StopCause. Empty if the run went to its end."),
    )
    due_since = models.DateTimeField(
        _("due since"),
        null=True,
        help_text=_("When the LMS fell out of date for the item that waits longest. Empty if no item is due."),
    )
    last_run_at = models.DateTimeField(_("last run at"), null=True, help_text=_("Empty if no run has ended."))
    compared_at = models.DateTimeField(
        _("compared at"), null=True, help_text=_("When a run last compared the LMS with the catalogs.")
    )
    next_sync_at = models.DateTimeField(
        _("next sync at"), null=True, help_text=_("Copy of the configuration's; an index needs it in this table.")
    )
    customer_name = models.CharField(
        _("customer"), max_length=255, blank=True, help_text=_("From the catalog service; empty if unknown.")
    )

    class Meta:
        verbose_name = _("configuration status")
        verbose_name_plural = _("configuration statuses")
        indexes = (
            # Serves the overview's list, the worst first.
            models.Index(fields=("rank", "since"), name="status_by_rank"),
            # Serves the overview's counts, and its search for overdue configurations.
            models.Index(fields=("rank", "next_sync_at"), name="status_by_next_sync"),
        )

    def __str__(self) -> str:
        return f"{self.state} since {self.since:%Y-%m-%d %H:%M}"


class DailyFigure(models.Model):
    """One figure of one channel and day (UTC). Only ``audit/figures.py`` writes these rows."""

    day = models.DateField()
    channel_code = models.CharField(max_length=32)
    name = models.CharField(max_length=16, help_text=_("An outcome, ``backlog``, or ``fresh`` with a time limit."))
    value = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            # Serves no query, but the rule: writing a figure again replaces it.
            models.UniqueConstraint(fields=("day", "channel_code", "name"), name="daily_figure_once"),
        )
        indexes = (
            # Serves the charts. Contains all columns that they read: otherwise MariaDB scans a table of few months.
            models.Index(fields=("day", "name", "value"), name="daily_figure_by_day"),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.channel_code} on {self.day}: {self.value}"
