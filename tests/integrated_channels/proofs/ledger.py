"""What the catalogs hold, what our rows say and what a learning system has, and whether these three agree.

No database and no HTTP here: values in, faults as sentences out. An empty list is what a proof wants to see.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime


class Item(NamedTuple):
    """What a catalog holds of one key."""

    updated_at: str
    title: str
    enrollment_url: str
    description: str


#: Of all moments here; texts of this format compare as the moments do.
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"

Catalogs: TypeAlias = "Mapping[str, Mapping[str, Item]]"  #: By UUID, then by key.

#: What a catalog held at some time: (catalog UUID, key, ``updated_at``) -> the item.
History: TypeAlias = "dict[tuple[str, str, str], Item]"


class Course(NamedTuple):
    """What a learning system has of one course, as far as a sync decides it."""

    id: str
    key: str
    texts: tuple[str, ...]
    is_offered: bool


#: Key and item -> all texts of the course that stands for the item.
TextsOf: TypeAlias = "Callable[[str, Item], tuple[str, ...]]"


def as_text(moment: datetime | None) -> str:
    """Return a moment of UTC as text; no moment is empty."""
    return f"{moment:{TIME_FORMAT}}" if moment else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A transmission row, with the last of its attempts."""

    key: str
    state: str
    presence: str
    remote_id: str
    has_deleted_at: bool
    catalog: str
    version: str  #: ``content_updated_at``; empty if the LMS never held it.
    last_action: str | None  #: ``None`` if it was never attempted.
    last_outcome: str | None  #: Empty if the answer was never recorded.


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What our tables say of one configuration."""

    rows: Sequence[Row]
    attempts_in_flight: int  #: Sent, without an outcome.
    runs_by_state: Mapping[str, int]
    runs_without_end: int  #: Without a time at which they ended.
    program_errors: Sequence[str]  #: The reasons of runs that ended by an error in the program.
    newest_run: str  #: Its state; empty before the first.
    newest_run_began_at: str
    newest_run_ended_at: str  #: Empty if it has not.
    newest_run_in_flight: int  #: Its attempts without an outcome.
    lease_is_held: bool

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return what the workshop told."""
        return cls(**{**fields, "rows": [Row(**row) for row in fields["rows"]]})

    def had_live_run(self, *, at: str, since: str) -> bool:
        """Return whether a run was alive at a moment, if it began after another one."""
        return since < self.newest_run_began_at < at and (not self.newest_run_ended_at or at < self.newest_run_ended_at)


def differences(rows: Sequence[Row], courses: Sequence[Course], catalogs: Catalogs, texts_of: TextsOf) -> list[str]:
    """Return how the LMS and the rows differ from the union of ``catalogs``, courses that nobody wants included."""
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
    told = (row.state, row.presence, row.has_deleted_at, row.version)
    faults = [] if told == ("transmitted", "present", False, item.updated_at) else [f"{row} is not settled, for {item}"]
    to_be = Course(row.remote_id, row.key, texts_of(row.key, item), is_offered=True)
    return faults if course == to_be else [*faults, f"{course} is not {to_be}"]


def _faults_of_unwanted(row: Row, course: Course | None) -> list[str]:
    told = (row.state, row.presence, row.has_deleted_at)
    faults = [] if told == ("deleted", "absent", True) else [f"{row} is not settled, though no catalog has it"]
    if course is None:
        return faults
    if course.is_offered:
        faults.append(f"{course} is offered, though no catalog has it")
    if course.id != row.remote_id:
        faults.append(f"{course} is not the one of {row}")
    return faults


def loose_ends(ledger: Ledger) -> list[str]:
    """Return what dead runs have left open."""
    running = ledger.runs_by_state.get("running", 0)
    ends = {
        "attempts have no outcome": ledger.attempts_in_flight,
        "runs are still running": running,
        "runs have no end": ledger.runs_without_end,
        "lease is held": int(ledger.lease_is_held),
    }
    return [f"{number} {what}" for what, number in ends.items() if number]


def twins(courses: Iterable[Course]) -> list[str]:
    """Return which keys the LMS has several courses of."""
    return [f"{number} courses of {key!r}" for key, number in Counter(c.key for c in courses).items() if number > 1]


def false_claims(rows: Iterable[Row], courses: Iterable[Course], history: History, texts_of: TextsOf) -> list[str]:
    """Return which rows say of the LMS what is not so, or are not what the last of their attempts has made them.

    At any moment at which no run is alive, whatever died: only of a row with an attempt in flight nothing is known.
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
    # Its look-up failed, so that no create was begun; then it left the catalogs, and was withdrawn without an attempt.
    withdrawn = (row.state, row.last_action, row.last_outcome) == ("deleted", "create", "retry")
    if row.last_outcome in follows and not withdrawn and row.state != follows[row.last_outcome]:
        yield f"{row} is not {follows[row.last_outcome]}, as its last attempt would have it"
