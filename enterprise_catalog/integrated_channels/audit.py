"""Outcomes -> audit rows, in bulk: the number of statements depends on chunks, not on items.

Every function that writes renews the run's lease in the same transaction, so that a run that was taken over writes
nothing more. The moves of a row are those of docs/concepts/delivery.rst.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction

from enterprise_catalog.integrated_channels import leases
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ContentMetadataItemTransmission,
    RunState,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.planning import REJECTED_RETRY_SECONDS, retry_delay_seconds
from enterprise_catalog.integrated_channels.types import Action, ItemResult, Outcome, Presence, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from django.db.models import Model

    from enterprise_catalog.integrated_channels.leases import Lease
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.types import Chunk, PlannedItem

ROWS_PER_STATEMENT: Final = 1_000

Rows = dict[str, ContentMetadataItemTransmission]  #: By content key.
Attempts = dict[str, TransmissionAttempt]  #: By content key.

_CHANGING_COLUMNS: Final = [
    field.name
    for field in ContentMetadataItemTransmission._meta.concrete_fields  # noqa: SLF001  (Django's documented API)
    if field.name not in {"id", "configuration", "content_key", "created_at"}
]


def settle_dead_runs(configuration: ChannelConfiguration, *, lease: Lease, now: datetime) -> int:
    """End the configuration's runs whose workers died, and mark what they had in flight as in doubt; return how many items.

    Call it at the start of a run, before the new run's row is made.
    """
    dead = list(SyncRun.objects.filter(configuration=configuration, state=RunState.RUNNING))
    if not dead:
        return 0
    with transaction.atomic():
        leases.renew(lease, now=now)
        in_flight = TransmissionAttempt.objects.in_flight(dead)
        reason = "Sent by a run that ended before it heard the answer."
        for action in Action:
            changes: dict[str, Any] = {"state": State.IN_DOUBT, "action": action, "reason": reason}
            if action is Action.CREATE:
                changes["presence"] = Presence.UNKNOWN
            ids = list(in_flight.filter(action=action).values_list("transmission_id", flat=True))
            for part in _parts(ids):
                ContentMetadataItemTransmission.objects.filter(pk__in=part).update(**changes)
        settled = in_flight.update(outcome=Outcome.IN_DOUBT, finished_at=now, message=reason)
        SyncRun.objects.filter(pk__in=[run.pk for run in dead]).update(
            state=RunState.ABANDONED, finished_at=now, reason="Its worker ended before the run did."
        )
    return settled


def start_run(configuration: ChannelConfiguration, *, now: datetime) -> SyncRun:
    """Return a new run's row."""
    return SyncRun.objects.create(configuration=configuration, started_at=now)


def withdraw(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that left the catalogs before they were ever sent as deleted."""
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            ContentMetadataItemTransmission.objects.of(configuration).with_keys(part).update(
                state=State.DELETED,
                action=Action.DELETE,
                reason="Left the catalogs before it was sent.",
                next_attempt_at=None,
                deleted_at=now,
            )


def note_planned(
    configuration: ChannelConfiguration, items: Collection[PlannedItem], *, lease: Lease, now: datetime
) -> None:
    """Make a row for each item that has none, so that people see what waits to be sent."""
    new = [item for item in items if not item.is_known]
    for part in _parts(new):
        with transaction.atomic():
            leases.renew(lease, now=now)
            ContentMetadataItemTransmission.objects.bulk_create(
                ContentMetadataItemTransmission(
                    configuration=configuration,
                    content_key=item.content_key,
                    catalog_uuid=item.catalog_uuid,
                    action=item.action,
                    reason=f"Planned: {item.reason}.",
                    created_at=now,
                )
                for item in part
            )


def rows_of(configuration: ChannelConfiguration, chunk: Chunk) -> Rows:
    """Return the chunk's rows."""
    keys = [item.content_key for item in chunk.items]
    found = ContentMetadataItemTransmission.objects.of(configuration).with_keys(keys)
    return {row.content_key: row for row in found}


def open_attempts(  # noqa: PLR0913  (each is a column)
    run: SyncRun,
    action: Action,
    rows: Iterable[ContentMetadataItemTransmission],
    *,
    versions: Mapping[str, datetime],
    hashes: Mapping[str, str],
    lease: Lease,
    now: datetime,
) -> Attempts:
    """Record, before anything is sent, that each of ``rows`` is about to be; return the attempts.

    Args:
        versions, hashes: of what is about to be sent, by content key; deletes have neither.
    """
    attempts = [
        TransmissionAttempt(
            transmission=row,
            run=run,
            action=action,
            content_updated_at=versions.get(row.content_key),
            payload_hash=hashes.get(row.content_key, ""),
            started_at=now,
        )
        for row in rows
    ]
    with transaction.atomic():
        leases.renew(lease, now=now)
        created = TransmissionAttempt.objects.bulk_create(attempts)
    if created and created[0].pk is None:  # MySQL, unlike MariaDB and SQLite, does not return a bulk insert's ids.
        by_row = {attempt.transmission_id: attempt for attempt in TransmissionAttempt.objects.in_flight([run])}
        created = [by_row[attempt.transmission_id] for attempt in created]
    return {attempt.transmission.content_key: attempt for attempt in created}


def close_chunk(  # noqa: PLR0913  (what a chunk is made of)
    chunk: Chunk,
    rows: Rows,
    attempts: Attempts,
    results: Mapping[str, ItemResult],
    *,
    versions: Mapping[str, datetime],
    hashes: Mapping[str, str],
    titles: Mapping[str, str],
    lease: Lease,
    now: datetime,
) -> None:
    """Record what became of each of the chunk's items, in its row and in its attempt."""
    for item in chunk.items:
        row, result = rows[item.content_key], results[item.content_key]
        row.catalog_uuid = item.catalog_uuid or row.catalog_uuid
        row.content_title = titles.get(item.content_key, row.content_title)[:255]
        if item.content_key in attempts:
            row.last_attempt_at = now
            _finish(attempts[item.content_key], result, now)
        version = versions.get(item.content_key)
        _move(row, chunk.action, result, version=version, digest=hashes.get(item.content_key), now=now)
    with transaction.atomic():
        leases.renew(lease, now=now)
        _save_all(ContentMetadataItemTransmission, list(rows.values()), _CHANGING_COLUMNS)
        if attempts:
            columns = ["finished_at", "outcome", "status_code", "vendor_code", "message"]
            _save_all(TransmissionAttempt, list(attempts.values()), columns)


def _finish(attempt: TransmissionAttempt, result: ItemResult, now: datetime) -> None:
    attempt.finished_at = now
    attempt.outcome = result.outcome
    attempt.status_code = result.status_code
    attempt.vendor_code = result.vendor_code[:100]
    attempt.message = result.message[:MAX_MESSAGE_LENGTH]


def _move(
    row: ContentMetadataItemTransmission,
    action: Action,
    result: ItemResult,
    *,
    version: datetime | None,
    digest: str | None,
    now: datetime,
) -> None:
    """Move ``row`` to the state that ``result`` of ``action`` leads to."""
    row.action = action
    row.attempted_updated_at = version or row.attempted_updated_at
    row.reason = result.message[:MAX_MESSAGE_LENGTH]
    row.remote_id = result.remote_id or row.remote_id
    match result.outcome:
        case Outcome.DONE if action is Action.DELETE:
            _settled(row, State.DELETED, Presence.ABSENT)
            row.deleted_at = row.remote_deleted_at = now
        case Outcome.DONE:
            _settled(row, State.TRANSMITTED, Presence.PRESENT)
            row.content_updated_at, row.payload_hash = version, digest or ""
            row.remote_created_at, row.remote_updated_at = row.remote_created_at or now, now
            row.deleted_at = row.remote_deleted_at = None
        case Outcome.UNCHANGED:
            _settled(row, State.TRANSMITTED, Presence.PRESENT)
            row.content_updated_at = version
        case Outcome.SKIPPED:
            pass  # It was not its turn; it stays what it was, but says why.
        case Outcome.RETRY:
            _failed(row, State.RETRYING, action, now, result.retry_after_seconds)
        case Outcome.REJECTED:
            _failed(row, State.REJECTED, action, now, None)
        case Outcome.GONE | Outcome.IN_DOUBT | Outcome.WITHDRAWN:
            raise AssertionError(f"{result.outcome} is no outcome of a call")


def _settled(row: ContentMetadataItemTransmission, state: State, presence: Presence) -> None:
    row.state = state
    row.presence = presence
    row.attempts = 0
    row.next_attempt_at = None


def _failed(
    row: ContentMetadataItemTransmission,
    state: State,
    action: Action,
    now: datetime,
    retry_after_seconds: float | None,
) -> None:
    row.state = state
    row.attempts += 1
    # An item that came back to the catalogs is theirs again, whether or not we could send it.
    row.deleted_at = None
    if action is Action.CREATE and state is State.RETRYING:
        row.presence = Presence.UNKNOWN
    jitter = random.random()  # noqa: S311  (spreads retries; nothing secret)
    if state is State.REJECTED:
        delay = REJECTED_RETRY_SECONDS * (1 - jitter / 4)
    else:
        delay = retry_delay_seconds(row.attempts, jitter=jitter, retry_after_seconds=retry_after_seconds)
    row.next_attempt_at = now + timedelta(seconds=delay)


def _save_all(model: type[Model], rows: Sequence[Model], columns: Sequence[str]) -> None:
    """Write ``columns`` of rows that exist, in one statement: an upsert by primary key, where bulk_update would be a
    CASE per row and column.
    """
    on_target = connection.features.supports_update_conflicts_with_target
    model._default_manager.bulk_create(  # noqa: SLF001  (Django's documented API)
        rows, update_conflicts=True, update_fields=columns, unique_fields=["id"] if on_target else None
    )


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + ROWS_PER_STATEMENT] for start in range(0, len(values), ROWS_PER_STATEMENT))
