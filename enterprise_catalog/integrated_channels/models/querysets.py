"""QuerySets: reads that the sync engine uses more than once. They can be chained."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
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

#: As ``Record.is_planned``.
_PLANNED: Final = Q(
    state=State.PENDING,
    action=Action.CREATE,
    presence=Presence.ABSENT,
    attempts=0,
    split_level=0,
    catalog_uuid__isnull=False,
    due_since__isnull=False,
    content_updated_at__isnull=True,
    attempted_updated_at__isnull=True,
    next_attempt_at__isnull=True,
    deleted_at__isnull=True,
)
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


@dataclass(frozen=True, slots=True)
class TouchedRows:
    """Rows of items that changed or are not settled, by content key."""

    records: dict[str, Record]  #: As :meth:`TransmissionQuerySet.history` represents them.
    rows: dict[str, ContentMetadataItemTransmission]  #: Of items that are not settled, and of up to 1,000 others.
    postponed: int = 0  #: Number of further items that are only planned.


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

    def touched(self, keys: Iterable[str]) -> TouchedRows:
        """Return the rows with these keys, and all rows that are not settled.

        One statement for up to 1,000 keys, and one for each further 1,000. Each of its parts reads an index range.
        """
        remaining = iter(keys)
        first = self.with_keys(list(islice(remaining, 1_000)))
        rows = {row.content_key: row for row in self.unsettled().union(self._due_again(), first, all=True)}
        records = [row.as_record() for row in rows.values()]
        records += self._records_with(remaining)
        return TouchedRows(_by_key(records), rows)

    def touched_in_part(self, keys: Iterable[str], *, planned: int, others: int) -> TouchedRows | None:
        """Return the rows like :meth:`touched`, but of items that are only planned, those that have waited longest.

        Planned items are those of ``Record.is_planned``. Their rows are settled by runs alone, in this order. The cost
        of a run of a large first sync therefore follows the number of items that it sends.

        Args:
            planned: maximum number of planned items.
            others: maximum number of other items that are not settled.

        Returns:
            ``None`` if there are more of the others.
        """
        remaining = iter(keys)
        first = list(islice(remaining, 1_000))
        unplanned = self.unsettled().exclude(_PLANNED).union(self._due_again(), self.with_keys(first), all=True)
        with consistent_read():
            pending = self.filter(state=State.PENDING).count()
            records = list(_records(unplanned, limit=others + len(first) + 1))
            if len(records) > others + len(first):
                return None
            records += [*_records(self.planned(), limit=planned), *self._records_with(remaining)]
        found = _by_key(records)
        number = sum(record.state is State.PENDING for record in found.values())
        return TouchedRows(found, {}, postponed=pending - number)

    def planned(self) -> TransmissionQuerySet:
        """Only transmissions of items that are planned, as in ``Record.is_planned``; longest waiting first."""
        return self.filter(_PLANNED).order_by("due_since", "content_key")

    def _due_again(self) -> TransmissionQuerySet:
        """Only transmissions that were settled, and are due."""
        return self.filter(state__in=_SETTLED, due_since__isnull=False)

    def _records_with(self, keys: Iterator[str]) -> Iterator[Record]:
        """Yield the records of rows with these keys; one statement for each 1,000 keys."""
        while part := list(islice(keys, 1_000)):
            yield from _records(self.with_keys(part))

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


def _by_key(records: Iterable[Record]) -> dict[str, Record]:
    return {record.content_key: record.as_in_history() for record in records}


def _records(transmissions: TransmissionQuerySet, *, limit: int | None = None) -> Iterator[Record]:
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
    for row in columns[:limit].iterator(10_000):
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
