"""Invariants of our records, of the LMS and of each run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from enterprise_catalog.integrated_channels.audit.transitions import MAX_FAILURES
from enterprise_catalog.integrated_channels.domain import Action, Outcome, Presence, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    RunState,
    Status,
    SyncRun,
    TransmissionAttempt,
)
from tests.integrated_channels.resilience.model.catalogs import ALL_KEYS, fullname
from tests.integrated_channels.resilience.model.occurrences import note

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tests.integrated_channels.resilience.model.simulation import Simulation
    from tests.integrated_channels.resilience.model.watched_moodle import Shown

Row = ContentMetadataItemTransmission

#: Rows in any other state wait for something and have a reason.
_SETTLED: Final = (State.TRANSMITTED, State.DELETED)
_NOT_DUE: Final = (*_SETTLED, State.HELD, State.KEPT)
_WITH_NEXT_ATTEMPT: Final = (State.RETRYING, State.REJECTED)
#: Items that a run may leave although it ends complete, with exceptions.
_EXCEPTIONS: Final = (State.REJECTED, State.KEPT)


@dataclass(frozen=True)
class Before:
    """The state before a run, as far as the checks need it."""

    configuration: ChannelConfiguration
    rows: Mapping[str, Row]  #: By content key.
    in_flight: Collection[str]  #: Keys sent by a dead run, without an outcome.
    newest_run: int
    books: int  #: Index into the catalogs' history when the run started.
    hidden: int  #: Number of courses that we had asked to hide.
    at_the_lms: Collection[str]  #: Keys of all courses, including hidden courses.

    @classmethod
    def read(cls, simulation: Simulation, configuration: ChannelConfiguration) -> Before:
        """Return the current state."""
        newest = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first()
        history, moodle = simulation.catalogs.history, simulation.moodle
        rows = {row.content_key: row for row in Row.objects.all()}
        keys = set(moodle.keys()).difference(moodle.table.tampered)
        return cls(configuration, rows, _in_flight(), newest or 0, len(history) - 1, len(moodle.hidden), keys)

    @property
    def present(self) -> int:
        """Number of items at the LMS according to our records."""
        there = {key for key, row in self.rows.items() if row.deleted_at is None and row.presence != Presence.ABSENT}
        return len(there.union(self.in_flight))


def check_request(action: Action, keys: Sequence[str]) -> None:
    """Check that each change requested from the LMS has a committed attempt of an active run."""
    attempts = TransmissionAttempt.objects.filter(
        outcome="", run__state=RunState.RUNNING, transmission__content_key__in=keys
    )
    found = attempts.values_list("transmission__content_key", "action")
    # A create may become an update, and an update a create.
    recorded = {key for key, recorded in found if (recorded == Action.DELETE) == (action is Action.DELETE)}
    assert recorded.issuperset(keys), f"asked to {action} {keys} without an attempt"


def check_run(simulation: Simulation, before: Before, run: SyncRun | None) -> None:
    """Check the results of a run and the records after it.

    Args:
        run: the finished run; ``None`` if its worker died.
    """
    now = ChannelConfiguration.objects.select_related("lease", "status").get(pk=before.configuration.pk)
    rows = list(Row.objects.all())
    runs = list(SyncRun.objects.filter(Q(pk__gt=before.newest_run) | Q(state=RunState.RUNNING)).order_by("pk"))
    _note_what_it_did(before, run, rows)
    _check_records(simulation, rows)
    assert sum(each.state == RunState.RUNNING for each in runs) <= 1
    has_successor = sum(each.pk > before.newest_run for each in runs) > 1 and (run is None or runs[-1].pk > run.pk)
    if run is not None and run.state != RunState.ABANDONED:
        _check_end(now, run)
        _check_status(now.status, run, rows)
    if run is not None and run.state in (RunState.COMPLETE, RunState.COMPLETE_EXCEPT):
        exceptions = {row.content_key for row in rows if row.state in _EXCEPTIONS}
        assert bool(exceptions) == (run.state == RunState.COMPLETE_EXCEPT) or has_successor
        _check_complete(simulation, before, exceptions)
        assert now.last_full_sync_at == run.finished_at
    elif not has_successor:
        assert now.last_full_sync_at == before.configuration.last_full_sync_at
    if not has_successor:
        _check_deletes(simulation, before, rows)
    simulation.operators.approved.intersection_update(row.content_key for row in rows if row.action == Action.DELETE)


def _check_records(simulation: Simulation, rows: Sequence[Row]) -> None:
    assert {row.pk for row in rows} >= simulation.seen_rows, "a row was removed"
    simulation.seen_rows.update(row.pk for row in rows)
    in_flight, shown = _in_flight(), simulation.moodle.shown
    assert set(in_flight.values()) <= {RunState.RUNNING}, "a run ended and left an attempt without an outcome"
    for row in rows:
        _check_row(row)
        if row.content_key not in in_flight and row.content_key not in simulation.moodle.table.tampered:
            _check_against_lms(simulation, row, shown.get(row.content_key))
    _check_courses(simulation, {row.content_key for row in rows})


def _check_row(row: Row) -> None:
    assert (row.state == State.DELETED) == (row.deleted_at is not None), f"{row}: {row.state}, {row.deleted_at}"
    assert row.reason or row.state in _SETTLED, f"{row} is {row.state} and does not say why"
    assert row.due_since is not None or row.state in _NOT_DUE, f"{row} is {row.state} and does not say since when"
    assert (row.next_attempt_at is not None) == (row.state in _WITH_NEXT_ATTEMPT), f"{row}: {row.next_attempt_at}"
    assert row.attempts < MAX_FAILURES or row.state != State.RETRYING, f"{row} failed {row.attempts} times"


def _check_against_lms(simulation: Simulation, row: Row, shown: Shown | None) -> None:
    """Check a row's presence and title against the LMS.

    A skipped item is due and without a hash: a larger call with it may have been applied although it was rejected.
    Until the next run sends the item, learners may see a later title, or no course if it was to be deleted.
    """
    if row.presence == Presence.ABSENT:
        assert shown is None, f"{row} is said to be absent, and learners see {shown}"
    if row.state == State.TRANSMITTED:
        title = simulation.catalogs.title_at(row.content_key, row.content_updated_at)
        assert title is not None
        is_certain = row.due_since is None or row.payload_hash
        if shown is None and row.action == Action.DELETE and not is_certain:
            note("a skipped delete was applied")
            return
        assert shown is not None, f"{row} is said to be there, and learners do not see it"
        later = () if is_certain else simulation.catalogs.titles_after(row.content_key, row.content_updated_at)
        assert shown.fullname in {fullname(each) for each in (title, *later)}, (
            f"{row} is said to be {title}, and learners see {shown}"
        )


def _check_courses(simulation: Simulation, known: Collection[str]) -> None:
    """Check that no key has two courses, and that every course has a row or was changed by hand."""
    keys = simulation.moodle.keys()
    assert len(keys) == len(set(keys)), keys
    unknown = set(keys).difference(known, simulation.moodle.table.tampered)
    assert not unknown, f"we know nothing of {unknown}"


def _check_end(now: ChannelConfiguration, run: SyncRun) -> None:
    """Check that a finished run released its lease and scheduled the next run in time."""
    assert now.lease.expires_at is None
    assert run.finished_at is not None
    assert now.next_sync_at is not None
    wait = now.next_sync_at - run.finished_at
    is_throttled = any(Outcome.THROTTLED in outcomes for outcomes in run.counts.values())
    longest = timedelta(days=7) if is_throttled else timedelta(minutes=now.sync_interval_minutes)
    assert timedelta(0) <= wait <= longest, wait


def _check_status(status: ConfigurationStatus, run: SyncRun, rows: Sequence[Row]) -> None:
    """Check that the status agrees with the run's result and counts the rows as they are."""
    numbers = Counter(row.state for row in rows)
    counted = {State.RETRYING: status.failing, State.REJECTED: status.rejected, State.DEAD_LETTER: status.dead}
    counted |= {State.HELD: status.held, State.KEPT: status.kept}
    assert counted == {state: numbers[state] for state in counted}
    due = {row.state for row in rows if row.state == State.TRANSMITTED and row.due_since is not None}
    unsettled = due | {row.state for row in rows if row.state not in _SETTLED}
    if status.state == Status.UP_TO_DATE:
        assert (run.state, unsettled) == (RunState.COMPLETE, set())
    if status.state == Status.UP_TO_DATE_EXCEPT:
        assert unsettled
        assert unsettled.issubset(_EXCEPTIONS)
    if status.state == Status.NEEDS_DECISION:
        assert unsettled & {State.HELD, State.DEAD_LETTER}
    note(f"status {status.state}")


def _check_complete(simulation: Simulation, before: Before, exceptions: Collection[str]) -> None:
    """Check that the LMS equals the catalogs, except for ``exceptions``.

    An item that changed during the run may match any version of that time. A course that was changed by hand may have
    any content, as long as our records are consistent.
    """
    history = simulation.catalogs.history[before.books :]
    desired = [books.desired(before.configuration.catalog_uuids) for books in history]
    shown = simulation.moodle.shown
    for key in {*ALL_KEYS, *shown}.difference(exceptions):
        right = {items.get(key) for items in desired}
        believed = simulation.moodle.table.tampered.get(key, set())
        assert right & ({shown.get(key)} | believed), f"{key} should be {right} and is {shown.get(key)}"


def _check_deletes(simulation: Simulation, before: Before, rows: Sequence[Row]) -> None:
    """Check that each delete that a run began was approved, or was within the limit.

    A delete begins when it is sent, or when the run releases it because the deletes no longer exceed the limit.
    """
    hidden = set(simulation.moodle.hidden[before.hidden :])
    kept = [key for key in hidden if before.rows[key].state == State.KEPT]
    assert not kept, f"deleted {kept}, which an operator had kept"
    released = {row.content_key for row in rows if _has_begun(row) and _is_held(before.rows.get(row.content_key))}
    limit = before.configuration
    attempts = TransmissionAttempt.objects.filter(run__lte=before.newest_run, transmission__content_key__in=hidden)
    sent = dict(attempts.order_by("pk").values_list("transmission__content_key", "action"))
    begun = {key for key, row in before.rows.items() if _has_begun(row) or sent.get(key) == Action.DELETE}
    fresh = (hidden | released) - simulation.operators.approved - begun
    is_many = len(fresh) > limit.delete_limit_items or len(fresh) * 2 > before.present
    is_large_share = len(fresh) * 100 > limit.delete_limit_percent * before.present
    assert not (is_many and is_large_share), f"deleted {fresh} of {before.present} without approval"


def _is_held(row: Row | None) -> bool:
    return row is not None and row.state == State.HELD


def _has_begun(row: Row) -> bool:
    """Return True if a run has released the row's delete, or an operator has approved it."""
    return (row.action, row.state) == (Action.DELETE, State.PENDING)


def _in_flight() -> dict[str, str]:
    """Return content keys of attempts without an outcome -> state of their run."""
    attempts = TransmissionAttempt.objects.filter(outcome="")
    return dict(attempts.values_list("transmission__content_key", "run__state"))


def _note_what_it_did(before: Before, run: SyncRun | None, rows: Sequence[Row]) -> None:
    note(f"run {run.state}" if run else "run died")
    if run is not None and run.comparison:
        note(f"compared: {run.comparison}")
    for action, outcomes in (run.counts if run else {}).items():
        for outcome in outcomes:
            note(f"{action} {outcome}")
    for row in rows:
        earlier = before.rows.get(row.content_key)
        was = earlier.state if earlier else "new"
        if was != row.state:
            note(f"{was} -> {row.state}")
        if was != row.state == State.DEAD_LETTER:
            note("a dead letter")
        if run is not None and row.content_key in before.in_flight:
            note("settled what was in doubt")
        was_there = earlier is not None and earlier.presence == Presence.PRESENT
        if row.presence == Presence.PRESENT and not was_there and row.content_key in before.at_the_lms:
            note("shown again" if earlier is not None and earlier.deleted_at else "adopted")
