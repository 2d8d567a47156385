"""The decision log: each action of an operator or command on a configuration and its items. Append-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.transmissions import ContentMetadataItemTransmission

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Maximum number of content keys in the sample of a decision.
SAMPLE_KEYS: Final = 20
#: Maximum length of a user's name, in characters.
MAX_NAME_LENGTH: Final = 255


class DecisionAction(models.TextChoices):
    """The actions that are decisions: each one changes what the next run does."""

    SYNC_NOW = "sync_now", _("sync now")
    APPROVE_DELETES = "approve_deletes", _("approve held deletes")
    KEEP_ITEMS = "keep_items", _("keep held items")
    DELETE_KEPT = "delete_kept", _("delete kept items")
    SEND_AGAIN = "send_again", _("send again")
    REQUEUE = "requeue", _("requeue dead letters")
    RESEND_ALL = "resend_all", _("resend all")
    ADOPT = "adopt", _("adopt")
    PAUSE = "pause", _("pause")
    RESUME = "resume", _("resume")
    DELETE = "delete", _("delete the configuration")
    REPLACE_CREDENTIALS = "replace_credentials", _("replace credentials")


class AppendOnlyError(TypeError):
    """A program tried to change or delete a row of the decision log."""

    def __init__(self) -> None:
        super().__init__("Decisions are append-only: they cannot be changed or deleted.")


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that are inserted and read, and never changed or deleted."""

    def update(self, **_: object) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *_: object, **__: object) -> NoReturn:
        raise AppendOnlyError


class _AppendOnly(models.Model):
    """Base class of rows that cannot be changed or deleted."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_: object, **__: object) -> NoReturn:
        raise AppendOnlyError


class Decision(_AppendOnly):
    """One action on one configuration: who did it, when, and why. A large action writes one row per batch."""

    configuration = models.ForeignKey(
        ChannelConfiguration, models.PROTECT, verbose_name=_("configuration"), related_name="decisions"
    )
    # Serves the list filtered by action.
    action = models.CharField(_("action"), max_length=32, choices=DecisionAction, db_index=True)
    # Serves the list filtered by day.
    made_at = models.DateTimeField(_("made at"), db_index=True)
    # Serves the list filtered by user.
    made_by = models.CharField(
        _("made by"), max_length=MAX_NAME_LENGTH, db_index=True, help_text=_("User name, or the name of a command.")
    )
    reason = models.TextField(_("reason"), blank=True, help_text=_("As entered by the user."))
    items = models.PositiveIntegerField(_("items"), default=0, help_text=_("Number of items."))
    sample = models.JSONField(_("sample"), default=list, help_text=_("Content keys of the first items; at most 20."))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = (
            # Serves the list of a configuration's decisions, also filtered by action.
            models.Index(fields=("configuration", "action"), name="decision_by_configuration"),
        )

    def __str__(self) -> str:
        return f"{self.action} by {self.made_by}"


class DecisionItem(_AppendOnly):
    """One item that a decision is about; shown in the item's timeline."""

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="decided_items", db_index=False)
    # Serves an item's timeline.
    transmission = models.ForeignKey(ContentMetadataItemTransmission, models.PROTECT, related_name="decided_items")

    class Meta:
        constraints = (
            # Serves the list of a decision's items.
            models.UniqueConstraint(fields=("decision", "transmission"), name="decision_item_once"),
        )

    def __str__(self) -> str:
        return f"item {self.transmission_id} of decision {self.decision_id}"


def sample_of(keys: Iterable[str]) -> list[str]:
    """Return the first content keys in ascending order, as a decision stores them."""
    return sorted(keys)[:SAMPLE_KEYS]
