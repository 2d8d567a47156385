"""Web service functions that look up courses, as implemented in ``course/externallib.php``, including its bug.

Each function receives parsed PHP arrays and returns plain data for JSON or XML. Responses have approximately the keys,
and therefore the size, of real responses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.moodle import errors
from enterprise_catalog.sandbox.moodle.parameters import GetCourses, GetCoursesByField, validate
from enterprise_catalog.sandbox.moodle.text import format_name, format_summary, strip_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.sandbox.moodle.courses import Course, CourseTable
    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray
    from enterprise_catalog.sandbox.moodle.settings import MoodleSite

#: Further keys of a real response, with Moodle's default values. The sandbox does not store them.
_SETTINGS: dict[str, object] = {
    "categorysortorder": 10_000,
    "showgrades": 1,
    "newsitems": 5,
    "numsections": 4,
    "maxbytes": 0,
    "showreports": 0,
    "hiddensections": 1,
    "groupmode": 0,
    "groupmodeforce": 0,
    "defaultgroupingid": 0,
    "enablecompletion": 1,
    "completionnotify": 0,
    "forcetheme": "",
    "courseformatoptions": [
        {"name": "hiddensections", "value": 1},
        {"name": "coursedisplay", "value": 0},
        {"name": "indentation", "value": 1},
    ],
    "showactivitydates": True,
    "showcompletionconditions": True,
}

_NUMBER = re.compile(r"\s*([0-9]{1,18})\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseFinder:
    """The web service functions that read. ``raw`` (``moodlewssettingraw``) returns stored text without formatting."""

    site: MoodleSite
    table: CourseTable
    raw: bool

    def get_courses(self, parameters: PHPArray) -> list[dict[str, object]]:
        """Return the courses with the given ids; missing ids are ignored. Without ids, return all courses.

        All courses include the site course.
        """
        ids = set(validate(GetCourses, parameters).options.ids)
        found = [course for course in self.table.all() if not ids or course.id in ids]
        for course in found:
            try:
                self.site.require_entry(course)
            except errors.MoodleError as refusal:
                raise errors.course_not_valid(course.id, refusal) from refusal
        return [self._read(course) for course in found]

    def get_courses_by_field(self, parameters: PHPArray) -> dict[str, list[dict[str, object]]]:
        """Return the courses that match in the database's collation, without hidden courses the account may not see."""
        search = validate(GetCoursesByField, parameters)
        found = self._search(search.field, search.value)
        sees_hidden = self.site.may("moodle/course:update") or self.site.may("moodle/course:viewhiddencourses")
        return {"courses": [self._read(course) for course in found if course.visible or sees_hidden], "warnings": []}

    def _search(self, field: str, value: str) -> Sequence[Course]:
        match field:
            case "":
                return self.table.all()
            case "id":
                return [course for course in [self.table.get(_as_number(value))] if course]
            case "ids":
                return self._search_ids(value)
            case "shortname":
                return self.table.with_shortname(strip_tags(value))
            case "idnumber":
                return self.table.with_idnumber(value)
            case "category":
                return self.table.in_category(_as_number(value))
        raise errors.invalid_parameter(reason="Invalid field name")

    def _search_ids(self, value: str) -> Sequence[Course]:
        found = []
        for course_id in dict.fromkeys(_as_number(number) for number in value.split(",")):
            course = self.table.get(course_id)
            if course is None:
                raise errors.look_up_crashed()  # Moodle's bug: one missing id makes the whole look-up fail.
            found.append(course)
        return found

    def _read(self, course: Course) -> dict[str, object]:
        """Return the fields that the account may read.

        All accounts read the public fields. Further fields require access to the course, and the remaining fields
        require ``moodle/course:update``.
        """
        fullname = course.fullname if self.raw else format_name(course.fullname)
        fields: dict[str, object] = {
            "id": course.id,
            "fullname": fullname,
            "displayname": fullname,
            "shortname": course.shortname if self.raw else format_name(course.shortname),
            "categoryid": course.categoryid,
            "summary": course.summary if self.raw else format_summary(course.summary),
            "summaryformat": course.summaryformat,
        }
        if not self.site.may_enter(course):
            return fields
        fields |= {
            "format": course.format,
            "startdate": course.startdate,
            "enddate": course.enddate,
            "visible": course.visible,
            "lang": course.lang,
        }
        if not self.site.may("moodle/course:update"):
            return fields
        return (
            fields
            | _SETTINGS
            | {
                "idnumber": course.idnumber,
                "timecreated": course.timecreated,
                "timemodified": course.timemodified,
            }
        )


def _as_number(value: str) -> int:
    """Parse an id like PHP's cast, as far as clients need it. An invalid number gives 0, which no course has."""
    match = _NUMBER.fullmatch(value)
    return int(match[1]) if match else 0
