"""The sync engine's reads that are used more than once. They chain, and their names are those of the question."""

from __future__ import annotations

import functools
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import models
from django.db.models import Count, Func, Min, Q
from django.db.models.functions import Cast

from enterprise_catalog.content_keys import key_starts_with
from enterprise_catalog.integrated_channels.types import Accounts, Action, History, Presence, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

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

_NOT_TRANSMITTED: Final = tuple(state for state in State if state is not State.TRANSMITTED)


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

    def history(self) -> History:
        """Return what planning needs of these.

        What is settled is read from an index alone, and before the rest: a row that somebody queues in between is in
        both, and never in none.
        """
        settled = self._settled()
        # Two ranges of indexes; the opposite of what is settled would be looked for in every row.
        others = self.filter(Q(state__in=_NOT_TRANSMITTED) | Q(due_since__isnull=False))
        return History(settled, {record.content_key: record for record in _records(others)})

    def _settled(self) -> Mapping[UUID | None, Mapping[str, datetime | None]]:
        """Return the versions of those that the LMS holds and of which nothing is due: catalog -> key -> version."""
        rows = self.filter(state=State.TRANSMITTED, due_since=None)
        columns = rows.values_list("content_key", _stored_uuid("catalog_uuid"), _StoredMoment("content_updated_at"))
        moment_of = functools.cache(_moment)  # Many rows share the same ones.
        versions: dict[str | None, dict[str, datetime | None]] = defaultdict(dict)
        for key, catalog, version in columns.iterator(10_000):
            versions[catalog][key] = moment_of(version)
        return {UUID(catalog) if catalog else None: of_catalog for catalog, of_catalog in versions.items()}


class _StoredMoment(Func):
    """A time as text, with the zone that all of them have: ``2026-11-24 18:00:00.123456Z``.

    What driver and Django make of times and UUIDs takes them several times as long as the rest of the row, and to read
    rows is most of a run that finds nothing to do.
    """

    template = "CONCAT(CAST(%(expressions)s AS CHAR), 'Z')"
    output_field = models.CharField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s || 'Z')", **context)


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)


def _stored_uuid(column: str) -> Cast:
    return Cast(column, models.CharField())


def _records(transmissions: TransmissionQuerySet) -> Iterator[Record]:
    columns = transmissions.values_list(
        "content_key",
        "state",
        "action",
        "presence",
        _stored_uuid("catalog_uuid"),
        _StoredMoment("content_updated_at"),
        _StoredMoment("attempted_updated_at"),
        _StoredMoment("next_attempt_at"),
        _StoredMoment("due_since"),
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
