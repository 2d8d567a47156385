"""QuerySets: reads that the sync engine uses more than once. They can be chained."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import models
from django.db.models import Count, F, Min, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least

from enterprise_catalog.db.consistent_reads import consistent_read, stream_rows
from enterprise_catalog.db.content_keys import key_starts_with
from enterprise_catalog.integrated_channels.domain import Accounts, Action, History, Presence, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from django.db.models import Expression

    from enterprise_catalog.integrated_channels.models import (
        ChannelConfiguration,
        ContentMetadataItemTransmission,
        FeedItem,
        SyncRun,
        TransmissionAttempt,
    )

#: Value -> member; twice as fast as calling the enum.
_STATES: Final = {state.value: state for state in State}
_ACTIONS: Final = {action.value: action for action in Action}
_PRESENCES: Final = {presence.value: presence for presence in Presence}

_NOT_TRANSMITTED: Final = tuple(state for state in State if state is not State.TRANSMITTED)
_SETTLED: Final = (State.TRANSMITTED, State.DELETED)


class ConfigurationQuerySet(models.QuerySet["ChannelConfiguration"]):
    """Channel configurations."""

    def not_deleted(self) -> ConfigurationQuerySet:
        """Only configurations that are active, or that the API has not deleted."""
        return self.filter(Q(deleted_at=None) | Q(active=True))

    def deleted(self) -> ConfigurationQuerySet:
        """Only configurations that the API has deleted, and that are not active again."""
        return self.filter(deleted_at__isnull=False, active=False)

    def due(self, now: datetime) -> ConfigurationQuerySet:
        """Only active configurations whose next sync is due."""
        return self.filter(Q(next_sync_at=None) | Q(next_sync_at__lte=now), active=True)

    def make_due(self, now: datetime, *, at: Expression | None = None, **changes: object) -> int:
        """Make syncs due, also if a run is in progress; return the number of configurations.

        A sync that is due earlier stays so. A pause that the LMS needs is kept.

        Args:
            at: the time; ``None`` for now.
            changes: other columns.
        """
        pause = Coalesce("not_before", Value(now, output_field=models.DateTimeField()))
        earliest = Greatest(pause, at or Value(now, output_field=models.DateTimeField()))
        changes |= {"next_sync_at": Least("next_sync_at", earliest), "sync_requests": F("sync_requests") + 1}
        return self.update(**changes)

    def sync_at_once(self, now: datetime, **changes: object) -> int:
        """Make syncs due like :meth:`make_due`, and end the pauses that their LMSs need: a user asks for them."""
        return self.update(**changes, next_sync_at=now, not_before=None, sync_requests=F("sync_requests") + 1)


class TransmissionQuerySet(models.QuerySet["ContentMetadataItemTransmission"]):
    """Transmissions."""

    def of(self, configuration: ChannelConfiguration) -> TransmissionQuerySet:
        """Only transmissions of ``configuration``."""
        return self.filter(configuration=configuration)

    def with_keys(self, keys: Iterable[str]) -> TransmissionQuerySet:
        """Only transmissions with these content keys; at most 1,000 keys."""
        return self.filter(content_key__in=keys)

    def remote_ids_of(self, keys: Iterable[str]) -> dict[str, str]:
        """Return content key -> the LMS's own id, for rows that have one. Any number of keys."""
        remaining, found = iter(keys), dict[str, str]()
        while part := list(islice(remaining, 1_000)):
            found |= self.with_keys(part).exclude(remote_id="").values_list("content_key", "remote_id")
        return found

    def with_key_prefix(self, prefix: str) -> TransmissionQuerySet:
        """Only transmissions whose key starts with ``prefix``, compared exactly."""
        return self.filter(key_starts_with(prefix))

    def unsettled(self) -> TransmissionQuerySet:
        """Only transmissions whose state is neither transmitted nor deleted."""
        # The wanted states, not the exclusion of the others: an index finds them without reading all other rows.
        return self.filter(state__in=[state for state in State if state not in _SETTLED])

    def held(self) -> TransmissionQuerySet:
        """Only transmissions whose delete waits for a decision."""
        return self.filter(state=State.HELD)

    def sendable_again(self, *, also_transmitted: bool = False) -> TransmissionQuerySet:
        """Only failed transmissions, and if asked for, items that the LMS already has."""
        states = [State.RETRYING, State.REJECTED, State.DEAD_LETTER, *([State.TRANSMITTED] if also_transmitted else [])]
        return self.filter(state__in=states).exclude(state=State.TRANSMITTED, action=Action.DELETE)

    def kept(self) -> TransmissionQuerySet:
        """Only transmissions that left the catalogs and that an operator decided to keep."""
        return self.filter(state=State.KEPT)

    def earliest_attempt(self) -> datetime | None:
        """Return when the first failed item is due again; ``None`` if no item failed."""
        failed = self.filter(state__in=(State.RETRYING, State.REJECTED))
        earliest: datetime | None = failed.aggregate(earliest=Min("next_attempt_at"))["earliest"]
        return earliest

    def accounts(self) -> Accounts:
        """Return the numbers of due items, pending and failing, and since when the oldest is due."""
        failing = Q(state__in=(State.RETRYING, State.REJECTED, State.DEAD_LETTER))
        # All states: the index has the time after the state.
        due = self.filter(state__in=list(State), due_since__isnull=False)
        return Accounts(
            **due.aggregate(
                pending=Count("pk", filter=~failing),
                oldest_pending_since=Min("due_since", filter=~failing),
                failing=Count("pk", filter=failing),
                oldest_failing_since=Min("due_since", filter=failing),
            )
        )

    def history(self) -> History:
        """Return the records that planning needs.

        Settled items are read from an index alone. Both reads see the same state of the database. Otherwise a row that
        a user queues, or that a poll settles, between the reads would be in neither result. Its item would count as
        new.
        """
        # One index range for each state; the negation of the settled rows would read every row.
        others = self.filter(Q(state__in=_NOT_TRANSMITTED) | Q(state=State.TRANSMITTED, due_since__isnull=False))
        with consistent_read():
            return History(self._settled(), {record.content_key: record for record in _records(others)})

    def touched(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return content key -> record, for rows with these keys and for all rows that are not settled.

        One statement for up to 1,000 keys, and one for each further 1,000. Each of its parts reads an index range.
        """
        remaining = iter(keys)
        due = self.filter(state__in=_SETTLED, due_since__isnull=False)
        first = self.with_keys(list(islice(remaining, 1_000)))
        records = {record.content_key: record for record in _records(self.unsettled().union(due, first, all=True))}
        while part := list(islice(remaining, 1_000)):
            records |= {record.content_key: record for record in _records(self.with_keys(part))}
        # As ``history`` represents settled items.
        return {
            key: Record.of_settled(key, record.catalog_uuid, record.content_updated_at) if record.is_settled else record
            for key, record in records.items()
        }

    def _settled(self) -> Mapping[UUID | None, Mapping[str, str | None]]:
        """Return the versions of items that the LMS has and that are not due: catalog -> key -> version."""
        columns = self.filter(state=State.TRANSMITTED, due_since=None).values_list(
            "content_key", "catalog_uuid", "content_updated_at"
        )
        versions: dict[str | None, dict[str, str | None]] = defaultdict(dict)
        # As stored: converting times and UUIDs would take Django several times as long as the rest of the row.
        for rows in stream_rows(*columns.query.sql_with_params()):
            for key, catalog, version in rows:
                versions[catalog][key] = version
        return {UUID(catalog) if catalog else None: of_catalog for catalog, of_catalog in versions.items()}


def _records(transmissions: TransmissionQuerySet) -> Iterator[Record]:
    columns = transmissions.values_list(
        "content_key",
        "state",
        "action",
        "presence",
        "catalog_uuid",
        "content_updated_at",
        "attempted_updated_at",
        "next_attempt_at",
        "due_since",
        "deleted_at",
        "attempts",
        "split_level",
        "payload_hash",
    )
    for row in columns.iterator(10_000):
        key, state, action, presence, catalog, sent, tried, due, since, deleted, failures, split_level, digest = row
        yield Record(
            key,
            _STATES[state],
            _ACTIONS[action],
            _PRESENCES[presence],
            catalog,
            sent,
            tried,
            due,
            deleted is not None,
            failures,
            split_level,
            since,
            bool(digest),
        )


class FeedQuerySet(models.QuerySet["FeedItem"]):
    """Entries of feeds."""

    def to_serve(self, configuration: ChannelConfiguration) -> FeedQuerySet:
        """Only a configuration's entries that are not acknowledged, oldest change first."""
        return self.filter(configuration=configuration, is_confirmed=False).order_by("modified_at", "pk")

    def acknowledged_by(
        self, configuration: ChannelConfiguration, *, since: datetime | None, by_any_poll: bool
    ) -> FeedQuerySet:
        """Only the entries that a poll with this ``If-Modified-Since`` acknowledges.

        ``since`` acknowledges an entry if both conditions hold:

        * ``since`` is not older than the entry. This protects against requests from other clients.
        * ``since`` is later than the ``since`` of every poll that the entry was served to. This protects against a
          poller whose clock is ahead.

        A poller advances its ``since`` only after a successful poll, so a repeated value acknowledges nothing.

        Args:
            since: ``None`` acknowledges nothing, unless ``by_any_poll``.
            by_any_poll: any further poll acknowledges the last one; for pollers that never send the header.
        """
        served = self.filter(configuration=configuration, is_confirmed=False, served_at__isnull=False)
        if by_any_poll:
            return served
        if since is None:
            return served.none()
        return served.filter(served_since__lt=since, modified_at__lte=since)


class AttemptQuerySet(models.QuerySet["TransmissionAttempt"]):
    """Attempts."""

    def in_flight(self, runs: Iterable[SyncRun]) -> AttemptQuerySet:
        """Only attempts of ``runs`` without a recorded result."""
        return self.filter(run__in=runs, outcome="")
