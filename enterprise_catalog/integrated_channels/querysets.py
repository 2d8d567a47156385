"""The sync engine's reads that are used more than once. They chain, and their names are those of the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Min, Q

from enterprise_catalog.content_keys import key_starts_with
from enterprise_catalog.integrated_channels.types import Action, Presence, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import (
        ChannelConfiguration,
        ContentMetadataItemTransmission,  # noqa: F401  (named as text by a base class)
        SyncRun,
        TransmissionAttempt,  # noqa: F401  (likewise)
    )


class ConfigurationQuerySet(models.QuerySet["ChannelConfiguration"]):
    """Channel configurations."""

    def due(self, now: datetime) -> ConfigurationQuerySet:
        """Only those that are switched on and whose next sync is due."""
        return self.filter(Q(next_sync_at=None) | Q(next_sync_at__lte=now), active=True)


class TransmissionQuerySet(models.QuerySet["ContentMetadataItemTransmission"]):
    """Transmissions."""

    def of(self, configuration: ChannelConfiguration) -> TransmissionQuerySet:
        """Only those of ``configuration``."""
        return self.filter(configuration=configuration)

    def with_keys(self, keys: Iterable[str]) -> TransmissionQuerySet:
        """Only those with these content keys; at most 1,000."""
        return self.filter(content_key__in=keys)

    def with_key_prefix(self, prefix: str) -> TransmissionQuerySet:
        """Only those whose key starts with ``prefix``, exactly."""
        return self.filter(key_starts_with(prefix))

    def unsettled(self) -> TransmissionQuerySet:
        """Only those of which the LMS does not hold, or no longer holds, what it should."""
        # The states that are asked for, and not the others: an index finds these without reading past all the rest.
        settled = (State.TRANSMITTED, State.DELETED)
        return self.filter(state__in=[state for state in State if state not in settled])

    def earliest_attempt(self) -> datetime | None:
        """Return when the first of those that failed is due again; ``None`` if none failed."""
        failed = self.filter(state__in=(State.RETRYING, State.REJECTED))
        earliest: datetime | None = failed.aggregate(earliest=Min("next_attempt_at"))["earliest"]
        return earliest

    def records(self) -> Iterator[Record]:
        """Yield what planning needs of each row, in no order."""
        columns = self.values_list(
            "content_key",
            "state",
            "action",
            "presence",
            "catalog_uuid",
            "content_updated_at",
            "attempted_updated_at",
            "next_attempt_at",
            "deleted_at",
            "attempts",
        )
        for key, state, action, presence, catalog, sent, tried, due, deleted, failures in columns.iterator(10_000):
            enums = State(state), Action(action), Presence(presence)
            yield Record(key, *enums, catalog, sent, tried, due, deleted is not None, failures)


class AttemptQuerySet(models.QuerySet["TransmissionAttempt"]):
    """Attempts."""

    def in_flight(self, runs: Iterable[SyncRun]) -> AttemptQuerySet:
        """Only those of ``runs`` that were sent and whose answer was never recorded."""
        return self.filter(run__in=runs, outcome="")
