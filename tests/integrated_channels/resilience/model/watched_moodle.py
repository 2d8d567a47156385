"""A Moodle sandbox that records our requests and manual changes to its courses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from enterprise_catalog.integrated_channels.domain import Action
from enterprise_catalog.sandbox.faults import FaultKind, FaultQueue
from enterprise_catalog.sandbox.moodle.courses import Course, CourseTable
from enterprise_catalog.sandbox.moodle.php_forms import read_parameters
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.integrated_channels.resilience.model.occurrences import note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug import Request

    from enterprise_catalog.sandbox.application import Operation
    from enterprise_catalog.sandbox.faults import Fault
    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray

CREATE = "core_course_create_courses"
UPDATE = "core_course_update_courses"
FIND = "core_course_get_courses_by_field"
LOGIN = "login/token.php"

_SLUG = re.compile(r'href="https://learn\.example\.org/([^/"]+)/course/')


#: Statuses and errors that prove that a request was not carried out: a redirect, a refused token or permission, no web
#: service, too many calls, a transaction that was rolled back.
STATUSES: Final = frozenset({303, 401, 403, 404, 429})
ERRORS: Final = ("invalidtoken", "dmlwriteexception")


class Shown(NamedTuple):
    """The fields of a course that learners see and that differ between versions in the model."""

    fullname: str
    slug: str  #: Customer slug in the enrollment URL.


class _Table(CourseTable):
    """Courses, and the keys of courses that were changed by hand."""

    def __init__(self) -> None:
        self.tampered: dict[str, set[Shown | None]] = {}
        super().__init__()

    def add(self, course: Course) -> Course:
        if self.tampered.pop(course.idnumber, None):
            note("made again")
        return super().add(course)

    def change(self, course: Course) -> None:
        super().change(course)
        self.tampered.pop(course.idnumber, None)


class _Faults(FaultQueue):
    """A fault queue that counts the faults that strike.

    Args:
        not_carried_out: called when a response proves that the request was not carried out.
    """

    def __init__(self, not_carried_out: Callable[[], None]) -> None:
        super().__init__()
        self._not_carried_out = not_carried_out

    def take(self, operation: str) -> Fault | None:
        fault = super().take(operation)
        if fault is not None:
            note(f"fault: {fault.kind}")
            was_refused = fault.status in STATUSES or any(error in fault.body for error in ERRORS)
            if fault.kind is FaultKind.ANSWER and was_refused:
                self._not_carried_out()
        return fault


@dataclass(kw_only=True, eq=False)
class WatchedMoodle(MoodleSandbox):
    """A Moodle that calls ``asked`` with the action and the course keys before each change."""

    asked: Callable[[Action, Sequence[str]], None] = field(repr=False)
    table: _Table = field(init=False, default_factory=_Table)
    hidden: list[str] = field(init=False, default_factory=list)  #: Keys that we asked to hide, in order.
    #: Keys of courses created by hand: a run may request a create although the course exists.
    manual_keys: set[str] = field(init=False, default_factory=set)
    _created: set[str] = field(init=False, default_factory=set)  #: Keys created by the current run.
    _requested: set[str] = field(init=False, default_factory=set)  #: Keys that only the last request creates.

    def __post_init__(self) -> None:
        self.faults = _Faults(self._forget_request)

    @property
    def shown(self) -> dict[str, Shown]:
        """Content key -> course that learners see."""
        return {course.idnumber: _shown(course) for course in self.table.all() if course.visible and course.idnumber}

    def keys(self) -> list[str]:
        """Return the key of every course that has one, in order of course ID; includes hidden courses."""
        return [course.idnumber for course in self.table.all() if course.idnumber]

    def is_blocked(self, key: str) -> bool:
        """Return True if Moodle considers the key equal to the different key of an existing course."""
        keys = [course.idnumber for course in self.table.with_idnumber(key)]
        return bool(keys) and key not in keys

    def route(self, request: Request) -> Operation:
        operation = super().route(request)
        self._requested = set()
        if operation.name == CREATE:
            courses = _courses(request)
            keys = [str(course["idnumber"]) for course in courses]
            twice = set(keys).intersection(self.keys()) - self.manual_keys
            assert not twice, f"a second course is asked for: {twice}"
            # Moodle rejects a call as a whole: for a wrong category, or for an ID number that a course has.
            is_right = all(int(str(course["categoryid"])) in self.category_ids for course in courses)
            if is_right and not any(self.table.with_idnumber(key) for key in keys):
                self._requested = {*keys} - self._created
                self._created |= self._requested
            self.asked(Action.CREATE, keys)
        elif operation.name == UPDATE:
            self._watch_update(_courses(request))
        return operation

    def tamper(self, key: str, *, believed: Shown | None, **fields: object) -> None:
        """Change the course ``key`` by hand; without ``fields``, delete it.

        Args:
            believed: the course according to our records, which do not notice the change.
        """
        [course] = [course for course in self.table.all() if course.idnumber == key]
        known = self.table.tampered.get(key, set()) | {believed, _shown(course) if course.visible else None}
        if fields:
            self.table.change(replace(course, **fields))  # type: ignore[arg-type]  # fields of Course
        else:
            self.table.remove(course.id)
        self.table.tampered[key] = known

    def make_by_hand(self, key: str) -> None:
        """Create a course by hand with one of our keys. Our records may still contain a course with that key."""
        known = self.table.tampered.pop(key, set()) | {None}
        self.table.add(Course(shortname=f"By hand {key}", fullname="By hand", categoryid=1, idnumber=key))
        self.table.tampered[key] = known
        self.manual_keys.add(key)

    def end_run(self) -> None:
        """Forget the keys that the run has created: the next run must look a course up before it creates it."""
        self.manual_keys -= self._created
        self._created.clear()

    def _forget_request(self) -> None:
        """Forget the keys of a create that was not carried out: the next run may request it again."""
        self._created -= self._requested

    def _watch_update(self, courses: Sequence[PHPArray]) -> None:
        keys: dict[Action, list[str]] = {Action.UPDATE: [], Action.DELETE: []}
        for fields in courses:
            course = self.table.get(int(str(fields["id"])))
            if course is not None:
                keys[Action.DELETE if str(fields["visible"]) == "0" else Action.UPDATE].append(course.idnumber)
        for action, some in keys.items():
            self.asked(action, some)
        self.hidden += keys[Action.DELETE]


def _courses(request: Request) -> Sequence[PHPArray]:
    courses = read_parameters(request, max_input_vars=1_000)["courses"]
    assert isinstance(courses, dict)
    return [course for course in courses.values() if isinstance(course, dict)]


def _shown(course: Course) -> Shown:
    slug = _SLUG.search(course.summary)
    return Shown(course.fullname, slug[1] if slug else "")
