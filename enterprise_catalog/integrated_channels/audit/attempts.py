"""Attempts and results of chunks, in bulk: the number of statements depends on the number of chunks, not of items.

Functions with a ``lease`` renew it in the transaction in which they write. A run that lost its lease therefore writes
nothing more. docs/concepts/delivery.rst draws the state transitions of a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

from enterprise_catalog.db.row_updates import RowUpdate
from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, insert, update, upsert, upsert_values
from enterprise_catalog.integrated_channels.audit.transitions import MAX_SPLIT_LEVEL, apply_to_row, set_task
from enterprise_catalog.integrated_channels.domain import Action, Exported, ItemResult, Outcome, Presence, State
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    SyncRun,
    TransmissionAttempt,
    TransmissionPayload,
)
from enterprise_catalog.integrated_channels.models.payloads import keep_accepted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.domain import Chunk


Rows = dict[str, ContentMetadataItemTransmission]  #: By content key.
Attempts = dict[str, TransmissionAttempt]  #: By content key.


@dataclass(frozen=True, slots=True)
class ChunkResults:
    """A chunk's rows and attempts with their results, ready to be written."""

    rows: Sequence[ContentMetadataItemTransmission]
    attempts: Sequence[TransmissionAttempt]  #: Items that needed no call have no attempt.
    feed: Sequence[FeedItem] = ()  #: Feed entries of a pull channel.

    def split(self) -> tuple[list[RowUpdate], Self]:
        """Return the update of the attempts, to be joined with that of the lease, and the other results.

        Attempts with different results cannot be joined. They are then among the other results. Columns that stay empty
        are left out: with ``message``, MariaDB would write the temporary table of a joined update to disk.
        """
        results = [
            {name: value for name, empty in _UNFINISHED.items() if (value := getattr(attempt, name)) != empty}
            for attempt in self.attempts
        ]
        if not results or any(result != results[0] for result in results):
            return [], self
        keys = [attempt.pk for attempt in self.attempts]
        return [RowUpdate(TransmissionAttempt, {}, results[0], keys=keys)], replace(self, attempts=())


_RESULT_COLUMNS: Final = ["finished_at", "outcome", "status_code", "vendor_code", "message"]
#: Column of a result -> its value while the attempt is in flight.
_UNFINISHED: Final = {name: getattr(TransmissionAttempt(), name) for name in _RESULT_COLUMNS}
_PAYLOAD_COLUMNS: Final = ["transmission", "sent", "sent_hash", "sent_at"]
#: Each payload has up to 64 KB. MariaDB's default limit for a statement is 16 MB.
_PAYLOADS_PER_STATEMENT: Final = 200
_FEED_COLUMNS: Final = ["payload", "modified_at", "served_at", "served_since", "is_confirmed"]
#: Columns of a transmission row that a result or an adoption changes.
CHANGING_COLUMNS: Final = [
    field.name
    for field in ContentMetadataItemTransmission._meta.concrete_fields
    if field.name not in {"id", "configuration", "content_key", "created_at"} and not field.generated
]


def read_rows(
    configuration: ChannelConfiguration, chunks: Iterator[Chunk], *, size: int, known: Rows
) -> Iterator[tuple[Chunk, Rows]]:
    """Yield each chunk with its rows; one statement reads the rows of several chunks.

    Args:
        size: maximum number of items per chunk.
        known: rows that were just read. Used only for the first group of chunks: they may have changed before the next.
    """
    of_configuration = ContentMetadataItemTransmission.objects.of(configuration)
    while group := list(islice(chunks, max(1, ROWS_PER_STATEMENT // size))):
        keys = [item.content_key for chunk in group for item in chunk.items]
        unknown = [key for key in keys if key not in known]
        found = of_configuration.with_keys(unknown) if unknown else ()
        rows = {**known, **{row.content_key: row for row in found}}
        known = {}
        for chunk in group:
            yield chunk, {item.content_key: rows[item.content_key] for item in chunk.items}


def open_attempts(
    run: SyncRun,
    due: Sequence[tuple[Action, ContentMetadataItemTransmission]],
    exported: Mapping[str, Exported],
    *,
    previous: ChunkResults | None = None,
    lease: Lease,
    now: datetime,
) -> Attempts:
    """Record the attempts and their payloads before anything is sent; return the attempts by content key.

    Args:
        due: the action and the row of each item.
        previous: results of the previous chunk, which are written in the same transaction.
    """
    attempts = {
        row.content_key: _attempt(run, action, row, exported.get(row.content_key, Exported()), now)
        for action, row in due
    }
    joined, others = previous.split() if previous else ([], None)
    with leases.fenced(lease, *joined, now=now):
        if others is not None:
            write_results(others, now=now)
        insert([*attempts.values()])
        _store_payloads([row for action, row in due if action is not Action.DELETE], exported, now)
    if any(attempt.pk is None for attempt in attempts.values()):  # MySQL.
        keys = {row.pk: row.content_key for _, row in due}
        in_flight = TransmissionAttempt.objects.in_flight([run]).filter(transmission__in=keys)
        attempts = {keys[attempt.transmission_id]: attempt for attempt in in_flight}
    return attempts


def close_chunk(results: ChunkResults, *, lease: Lease, now: datetime) -> None:
    """Write the results of the last chunk."""
    joined, others = results.split()
    with leases.fenced(lease, *joined, now=now):
        write_results(others, now=now)


def apply_results(
    chunk: Chunk,
    rows: Rows,
    attempts: Attempts,
    results: Mapping[str, ItemResult],
    exported: Mapping[str, Exported],
    *,
    feed: Sequence[FeedItem] = (),
    now: datetime,
) -> ChunkResults:
    """Apply the results to the chunk's rows and attempts. Writes nothing to the database."""
    for item in chunk.items:
        key = item.content_key
        row = rows[key]
        result, known = results[key], exported.get(key, Exported())
        if result.outcome not in (Outcome.SKIPPED, Outcome.THROTTLED):  # Else the LMS has the old catalog's content.
            row.catalog_uuid = item.catalog_uuid or row.catalog_uuid
        if key in attempts:
            row.last_attempt_at = now
            _finish(attempts[key], result, now)
        set_task(row, item.action, known)
        row.split_level = min(row.split_level + result.splits, MAX_SPLIT_LEVEL)
        apply_to_row(row, result, known, now)
        if result.may_have_been_created:
            # A rejected item may still exist. Moodle returns ``invalidresponse`` for items that it has created, and a
            # run may stop before it has sent the halves of a rejected call. An item that came back to the catalogs may
            # be visible again, so it no longer counts as deleted.
            row.presence, row.deleted_at = Presence.UNKNOWN, None
            if row.state == State.DELETED:
                row.state = State.PENDING
    return ChunkResults([rows[item.content_key] for item in chunk.items], list(attempts.values()), feed)


def write_results(results: ChunkResults, *, now: datetime) -> None:
    """Write rows, attempts and feed entries, one statement per table. The caller opens a fenced transaction.

    Args:
        results: without the attempts if their update was joined with that of the lease.
    """
    for entry in results.feed:  # Polls since it was prepared have not seen it.
        entry.modified_at = max(entry.modified_at, FeedItem.visible_from(now))
    # Attempts before their items, in the order in which all writers lock them.
    update(results.attempts, columns=_RESULT_COLUMNS)
    update(results.rows, columns=CHANGING_COLUMNS)
    upsert(results.feed, columns=_FEED_COLUMNS, key="transmission")


def _store_payloads(
    rows: Sequence[ContentMetadataItemTransmission], exported: Mapping[str, Exported], now: datetime
) -> None:
    """Store the payloads that are about to be sent. Payloads that the LMS has accepted are kept next to them."""
    values = [(row.pk, sent.packed, sent.payload_hash, now) for row in rows if (sent := exported.get(row.content_key))]
    for start in range(0, len(values), _PAYLOADS_PER_STATEMENT):
        part = values[start : start + _PAYLOADS_PER_STATEMENT]
        upsert_values(TransmissionPayload, _PAYLOAD_COLUMNS, part, before=keep_accepted())


def _attempt(
    run: SyncRun, action: Action, row: ContentMetadataItemTransmission, exported: Exported, now: datetime
) -> TransmissionAttempt:
    # By id: Django checks an assigned row, which takes a third of the time for an attempt.
    return TransmissionAttempt(
        transmission_id=row.pk,
        run_id=run.pk,
        action=action,
        content_updated_at=exported.updated_at,
        payload_hash=exported.payload_hash,
        started_at=now,
    )


def _finish(attempt: TransmissionAttempt, result: ItemResult, now: datetime) -> None:
    attempt.finished_at = now
    attempt.outcome = result.outcome
    attempt.status_code = result.status_code
    attempt.vendor_code = result.vendor_code[:100]
    attempt.message = result.message[:MAX_MESSAGE_LENGTH]
