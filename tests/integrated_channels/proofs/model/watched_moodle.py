"""A Moodle that notices what it is asked for, and what somebody else does in it behind our back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from enterprise_catalog.integrated_channels.types import Action
from enterprise_catalog.sandbox.faults import FaultQueue
from enterprise_catalog.sandbox.moodle import MoodleSandbox
from enterprise_catalog.sandbox.moodle_courses import Course, CourseTable
from enterprise_catalog.sandbox.php_forms import read_parameters
from tests.integrated_channels.proofs.model.occurrences import note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug import Request

    from enterprise_catalog.sandbox.application import Operation
    from enterprise_catalog.sandbox.faults import Fault
    from enterprise_catalog.sandbox.php_forms import PHPArray

CREATE = "core_course_create_courses"
UPDATE = "core_course_update_courses"
FIND = "core_course_get_courses_by_field"
LOGIN = "login/token.php"

_SLUG = re.compile(r'href="https://learn\.example\.org/([^/"]+)/course/')


class Shown(NamedTuple):
    """What learners see of a course, as far as the model tells one version from another."""

    fullname: str
    slug: str  #: Of the customer, in the address where learners enrol.


class _Table(CourseTable):
    """The courses, and which of them look otherwise than we left them."""

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
    """Faults that are counted when they strike."""

    def take(self, operation: str) -> Fault | None:
        fault = super().take(operation)
        if fault is not None:
            note(f"fault: {fault.kind}")
        return fault


@dataclass(kw_only=True, eq=False)
class WatchedMoodle(MoodleSandbox):
    """See the module. ``asked`` is called before each change that is asked for, with the keys of its courses."""

    asked: Callable[[Action, Sequence[str]], None] = field(repr=False)
    table: _Table = field(init=False, default_factory=_Table)
    hidden: list[str] = field(init=False, default_factory=list)  #: Keys in the order in which we asked to hide them.
    #: Keys of which a run may ask for a create though the course is there: somebody else made it.
    strangers: set[str] = field(init=False, default_factory=set)
    _created: set[str] = field(init=False, default_factory=set)  #: What this run has asked for.

    def __post_init__(self) -> None:
        self.faults = _Faults()

    @property
    def shown(self) -> dict[str, Shown]:
        """What learners see, by key."""
        return {course.idnumber: _shown(course) for course in self.table.all() if course.visible and course.idnumber}

    def keys(self) -> list[str]:
        """Return the key of every course that has one, ascending by id; hidden ones included."""
        return [course.idnumber for course in self.table.all() if course.idnumber]

    def is_blocked(self, key: str) -> bool:
        """Return whether Moodle takes the key for that of another course."""
        keys = [course.idnumber for course in self.table.with_idnumber(key)]
        return bool(keys) and key not in keys

    def route(self, request: Request) -> Operation:
        operation = super().route(request)
        if operation.name == CREATE:
            keys = [str(course["idnumber"]) for course in _courses(request)]
            twice = set(keys).intersection(self.keys()) - self.strangers
            assert not twice, f"a second course is asked for: {twice}"
            self._created.update(keys)
            self.asked(Action.CREATE, keys)
        elif operation.name == UPDATE:
            self._watch_update(_courses(request))
        return operation

    def tamper(self, key: str, *, believed: Shown | None, **fields: object) -> None:
        """Let somebody change the course ``key`` by hand; without ``fields``, delete it.

        Args:
            believed: what the course is for our records, which will not notice.
        """
        [course] = [course for course in self.table.all() if course.idnumber == key]
        known = self.table.tampered.get(key, set()) | {believed, _shown(course) if course.visible else None}
        if fields:
            self.table.change(replace(course, **fields))  # type: ignore[arg-type]  # the fields of a course
        else:
            self.table.remove(course.id)
        self.table.tampered[key] = known

    def make_by_hand(self, key: str) -> None:
        """Let somebody make a course under our key; perhaps ours was deleted, and our records believe in it still."""
        known = self.table.tampered.pop(key, set()) | {None}
        self.table.add(Course(shortname=f"By hand {key}", fullname="By hand", categoryid=1, idnumber=key))
        self.table.tampered[key] = known
        self.strangers.add(key)

    def end_run(self) -> None:
        """Take no excuse any more for what a run has learned: the next one has to look before it creates."""
        self.strangers -= self._created
        self._created.clear()

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
