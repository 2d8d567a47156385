"""Compares the catalogs, our rows and the LMS.

Pure functions without database or HTTP. They return problems as sentences; an empty list means that all is equal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime


class Item(NamedTuple):
    """One item in a catalog."""

    updated_at: str
    title: str
    enrollment_url: str
    description: str


#: Timestamps in this format sort in chronological order.
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"

Catalogs: TypeAlias = "Mapping[str, Mapping[str, Item]]"  #: By catalog UUID, then by content key.

#: Earlier content of the catalogs: (catalog UUID, key, ``updated_at``) -> the item.
History: TypeAlias = "dict[tuple[str, str, str], Item]"


class Course(NamedTuple):
    """One course in the LMS, with the fields that a sync sets."""

    id: str
    key: str
    texts: tuple[str, ...]
    is_offered: bool


#: Content key and item -> the texts of the item's course.
TextsOf: TypeAlias = "Callable[[str, Item], tuple[str, ...]]"


def as_text(moment: datetime | None) -> str:
    """Return a UTC time as text; empty for ``None``."""
    return f"{moment:{TIME_FORMAT}}" if moment else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A transmission row, with its last attempt."""

    key: str
    state: str
    presence: str
    remote_id: str
    has_deleted_at: bool
    catalog: str
    version: str  #: ``content_updated_at``; empty if the LMS never had it.
    last_action: str | None  #: ``None`` if there was no attempt.
    last_outcome: str | None  #: Empty if no response was recorded.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedState:
    """The state of one configuration in our tables."""

    rows: Sequence[Row]
    attempts_in_flight: int  #: Attempts sent, without an outcome.
    runs_by_state: Mapping[str, int]
    runs_without_end: int  #: Runs without ``finished_at``.
    program_errors: Sequence[str]  #: Reasons of runs that ended with an error in the program.
    newest_run: str  #: State of the newest run; empty before the first run.
    newest_run_began_at: str
    newest_run_ended_at: str  #: Empty if it is still running.
    newest_run_in_flight: int  #: Attempts of the newest run without an outcome.
    lease_is_held: bool

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the recorded state from the JSON object that the worker process sent."""
        return cls(**{**fields, "rows": [Row(**row) for row in fields["rows"]]})

    def had_live_run(self, *, at: str, since: str) -> bool:
        """Return True if a run was active at the time ``at``, and started after ``since``."""
        return since < self.newest_run_began_at < at and (not self.newest_run_ended_at or at < self.newest_run_ended_at)


def differences(rows: Sequence[Row], courses: Sequence[Course], catalogs: Catalogs, texts_of: TextsOf) -> list[str]:
    """Return the differences between ``catalogs``, the rows and the LMS, including courses in no catalog."""
    wanted = {key for items in catalogs.values() for key in items}
    by_key = {course.key: course for course in courses}
    faults = []
    for row in rows:
        if row.key in wanted:
            faults += _faults_of_wanted(row, by_key.get(row.key), catalogs, texts_of)
        else:
            faults += _faults_of_unwanted(row, by_key.get(row.key))
    known = {row.key for row in rows}
    faults += [f"{key!r} is in the catalogs and has no row" for key in sorted(wanted - known)]
    faults += [f"{key!r} is at the LMS and has no row" for key in sorted(by_key.keys() - known)]
    return faults


def _faults_of_wanted(row: Row, course: Course | None, catalogs: Catalogs, texts_of: TextsOf) -> list[str]:
    item = catalogs.get(row.catalog, {}).get(row.key)
    if item is None:
        return [f"{row} names a catalog that does not have it"]
    actual = (row.state, row.presence, row.has_deleted_at, row.version)
    faults = (
        [] if actual == ("transmitted", "present", False, item.updated_at) else [f"{row} is not settled, for {item}"]
    )
    to_be = Course(row.remote_id, row.key, texts_of(row.key, item), is_offered=True)
    return faults if course == to_be else [*faults, f"{course} is not {to_be}"]


def _faults_of_unwanted(row: Row, course: Course | None) -> list[str]:
    actual = (row.state, row.presence, row.has_deleted_at)
    faults = [] if actual == ("deleted", "absent", True) else [f"{row} is not settled, though no catalog has it"]
    if course is None:
        return faults
    if course.is_offered:
        faults.append(f"{course} is offered, though no catalog has it")
    if course.id != row.remote_id:
        faults.append(f"{course} is not the one of {row}")
    return faults


def loose_ends(recorded: RecordedState) -> list[str]:
    """Return anything that dead runs left open: attempts, runs and the lease."""
    running = recorded.runs_by_state.get("running", 0)
    ends = {
        "attempts have no outcome": recorded.attempts_in_flight,
        "runs are still running": running,
        "runs have no end": recorded.runs_without_end,
        "lease is held": int(recorded.lease_is_held),
    }
    return [f"{number} {what}" for what, number in ends.items() if number]


def twins(courses: Iterable[Course]) -> list[str]:
    """Return the keys for which the LMS has more than one course."""
    return [f"{number} courses of {key!r}" for key, number in Counter(c.key for c in courses).items() if number > 1]


def false_claims(rows: Iterable[Row], courses: Iterable[Course], history: History, texts_of: TextsOf) -> list[str]:
    """Return the rows that contradict the LMS, or the outcome of their last attempt.

    Valid whenever no run is active, even after kills. Skips rows with an attempt in flight: their state is unknown.
    """
    by_id = {course.id: course for course in courses}
    known = [row for row in rows if row.last_outcome != ""]
    return [fault for row in known for fault in _false_claims_of(row, by_id, history, texts_of)]


def _false_claims_of(row: Row, by_id: Mapping[str, Course], history: History, texts_of: TextsOf) -> Iterator[str]:
    course = by_id.get(row.remote_id)
    if row.state == "transmitted":
        texts = texts_of(row.key, history[row.catalog, row.key, row.version])
        to_be = Course(row.remote_id, row.key, texts, is_offered=True)
        if course != to_be:
            yield f"{row}, but {course} is not {to_be}"
    if row.state == "deleted" and course is not None and course.is_offered:
        yield f"{row}, but {course} is offered"
    follows = {
        "done": "deleted" if row.last_action == "delete" else "transmitted",
        "retry": "retrying",
        "in_doubt": "in_doubt",
    }
    # The look-up failed before a create started. Then the item left the catalogs and was withdrawn without an attempt.
    withdrawn = (row.state, row.last_action, row.last_outcome) == ("deleted", "create", "retry")
    if row.last_outcome in follows and not withdrawn and row.state != follows[row.last_outcome]:
        yield f"{row} is not {follows[row.last_outcome]}, as its last attempt would have it"
