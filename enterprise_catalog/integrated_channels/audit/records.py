"""Results to audit rows, in bulk: the number of statements depends on the number of chunks, not of items.

Functions with a ``lease`` renew it in the transaction in which they write. A run that lost its lease therefore writes
nothing more. docs/concepts/delivery.rst draws the state transitions of a row.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat, Left
from django.utils.translation import ngettext

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.audit.bulk import insert, upsert
from enterprise_catalog.integrated_channels.domain import Action, Exported, ItemResult, Outcome, Presence, State
from enterprise_catalog.integrated_channels.feed import entries as feed_entries
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    RunState,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.sync.plan import MAX_FAILURES, REJECTED_RETRY_SECONDS, retry_delay_seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.domain import Chunk, PlannedItem
    from enterprise_catalog.integrated_channels.querysets import TransmissionQuerySet

ROWS_PER_STATEMENT: Final = 1_000

#: After 10 splits, every item is sent in a call of its own.
_MOST_HALVINGS: Final = 10

Rows = dict[str, ContentMetadataItemTransmission]  #: By content key.
Attempts = dict[str, TransmissionAttempt]  #: By content key.


@dataclass(frozen=True, slots=True)
class Answered:
    """A chunk's rows and attempts with their results, ready to be written."""

    rows: Sequence[ContentMetadataItemTransmission]
    attempts: Sequence[TransmissionAttempt]  #: Items that needed no call have no attempt.
    feed: Sequence[FeedItem] = ()  #: Feed entries of a pull channel.


_ANSWER_COLUMNS: Final = ["finished_at", "outcome", "status_code", "vendor_code", "message"]
_FEED_COLUMNS: Final = ["payload", "modified_at", "served_at", "served_since", "is_confirmed"]
_CHANGING_COLUMNS: Final = [
    field.name
    for field in ContentMetadataItemTransmission._meta.concrete_fields
    if field.name not in {"id", "configuration", "content_key", "created_at"}
]


def settle_dead_runs(configuration: ChannelConfiguration, *, lease: Lease, now: datetime) -> int:
    """Mark dead runs as abandoned and their in-flight items as in doubt; return the number of items.

    Call this at the start of a run, before the new run's row is created, or at the end of a run that failed partway.
    """
    dead = list(SyncRun.objects.filter(configuration=configuration, state=RunState.RUNNING))
    if not dead:
        return 0
    with transaction.atomic():
        leases.renew(lease, now=now)
        in_flight = TransmissionAttempt.objects.in_flight(dead)
        reason = "Sent, but the run ended before the LMS responded."
        due_since = Coalesce("due_since", now)
        for action in Action:
            changes: dict[str, Any] = {
                "state": State.IN_DOUBT,
                "action": action,
                "reason": reason,
                "due_since": due_since,
                "next_attempt_at": None,
            }
            if action is Action.CREATE:
                # The item may be visible at the LMS again, so it must be deleted if it leaves the catalogs again.
                changes |= {"presence": Presence.UNKNOWN, "deleted_at": None}
            ids = list(in_flight.filter(action=action).values_list("transmission_id", flat=True))
            for part in _parts(ids):
                ContentMetadataItemTransmission.objects.filter(pk__in=part).update(**changes)
        # The dead runs may have sent items since the last complete run, so its ETag is no longer valid.
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(last_full_etag="")
        settled = in_flight.update(outcome=Outcome.IN_DOUBT, finished_at=now, message=reason)
        SyncRun.objects.filter(pk__in=[run.pk for run in dead]).update(
            state=RunState.ABANDONED, finished_at=now, reason="The worker stopped before the run ended."
        )
    return settled


def queue_again(transmissions: TransmissionQuerySet, *, by: str, now: datetime, also_transmitted: bool = False) -> int:
    """Queue failed items for the next run, without waiting for their retry delay; return the number of items.

    Safe during a run: if the run is about to record an item, the run's result replaces this change.

    Args:
        by: name of the user or command, for the rows' reason.
        also_transmitted: also queue items that the LMS already has, in case they were changed there.
    """
    states = [State.RETRYING, State.REJECTED, State.DEAD_LETTER, *([State.TRANSMITTED] if also_transmitted else [])]
    failed = transmissions.filter(state__in=states).exclude(state=State.TRANSMITTED, action=Action.DELETE)
    due_since = Coalesce("due_since", now)
    reason = Concat(Value(f"Queued again by {by}. Previous reason: "), Left("reason", MAX_MESSAGE_LENGTH // 2))
    changes = {"state": State.PENDING, "attempts": 0, "halvings": 0, "next_attempt_at": None}
    return failed.update(**changes, reason=reason, due_since=due_since)


def remove_old(*, before: datetime) -> int:
    """Delete attempts that started before a time, and older runs without attempts; return the number of rows.

    Each batch is a transaction of its own, so no sync waits long. Attempts without an outcome, running runs and the
    newest run of each configuration are kept.
    """
    newest = SyncRun.objects.filter(configuration=OuterRef("configuration")).order_by("-started_at", "-pk")
    old: list[QuerySet[TransmissionAttempt] | QuerySet[SyncRun]] = [
        TransmissionAttempt.objects.filter(started_at__lt=before).exclude(outcome=""),
        SyncRun.objects.filter(started_at__lt=before, attempts=None)
        .exclude(state=RunState.RUNNING)
        .exclude(pk=Subquery(newest.values("pk")[:1])),
    ]
    removed = 0
    for rows in old:
        while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS_PER_STATEMENT]):
            removed += rows.model._default_manager.filter(pk__in=ids).delete()[0]
    return removed


def start_run(configuration: ChannelConfiguration, *, now: datetime) -> SyncRun:
    """Create and return the row of a new run."""
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
                due_since=None,
                deleted_at=now,
            )


def hold(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that left the catalogs as waiting for approval.

    Rows that are already waiting do not change. Neither do rows that an operator has decided on since the plan was
    made.
    """
    reason = f"Left the catalogs. {held_reason(len(keys))}"
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            rows = ContentMetadataItemTransmission.objects.of(configuration).with_keys(part)
            rows.exclude(action=Action.DELETE).update(
                state=State.HELD, action=Action.DELETE, reason=reason, attempts=0, next_attempt_at=None, due_since=None
            )


def held_reason(deletes: int) -> str:
    """Return why ``deletes`` deletes wait for approval."""
    reason = ngettext(
        "%s delete exceeds this configuration's limit and is waiting for approval.",
        "%s deletes exceed this configuration's limit and are waiting for approval.",
        deletes,
    )
    return reason % f"{deletes:,}"


def release(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> set[str]:
    """Queue held deletes that no longer exceed the limit, like approved deletes; return their keys.

    These deletes have begun, and their items can no longer be kept. Items that an operator has kept since the plan was
    made do not change.
    """
    released: set[str] = set()
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            held = ContentMetadataItemTransmission.objects.of(configuration).with_keys(part).filter(state=State.HELD)
            released.update(held.select_for_update().values_list("content_key", flat=True))
            reason = "Left the catalogs. The deletes no longer exceed this configuration's limit."
            held.update(state=State.PENDING, reason=reason, due_since=now)
    return released


def take_back(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that were due, but match what the LMS already has, as transmitted."""
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            rows = ContentMetadataItemTransmission.objects.of(configuration).with_keys(part)
            reason = "Reverted to what the LMS already has; nothing was sent."
            rows.update(
                state=State.TRANSMITTED, action=Action.UPDATE, reason=reason, attempts=0, halvings=0, due_since=None
            )


def decide_deletes(configuration: ChannelConfiguration, *, approved: bool, by: str, now: datetime) -> int:
    """Approve the held deletes of a configuration for its next run, or keep the items; return the number of items.

    See :func:`decide_chosen_deletes`.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return decide_chosen_deletes(rows, approved=approved, by=by, now=now)


def decide_chosen_deletes(transmissions: TransmissionQuerySet, *, approved: bool, by: str, now: datetime) -> int:
    """Approve the held deletes among ``transmissions`` for the next run, or keep the items; return their number.

    Kept items can be approved later. Safe during a run.

    Args:
        by: name of the user or command, for the rows' reason.
    """
    undecided = transmissions.undecided(approved=approved)
    if approved:
        reason = f"Left the catalogs; its delete was approved by {by}."
        return undecided.update(state=State.PENDING, reason=reason, due_since=now)
    return undecided.update(state=State.KEPT, reason=f"Left the catalogs; kept by {by}.")


def note_planned(
    configuration: ChannelConfiguration, items: Collection[PlannedItem], *, lease: Lease, now: datetime
) -> None:
    """Create a row for each item that has none, so that operators see the items that are waiting to be sent."""
    new = [item for item in items if not item.is_known]
    for part in _parts(new):
        with transaction.atomic():
            leases.renew(lease, now=now)
            rows = [
                ContentMetadataItemTransmission(
                    configuration=configuration,
                    content_key=item.content_key,
                    catalog_uuid=item.catalog_uuid,
                    action=item.action,
                    reason=f"Planned: {item.reason}.",
                    due_since=now,
                    created_at=now,
                )
                for item in part
            ]
            insert(rows)


def note_left_over(
    configuration: ChannelConfiguration,
    items: Collection[PlannedItem],
    *,
    reason: str = "",
    lease: Lease,
    now: datetime,
) -> None:
    """Record that a run ended before these items were sent. The next run sends them first.

    Args:
        reason: text for the rows. Without it, only rows that existed before and were not yet due are written.
    """
    left = items if reason else [item for item in items if item.is_known and item.since is None]
    changes: dict[str, Any] = {"due_since": Coalesce("due_since", now)} | ({"reason": reason} if reason else {})
    for part in _parts([item.content_key for item in left]):
        with transaction.atomic():
            leases.renew(lease, now=now)
            ContentMetadataItemTransmission.objects.of(configuration).with_keys(part).update(**changes)


def adopt(configuration: ChannelConfiguration, remote_ids: Mapping[str, str], *, lease: Lease, now: datetime) -> int:
    """Record that the LMS already has items that were never sent; return their number. The next run updates them.

    Args:
        remote_ids: content key -> the LMS's own id.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    reason = "Found in the LMS and adopted. The next run updates it."
    for part in _parts(sorted(remote_ids)):
        with transaction.atomic():
            leases.renew(lease, now=now)
            known = set(rows.with_keys(part).values_list("content_key", flat=True))
            new = [
                ContentMetadataItemTransmission(configuration=configuration, content_key=key, created_at=now)
                for key in part
                if key not in known
            ]
            insert(new)
            found = list(rows.with_keys(part))
            for row in found:
                row.state, row.action, row.presence = State.PENDING, Action.UPDATE, Presence.PRESENT
                row.remote_id, row.reason, row.due_since = remote_ids[row.content_key], reason, row.due_since or now
                row.deleted_at = row.next_attempt_at = None
            upsert(found, columns=_CHANGING_COLUMNS)
            # The checkpoint of the last complete run does not include these items.
            ChannelConfiguration.objects.filter(pk=configuration.pk).update(last_full_etag="")
    return len(remote_ids)


def with_rows(
    configuration: ChannelConfiguration, chunks: Iterator[Chunk], *, size: int
) -> Iterator[tuple[Chunk, Rows]]:
    """Yield each chunk with its rows; one statement reads the rows of several chunks.

    Args:
        size: maximum number of items per chunk.
    """
    while group := list(islice(chunks, max(1, ROWS_PER_STATEMENT // size))):
        keys = [item.content_key for chunk in group for item in chunk.items]
        rows = {
            row.content_key: row for row in ContentMetadataItemTransmission.objects.of(configuration).with_keys(keys)
        }
        for chunk in group:
            yield chunk, {item.content_key: rows[item.content_key] for item in chunk.items}


def open_attempts(
    run: SyncRun,
    due: Iterable[tuple[Action, ContentMetadataItemTransmission]],
    exported: Mapping[str, Exported],
    *,
    answered: Answered | None = None,
    lease: Lease,
    now: datetime,
) -> Attempts:
    """Record the attempts before anything is sent; return them by content key.

    Args:
        due: the action and the row of each item.
        answered: results of the previous chunk, which are written in the same transaction.
    """
    attempts = [_attempt(run, action, row, exported.get(row.content_key, Exported()), now) for action, row in due]
    with transaction.atomic():
        leases.renew(lease, now=now)
        if answered is not None:
            _save_answered(answered, now=now)
        insert(attempts)
    if attempts and attempts[0].pk is None:  # MySQL.
        by_row = {attempt.transmission_id: attempt for attempt in TransmissionAttempt.objects.in_flight([run])}
        attempts = [by_row[attempt.transmission_id] for attempt in attempts]
    return {attempt.transmission.content_key: attempt for attempt in attempts}


def close_chunk(answered: Answered, *, lease: Lease, now: datetime) -> None:
    """Write the results of the last chunk."""
    with transaction.atomic():
        leases.renew(lease, now=now)
        _save_answered(answered, now=now)


def answer_chunk(
    chunk: Chunk,
    rows: Rows,
    attempts: Attempts,
    results: Mapping[str, ItemResult],
    exported: Mapping[str, Exported],
    *,
    feed: Sequence[FeedItem] = (),
    now: datetime,
) -> Answered:
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
        _set_task(row, item.action, known)
        row.halvings = min(row.halvings + result.halvings, _MOST_HALVINGS)
        _move(row, result, known, now)
        if result.may_have_been_created:
            # A rejected item may still exist. Moodle returns ``invalidresponse`` for items that it has created, and a
            # run may stop before it has sent the halves of a rejected call. An item that came back to the catalogs may
            # be visible again, so it no longer counts as deleted.
            row.presence, row.deleted_at = Presence.UNKNOWN, None
            if row.state == State.DELETED:
                row.state = State.PENDING
    return Answered([rows[item.content_key] for item in chunk.items], list(attempts.values()), feed)


def _save_answered(answered: Answered, *, now: datetime) -> None:
    """Write rows, attempts and feed entries, one statement per table. The caller opens the transaction."""
    for entry in answered.feed:  # Polls since it was prepared have not seen it.
        entry.modified_at = max(entry.modified_at, feed_entries.visible_from(now))
    upsert(answered.rows, columns=_CHANGING_COLUMNS)
    _save_answers(answered.attempts)
    upsert(answered.feed, columns=_FEED_COLUMNS, key="transmission")


def _save_answers(attempts: Sequence[TransmissionAttempt]) -> None:
    """Write the results of attempts. Takes half the time if all results are equal, as in most chunks."""
    answers = {tuple(getattr(attempt, column) for column in _ANSWER_COLUMNS) for attempt in attempts}
    if len(answers) == 1:
        same = TransmissionAttempt.objects.filter(pk__in=[attempt.pk for attempt in attempts])
        same.update(**dict(zip(_ANSWER_COLUMNS, answers.pop(), strict=True)))
    else:
        upsert(attempts, columns=_ANSWER_COLUMNS)


def _attempt(
    run: SyncRun, action: Action, row: ContentMetadataItemTransmission, exported: Exported, now: datetime
) -> TransmissionAttempt:
    return TransmissionAttempt(
        transmission=row,
        run=run,
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


def _set_task(row: ContentMetadataItemTransmission, action: Action, exported: Exported) -> None:
    """Set the row's action and version; reset the failure counts if either differs from the last attempt."""
    is_other_version = exported.updated_at not in (None, row.attempted_updated_at)
    if is_other_version or row.action != action:
        row.attempts = row.halvings = 0  # The earlier failures belong to another task.
    row.action = action
    row.content_title = exported.title[:255] or row.content_title
    row.attempted_updated_at = exported.updated_at or row.attempted_updated_at


def _move(row: ContentMetadataItemTransmission, result: ItemResult, exported: Exported, now: datetime) -> None:
    """Move ``row`` to the state that follows from the result of its action."""
    row.reason = result.message[:MAX_MESSAGE_LENGTH]
    row.remote_id = result.remote_id or row.remote_id
    match result.outcome:
        case Outcome.DONE if row.action == Action.DELETE:
            _settle(row, State.DELETED, Presence.ABSENT)
            row.deleted_at = row.remote_deleted_at = now
        case Outcome.DONE:
            _settle(row, State.TRANSMITTED, Presence.PRESENT)
            row.content_updated_at, row.payload_hash = exported.updated_at, exported.payload_hash
            row.remote_created_at, row.remote_updated_at = row.remote_created_at or now, now
            row.deleted_at = row.remote_deleted_at = None
        case Outcome.STAGED:
            row.state, row.payload_hash = State.STAGED, exported.payload_hash or row.payload_hash
            row.presence = row.presence if row.presence == Presence.PRESENT else Presence.UNKNOWN
            row.due_since, row.deleted_at = row.due_since or now, None
            row.attempts, row.next_attempt_at = 0, None
        case Outcome.UNCHANGED:
            _settle(row, State.TRANSMITTED, Presence.PRESENT)
            row.content_updated_at = exported.updated_at
        case Outcome.SKIPPED | Outcome.THROTTLED:
            # The item was not sent, so its state does not change. But a rejected call with several items may have been
            # applied before its halves were sent. So the LMS may no longer have the last payload.
            row.reason, row.payload_hash = f"Not sent: {result.message}"[:MAX_MESSAGE_LENGTH], ""
            row.due_since = row.due_since or now
        case Outcome.RETRY:
            _fail(row, State.RETRYING, result, now)
        case Outcome.REJECTED:
            _fail(row, State.REJECTED, result, now)
        case Outcome.GONE | Outcome.IN_DOUBT | Outcome.WITHDRAWN:
            raise AssertionError(f"{result.outcome} is not an outcome of a call")


def _settle(row: ContentMetadataItemTransmission, state: State, presence: Presence) -> None:
    row.state = state
    row.presence = presence
    row.attempts = row.halvings = 0
    row.next_attempt_at = row.due_since = None


def _fail(row: ContentMetadataItemTransmission, state: State, result: ItemResult, now: datetime) -> None:
    row.attempts += 1
    row.due_since = row.due_since or now
    row.state = state if row.attempts < MAX_FAILURES else State.DEAD_LETTER
    # An item that came back to the catalogs is no longer deleted, even if it could not be sent.
    row.deleted_at = None
    if row.state is State.DEAD_LETTER:
        row.next_attempt_at = None
        return
    jitter = random.random()  # noqa: S311  (spreads retries; nothing secret)
    if state is State.REJECTED:
        row.halvings = 0  # The LMS rejected this item alone.
        delay = REJECTED_RETRY_SECONDS * (1 - jitter / 4)
    else:
        delay = retry_delay_seconds(row.attempts, jitter=jitter, retry_after_seconds=result.retry_after_seconds)
    row.next_attempt_at = now + timedelta(seconds=delay)


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + ROWS_PER_STATEMENT] for start in range(0, len(values), ROWS_PER_STATEMENT))
