"""The sync engine's reads that are used more than once. They chain, and their names are those of the question."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import models
from django.db.models import Count, Min, Q
from django.db.models.functions import Cast

from enterprise_catalog.content_keys import key_starts_with
from enterprise_catalog.integrated_channels.types import Accounts, Action, Presence, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from enterprise_catalog.integrated_channels.models import (
        ChannelConfiguration,
        ContentMetadataItemTransmission,  # noqa: F401  (named as text by a base class)
        FeedItem,  # noqa: F401  (likewise)
        SyncRun,
        TransmissionAttempt,  # noqa: F401  (likewise)
    )

#: Value -> member; twice as fast as to call the class.
_STATES: Final = {state.value: state for state in State}
_ACTIONS: Final = {action.value: action for action in Action}
_PRESENCES: Final = {presence.value: presence for presence in Presence}


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

    def accounts(self) -> Accounts:
        """Return what of these the LMS does not hold as it should, and since when."""
        failing = Q(state__in=(State.RETRYING, State.REJECTED, State.DEAD_LETTER))
        due = self.filter(due_since__isnull=False)
        return Accounts(
            **due.aggregate(
                pending=Count("pk", filter=~failing),
                oldest_pending_since=Min("due_since", filter=~failing),
                failing=Count("pk", filter=failing),
                oldest_failing_since=Min("due_since", filter=failing),
            )
        )

    def records(self) -> Iterator[Record]:
        """Yield what planning needs of each row, in no order."""
        columns = self.values_list(
            "content_key",
            "state",
            "action",
            "presence",
            _as_text("catalog_uuid"),
            _as_text("content_updated_at"),
            _as_text("attempted_updated_at"),
            _as_text("next_attempt_at"),
            _as_text("due_since"),
            "deleted_at",
            "attempts",
            "halvings",
        )
        uuid_of, moment_of = functools.cache(UUID), functools.cache(_moment)  # Many rows share the same ones.
        for row in columns.iterator(10_000):
            key, state, action, presence, catalog, sent, tried, due, since, deleted, failures, halvings = row
            yield Record(
                key,
                _STATES[state],
                _ACTIONS[action],
                _PRESENCES[presence],
                uuid_of(catalog) if catalog else None,
                moment_of(sent),
                moment_of(tried),
                moment_of(due),
                deleted is not None,
                failures,
                halvings,
                moment_of(since),
            )


def _as_text(column: str) -> Cast:
    """Return a column of UUIDs or times as it is stored: to read it is most of a run that finds nothing to do.

    What driver and Django make of times and UUIDs takes them several times as long as the rest of the row.
    """
    return Cast(column, models.CharField())


def _moment(stored: str | None) -> datetime | None:
    """Return a time that the database gave as text; all of them are UTC."""
    return None if stored is None else datetime.fromisoformat(f"{stored}+00:00")


class FeedQuerySet(models.QuerySet["FeedItem"]):
    """Entries of feeds."""

    def to_serve(self, configuration: ChannelConfiguration) -> FeedQuerySet:
        """Only those that a configuration's LMS has not proven to have, the longest changed first."""
        return self.filter(configuration=configuration, is_confirmed=False).order_by("modified_at", "pk")

    def proven_by(
        self, configuration: ChannelConfiguration, *, since: datetime | None, by_any_poll: bool
    ) -> FeedQuerySet:
        """Only those that a poll which knows what there was until ``since`` proves to have arrived.

        A poller moves its ``since`` on only when a poll went well. So one that is later than that of the poll to which
        an entry was sent proves that poll, whatever the poller's clock says; the same one again proves nothing.

        Args:
            by_any_poll: whether any further poll proves the last one, for pollers that never say what they know.
        """
        served = self.filter(configuration=configuration, is_confirmed=False, served_at__isnull=False)
        if by_any_poll:
            return served
        if since is None:
            return served.none()
        return served.filter(Q(served_since=None) | Q(served_since__lt=since))


class AttemptQuerySet(models.QuerySet["TransmissionAttempt"]):
    """Attempts."""

    def in_flight(self, runs: Iterable[SyncRun]) -> AttemptQuerySet:
        """Only those of ``runs`` that were sent and whose answer was never recorded."""
        return self.filter(run__in=runs, outcome="")
