"""Course table of the Moodle sandbox, with the database's collation for look-ups. Enforces no web service rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from enterprise_catalog.sandbox.moodle.text import collate

if TYPE_CHECKING:
    from collections.abc import Sequence

SITE_COURSE_ID = 1  #: The front page, which is a course on every site and cannot be deleted.


class CourseRecord(TypedDict):
    """A course as plain data. Dates are epoch seconds (0 for no date); ``visible`` is 0 or 1."""

    id: int
    shortname: str
    fullname: str
    idnumber: str
    summary: str
    categoryid: int
    startdate: int
    enddate: int
    visible: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A row of the table, with text as it was sent. Dates are epoch seconds (0 for no date); ``visible`` is 0 or 1."""

    shortname: str
    fullname: str
    categoryid: int
    id: int = 0  #: 0 until the table assigns an id.
    idnumber: str = ""
    summary: str = ""
    summaryformat: int = 1
    format: str = "topics"
    lang: str = ""
    startdate: int = 0
    enddate: int = 0
    visible: int = 1
    timecreated: int = 0
    timemodified: int = 0

    def as_record(self) -> CourseRecord:
        """Return the fields that a channel may have set."""
        return {
            "id": self.id,
            "shortname": self.shortname,
            "fullname": self.fullname,
            "idnumber": self.idnumber,
            "summary": self.summary,
            "categoryid": self.categoryid,
            "startdate": self.startdate,
            "enddate": self.enddate,
            "visible": self.visible,
        }


class CourseTable:
    """Courses by id, with indexes on short name and ID number. Like Moodle's database, it enforces no uniqueness.

    A new table contains the site course. Ids ascend and are never reused, not even after a rollback.
    """

    def __init__(self) -> None:
        self._rows: dict[int, Course] = {}
        self._last_id = 0
        self._ids_by_shortname: defaultdict[str, set[int]] = defaultdict(set)
        self._ids_by_idnumber: defaultdict[str, set[int]] = defaultdict(set)
        self._count_by_category: Counter[int] = Counter()
        self.add(Course(shortname="sandbox", fullname="Sandbox site", categoryid=0, format="site"))

    def add(self, course: Course) -> Course:
        """Store ``course`` under a new id and return it. Does not validate.

        It can therefore create the result of two parallel creates: two rows with the same short name.
        """
        self._last_id += 1
        return self._store(replace(course, id=self._last_id))

    def change(self, course: Course) -> None:
        """Replace the row with the id of ``course``. The row must exist."""
        self.remove(course.id)
        self._store(course)

    def remove(self, course_id: int) -> None:
        """Remove a row. The row must exist."""
        course = self._rows.pop(course_id)
        self._ids_by_shortname[collate(course.shortname)].discard(course_id)
        self._ids_by_idnumber[collate(course.idnumber)].discard(course_id)
        self._count_by_category[course.categoryid] -= 1

    def get(self, course_id: int) -> Course | None:
        """Return the row with this id, or ``None``."""
        return self._rows.get(course_id)

    def all(self) -> Sequence[Course]:
        """Return all rows by ascending id, including the site course."""
        return [self._rows[course_id] for course_id in sorted(self._rows)]

    def with_shortname(self, shortname: str) -> Sequence[Course]:
        """Return the rows whose short name equals ``shortname`` in the database's collation, by ascending id."""
        return [self._rows[course_id] for course_id in sorted(self._ids_by_shortname.get(collate(shortname), ()))]

    def with_idnumber(self, idnumber: str) -> Sequence[Course]:
        """Return the rows whose ID number equals ``idnumber`` in the database's collation, by ascending id.

        An empty ``idnumber`` finds all courses without an ID number; the first is the site course.
        """
        return [self._rows[course_id] for course_id in sorted(self._ids_by_idnumber.get(collate(idnumber), ()))]

    def in_category(self, category_id: int) -> Sequence[Course]:
        """Return the rows in a category, by ascending id."""
        return [course for course in self.all() if course.categoryid == category_id]

    def count_in_category(self, category_id: int) -> int:
        """Return the number of rows in a category."""
        return self._count_by_category[category_id]

    def _store(self, course: Course) -> Course:
        self._rows[course.id] = course
        self._ids_by_shortname[collate(course.shortname)].add(course.id)
        self._ids_by_idnumber[collate(course.idnumber)].add(course.id)
        self._count_by_category[course.categoryid] += 1
        return course
