"""Outcomes -> audit rows, in bulk: the number of statements depends on chunks, not on items.

Every function that writes renews the run's lease in the same transaction, so that a run that was taken over writes
nothing more. The moves of a row are those of docs/concepts/delivery.rst.
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

from enterprise_catalog.integrated_channels import leases, staging
from enterprise_catalog.integrated_channels.bulk import insert, upsert
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    RunState,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.planning import MAX_FAILURES, REJECTED_RETRY_SECONDS, retry_delay_seconds
from enterprise_catalog.integrated_channels.types import Action, Exported, ItemResult, Outcome, Presence, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from enterprise_catalog.integrated_channels.leases import Lease
    from enterprise_catalog.integrated_channels.querysets import TransmissionQuerySet
    from enterprise_catalog.integrated_channels.types import Chunk, PlannedItem

ROWS_PER_STATEMENT: Final = 1_000

#: After so many everybody is alone.
_MOST_HALVINGS: Final = 10

Rows = dict[str, ContentMetadataItemTransmission]  #: By content key.
Attempts = dict[str, TransmissionAttempt]  #: By content key.


@dataclass(frozen=True, slots=True)
class Answered:
    """A chunk's rows and attempts, as they are to be written now that it is known what became of each item."""

    rows: Sequence[ContentMetadataItemTransmission]
    attempts: Sequence[TransmissionAttempt]  #: None of items that needed no call.
    feed: Sequence[FeedItem] = ()  #: What a channel that is pulled says of them.


_ANSWER_COLUMNS: Final = ["finished_at", "outcome", "status_code", "vendor_code", "message"]
_FEED_COLUMNS: Final = ["payload", "modified_at", "served_at", "served_since", "is_confirmed"]
_CHANGING_COLUMNS: Final = [
    field.name
    for field in ContentMetadataItemTransmission._meta.concrete_fields  # noqa: SLF001  (Django's documented API)
    if field.name not in {"id", "configuration", "content_key", "created_at"}
]


def settle_dead_runs(configuration: ChannelConfiguration, *, lease: Lease, now: datetime) -> int:
    """End the configuration's runs whose workers died; what they had in flight is in doubt. Return how many items.

    Call it at the start of a run, before the new run's row is made; or at the end of one that failed in its midst.
    """
    dead = list(SyncRun.objects.filter(configuration=configuration, state=RunState.RUNNING))
    if not dead:
        return 0
    with transaction.atomic():
        leases.renew(lease, now=now)
        in_flight = TransmissionAttempt.objects.in_flight(dead)
        reason = "Sent by a run that ended before it heard the answer."
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
                # An item that came back and may be shown again is theirs, and has to be deleted if it leaves once more.
                changes |= {"presence": Presence.UNKNOWN, "deleted_at": None}
            ids = list(in_flight.filter(action=action).values_list("transmission_id", flat=True))
            for part in _parts(ids):
                ContentMetadataItemTransmission.objects.filter(pk__in=part).update(**changes)
        # It may have sent what the ETag of the last complete run knows nothing of.
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(last_full_etag="")
        settled = in_flight.update(outcome=Outcome.IN_DOUBT, finished_at=now, message=reason)
        SyncRun.objects.filter(pk__in=[run.pk for run in dead]).update(
            state=RunState.ABANDONED, finished_at=now, reason="Its worker ended before the run did."
        )
    return settled


def queue_again(transmissions: TransmissionQuerySet, *, by: str, now: datetime, also_transmitted: bool = False) -> int:
    """Let failed items be sent with the next run, whatever their rest; return how many.

    Safe beside a run: an item that it is about to record is recorded as what became of it.

    Args:
        by: who says so, for the rows' reason.
        also_transmitted: those, too, that the learning system has already: somebody may have changed them there.
    """
    states = [State.RETRYING, State.REJECTED, State.DEAD_LETTER, *([State.TRANSMITTED] if also_transmitted else [])]
    failed = transmissions.filter(state__in=states).exclude(state=State.TRANSMITTED, action=Action.DELETE)
    due_since = Coalesce("due_since", now)
    reason = Concat(Value(f"Queued again by {by}; before: "), Left("reason", MAX_MESSAGE_LENGTH // 2))
    changes = {"state": State.PENDING, "attempts": 0, "halvings": 0, "next_attempt_at": None}
    return failed.update(**changes, reason=reason, due_since=due_since)


def remove_old(*, before: datetime) -> int:
    """Remove attempts that started before a time, and the runs of that time that have none left; return how many rows.

    In portions, each its own transaction, so that no sync waits for long. What has no outcome yet stays, and so does
    the newest run of each configuration.
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
            removed += rows.model._default_manager.filter(pk__in=ids).delete()[0]  # noqa: SLF001  (Django's documented API)
    return removed


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
                due_since=None,
                deleted_at=now,
            )


def hold(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that left the catalogs as waiting for approval.

    Those that wait already stay as they are, and so do those that somebody has decided on since the plan was made.
    """
    reason = f"Left the catalogs with {len(keys) - 1:,} others, which is more than one run may delete unasked."
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            rows = ContentMetadataItemTransmission.objects.of(configuration).with_keys(part)
            rows.exclude(action=Action.DELETE).update(
                state=State.HELD, action=Action.DELETE, reason=reason, attempts=0, next_attempt_at=None, due_since=None
            )


def release(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> set[str]:
    """Let deletes that were held wait for their turn, as those do that were approved; return the keys of these.

    From now on they have begun, and nobody can keep the items. What somebody has kept since the plan was made is left
    alone.
    """
    released: set[str] = set()
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            held = ContentMetadataItemTransmission.objects.of(configuration).with_keys(part).filter(state=State.HELD)
            released.update(held.select_for_update().values_list("content_key", flat=True))
            reason = "Left the catalogs with others that are no longer too many."
            held.update(state=State.PENDING, reason=reason, due_since=now)
    return released


def take_back(configuration: ChannelConfiguration, keys: Sequence[str], *, lease: Lease, now: datetime) -> None:
    """Mark items that were due, and are again as the LMS has them, as what they are: transmitted."""
    for part in _parts(keys):
        with transaction.atomic():
            leases.renew(lease, now=now)
            rows = ContentMetadataItemTransmission.objects.of(configuration).with_keys(part)
            reason = "Became again what the learning system has before anything was sent."
            rows.update(
                state=State.TRANSMITTED, action=Action.UPDATE, reason=reason, attempts=0, halvings=0, due_since=None
            )


def decide_deletes(configuration: ChannelConfiguration, *, approved: bool, by: str, now: datetime) -> int:
    """Approve the held deletes of a configuration for its next run, or keep the items; return their number.

    See :func:`decide_chosen_deletes`.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return decide_chosen_deletes(rows, approved=approved, by=by, now=now)


def decide_chosen_deletes(transmissions: TransmissionQuerySet, *, approved: bool, by: str, now: datetime) -> int:
    """Approve the held deletes among ``transmissions`` for the next run, or keep the items; return their number.

    Kept items can be approved later. Safe during a run.

    Args:
        by: the user's name, for the rows' reason.
    """
    undecided = transmissions.undecided(approved=approved)
    if approved:
        reason = f"Left the catalogs; its delete was approved by {by}."
        return undecided.update(state=State.PENDING, reason=reason, due_since=now)
    return undecided.update(state=State.KEPT, reason=f"Left the catalogs; kept by {by}.")


def note_planned(
    configuration: ChannelConfiguration, items: Collection[PlannedItem], *, lease: Lease, now: datetime
) -> None:
    """Make a row for each item that has none, so that people see what waits to be sent."""
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
    """Note that a run ended before it was these items' turn, so that they come first in the next one.

    Args:
        reason: why, for the rows; without one only those are written that were not noted before.
    """
    left = items if reason else [item for item in items if item.is_known and item.since is None]
    changes: dict[str, Any] = {"due_since": Coalesce("due_since", now)} | ({"reason": reason} if reason else {})
    for part in _parts([item.content_key for item in left]):
        with transaction.atomic():
            leases.renew(lease, now=now)
            ContentMetadataItemTransmission.objects.of(configuration).with_keys(part).update(**changes)


def adopt(configuration: ChannelConfiguration, remote_ids: Mapping[str, str], *, lease: Lease, now: datetime) -> int:
    """Note of items that were never sent that the LMS has them; return how many. The next run updates them.

    Args:
        remote_ids: content key -> the LMS's own id.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    reason = "Found in the learning system, and taken over."
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
            # What the last complete run remembers knows nothing of them.
            ChannelConfiguration.objects.filter(pk=configuration.pk).update(last_full_etag="")
    return len(remote_ids)


def with_rows(
    configuration: ChannelConfiguration, chunks: Iterator[Chunk], *, size: int
) -> Iterator[tuple[Chunk, Rows]]:
    """Yield each of ``chunks`` with its rows, which are read for as many chunks at a time as one statement may name.

    Args:
        size: the most items of a chunk.
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
    """Record, before anything is sent, what is about to be; return the attempts.

    Args:
        due: what is to be done, and the row of the item that it is done to.
        answered: the chunk before, which is recorded in the same transaction.
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
    """Record what became of a chunk that no other one follows."""
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
    """Note what became of each of the chunk's items, in its row and in its attempt; nothing is written yet."""
    for item in chunk.items:
        key = item.content_key
        row = rows[key]
        result, known = results[key], exported.get(key, Exported())
        if result.outcome not in (Outcome.SKIPPED, Outcome.THROTTLED):  # Else the LMS has what another catalog gave.
            row.catalog_uuid = item.catalog_uuid or row.catalog_uuid
        if key in attempts:
            row.last_attempt_at = now
            _finish(attempts[key], result, now)
        _set_task(row, item.action, known)
        row.halvings = min(row.halvings + result.halvings, _MOST_HALVINGS)
        _move(row, result, known, now)
        if result.may_have_been_created:
            # Moodle, for one, refuses with ``invalidresponse`` what it has made; and a run may stop before the halves
            # of what was refused had their turn. One that came back may be shown again, and is theirs.
            row.presence, row.deleted_at = Presence.UNKNOWN, None
            if row.state == State.DELETED:
                row.state = State.PENDING
    return Answered([rows[item.content_key] for item in chunk.items], list(attempts.values()), feed)


def _save_answered(answered: Answered, *, now: datetime) -> None:
    """Write all, in one statement for each kind; the transaction is the caller's."""
    for entry in answered.feed:  # Prepared long ago, perhaps: polls that began since have not seen it.
        entry.modified_at = max(entry.modified_at, staging.visible_from(now))
    upsert(answered.rows, columns=_CHANGING_COLUMNS)
    _save_answers(answered.attempts)
    upsert(answered.feed, columns=_FEED_COLUMNS, key="transmission")


def _save_answers(attempts: Sequence[TransmissionAttempt]) -> None:
    """Write what became of attempts: that of most chunks is the same for all, and then takes half the time to write."""
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
    """Say in ``row`` what was to be done; what was to be done before, and failed, counts no more if it was another."""
    is_other_version = exported.updated_at not in (None, row.attempted_updated_at)
    if is_other_version or row.action != action:
        row.attempts = row.halvings = 0  # What failed was something else.
    row.action = action
    row.content_title = exported.title[:255] or row.content_title
    row.attempted_updated_at = exported.updated_at or row.attempted_updated_at


def _move(row: ContentMetadataItemTransmission, result: ItemResult, exported: Exported, now: datetime) -> None:
    """Move ``row`` to the state that ``result`` of its action leads to."""
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
            # It did not get its turn, and stays what it was. But a call with others that was refused may have been
            # carried out, before its halves got theirs: that the LMS shows the last payload is not known any more.
            row.reason, row.payload_hash = f"Not sent: {result.message}"[:MAX_MESSAGE_LENGTH], ""
            row.due_since = row.due_since or now
        case Outcome.RETRY:
            _fail(row, State.RETRYING, result, now)
        case Outcome.REJECTED:
            _fail(row, State.REJECTED, result, now)
        case Outcome.GONE | Outcome.IN_DOUBT | Outcome.WITHDRAWN:
            raise AssertionError(f"{result.outcome} is no outcome of a call")


def _settle(row: ContentMetadataItemTransmission, state: State, presence: Presence) -> None:
    row.state = state
    row.presence = presence
    row.attempts = row.halvings = 0
    row.next_attempt_at = row.due_since = None


def _fail(row: ContentMetadataItemTransmission, state: State, result: ItemResult, now: datetime) -> None:
    row.attempts += 1
    row.due_since = row.due_since or now
    row.state = state if row.attempts < MAX_FAILURES else State.DEAD_LETTER
    # An item that came back to the catalogs is theirs again, whether or not it could be sent.
    row.deleted_at = None
    if row.state is State.DEAD_LETTER:
        row.next_attempt_at = None
        return
    jitter = random.random()  # noqa: S311  (spreads retries; nothing secret)
    if state is State.REJECTED:
        row.halvings = 0  # It was refused by itself.
        delay = REJECTED_RETRY_SECONDS * (1 - jitter / 4)
    else:
        delay = retry_delay_seconds(row.attempts, jitter=jitter, retry_after_seconds=result.retry_after_seconds)
    row.next_attempt_at = now + timedelta(seconds=delay)


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + ROWS_PER_STATEMENT] for start in range(0, len(values), ROWS_PER_STATEMENT))
