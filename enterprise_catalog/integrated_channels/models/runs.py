"""The result of each run."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.fields import count_field


class RunState(models.TextChoices):
    """State of a run."""

    RUNNING = "running", _("running")
    COMPLETE = "complete", _("complete")  #: The LMS equals the catalogs.
    #: The LMS equals the catalogs, except for items that were rejected or that an operator keeps.
    COMPLETE_EXCEPT = "complete_except", _("complete, with exceptions")
    INCOMPLETE = "incomplete", _("incomplete")  #: The run ended, but some items failed, are waiting or are left over.
    STOPPED = "stopped", _("stopped")  #: The run could not continue; see ``reason``.
    ABANDONED = "abandoned", _("abandoned")  #: The worker died, or lost its lease.


class Comparison(models.TextChoices):
    """Comparison of the LMS with the catalogs in a run. All values but the first two are full comparisons."""

    UNCHANGED = "unchanged", _("nothing had changed")  #: The ETag of the catalogs was the one of the last run.
    CHANGES = "changes", _("changes since the last comparison")
    FIRST = "first", _("full comparison: no earlier comparison is known")
    DAILY = "daily", _("full comparison: the last one was too long ago")
    REQUESTED = "requested", _("full comparison: requested by a user")
    SAVED_PLAN = "saved_plan", _("full comparison: the run carries out a saved plan")
    EDITED = "edited", _("full comparison: the configuration was edited, or the customer has other catalogs")
    DEAD_RUN = "dead_run", _("full comparison: an earlier run was interrupted")
    EXPIRED = "expired", _("full comparison: the catalog service does not have the changes")
    MANY = "many", _("full comparison: there are too many changes or unsettled items")
    MOVED = "moved", _("full comparison: a catalog changed while its changes were read")
    MISCOUNTED = "miscounted", _("full comparison: the changes do not fit the stored number of items")


class SyncRun(models.Model):
    """Result of one run of a configuration's sync, and the reason why it stopped."""

    configuration = models.ForeignKey(
        ChannelConfiguration, models.PROTECT, verbose_name=_("configuration"), related_name="runs", db_index=False
    )
    state = models.CharField(_("state"), max_length=16, choices=RunState, default=RunState.RUNNING)
    reason = models.TextField(_("reason"), blank=True)
    stop_cause = models.CharField(
        _("stop cause"),
        max_length=16,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("Kind of error that ended the run early; see StopCause. Empty if the run went to its end."),
    )
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    counts = models.JSONField(_("counts"), default=dict, help_text=_("action -> outcome -> number of items"))
    matched = count_field(_("matched"), _("Items that were already up to date."))
    waiting = count_field(_("waiting"), _("Failed items whose next attempt was not due yet."))
    backlog = count_field(_("backlog"), _("Due items that were not sent."))
    dead = count_field(_("dead letters"), _("Items that failed too often to be retried automatically."))
    staged = count_field(_("staged"), _("Items in the feed that the LMS has not fetched yet."))
    held = count_field(_("held"), _("Items whose deletes are waiting for approval."))
    kept = count_field(_("kept"), _("Items that left the catalogs and were kept by an operator."))
    comparison = models.CharField(
        _("comparison"),
        max_length=16,
        choices=Comparison,
        blank=True,
        default="",
        db_default="",
        help_text=_("How the run compared the LMS with the catalogs; empty if it did not."),
    )
    changes_since = models.DateTimeField(
        _("changes since"), null=True, help_text=_("Start of the run whose comparison this run continued.")
    )

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        indexes = (
            # Serves the audit view: newest runs of a configuration.
            models.Index(fields=("configuration", "started_at"), name="run_by_configuration"),
            # Serves the audit view's list of all configurations' runs, filtered by state.
            models.Index(fields=("state", "started_at"), name="run_by_state_and_start"),
            # Serves the audit view's list of all configurations' runs, filtered by day.
            models.Index(fields=("started_at",), name="run_by_start"),
            # Serves the search for runs that never ended.
            models.Index(fields=("configuration", "state"), name="run_by_state"),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"
