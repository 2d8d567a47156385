"""Web service functions that create, update and delete courses, as implemented in ``course/externallib.php``.

Each function receives parsed PHP arrays and returns plain data for JSON or XML. ``MoodleError`` rejects the whole call.
Updates and deletes report failed courses as warnings, and still process the remaining courses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, cast

from enterprise_catalog.sandbox.moodle import errors
from enterprise_catalog.sandbox.moodle.courses import SITE_COURSE_ID, Course
from enterprise_catalog.sandbox.moodle.parameters import (
    CourseChanges,
    CreateCourses,
    DeleteCourses,
    NewCourse,
    UpdateCourses,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from enterprise_catalog.sandbox.moodle.courses import CourseTable
    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray
    from enterprise_catalog.sandbox.moodle.settings import MoodleSite

SHORTNAME_LIMIT = 255  #: Size of the database column, in characters.
IDNUMBER_LIMIT = 100

_DAY_SECONDS = 24 * 60 * 60
_DEFAULT_DURATION_SECONDS = 365 * _DAY_SECONDS


class CourseSettings(TypedDict, total=False):
    """Course fields that a call may set and Moodle stores. A missing key was not sent."""

    categoryid: int
    fullname: str
    shortname: str
    idnumber: str
    summary: str
    summaryformat: int
    visible: int
    lang: str
    format: str
    startdate: int
    enddate: int


class CourseWarning(TypedDict):
    """A warning: one course of an update or delete was not changed, and why."""

    item: str
    itemid: int
    warningcode: str | None
    message: str


#: Setting -> capability for a change, in addition to ``moodle/course:update``. In the order of Moodle's checks.
_CAPABILITIES: Mapping[str, str] = {
    "categoryid": "moodle/course:changecategory",
    "fullname": "moodle/course:changefullname",
    "shortname": "moodle/course:changeshortname",
    "idnumber": "moodle/course:changeidnumber",
    "summary": "moodle/course:changesummary",
    "summaryformat": "moodle/course:changesummary",
    "visible": "moodle/course:visibility",
    "lang": "moodle/course:setforcedlanguage",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseEditor:
    """The web service functions that write."""

    site: MoodleSite
    table: CourseTable

    def create_courses(self, parameters: PHPArray) -> list[dict[str, object]]:
        """Create all courses or none. Return id and short name of each course, in the order of sending."""
        created: list[Course] = []
        try:
            for new in validate(CreateCourses, parameters).courses:
                created.append(self._create(new))  # noqa: PERF401  (an error must find what was created so far)
        except errors.MoodleError:
            for course in created:
                self.table.remove(course.id)
            raise
        return [{"id": course.id, "shortname": course.shortname} for course in created]

    def update_courses(self, parameters: PHPArray) -> dict[str, list[CourseWarning]]:
        """Update the courses one by one. A course with a warning is unchanged; a missing course is also a warning."""
        warnings = []
        for changes in validate(UpdateCourses, parameters).courses:
            try:
                self._update(changes)
            except errors.MoodleError as refusal:
                warnings.append(_warning(changes.id, refusal.code, refusal.message))
        return {"warnings": warnings}

    def delete_courses(self, parameters: PHPArray) -> dict[str, list[CourseWarning]]:
        """Delete the courses one by one. A course that the account may not enter stops the call with an exception."""
        outcomes = [self._delete(course_id) for course_id in validate(DeleteCourses, parameters).courseids]
        return {"warnings": [warning for warning in outcomes if warning]}

    def _create(self, new: NewCourse) -> Course:
        if new.categoryid not in self.site.category_ids:
            raise errors.category_not_valid(new.categoryid)
        if block := self.site.block():
            raise errors.category_not_valid(new.categoryid, block.message)
        self.site.require("moodle/course:create")
        sent = _settings(new)
        _refuse_empty_names(sent, among=sent)
        self._refuse_unknown_language(sent)
        if not self.site.may("moodle/course:setforcedlanguage"):
            sent.pop("lang", None)
        if not self.site.may("moodle/course:visibility"):
            sent["visible"] = 1
        now = int(self.site.clock())
        course = replace(_NEW_COURSE, **_with_default_dates(sent, now), timecreated=now, timemodified=now)
        self._refuse_duplicates(course, among=sent)
        _refuse_dates(sent)
        self._refuse_long_values(course)
        return self.table.add(course)

    def _update(self, changes: CourseChanges) -> None:
        course = self.table.get(changes.id)
        if course is None:
            raise errors.record_not_found("course")
        self.site.require_entry(course)
        self.site.require("moodle/course:update", course)
        sent = _settings(changes)
        changed = {name for name, value in sent.items() if value != getattr(course, name)}
        for name, capability in _CAPABILITIES.items():
            if name in changed:
                self.site.require(capability)
        _refuse_empty_names(sent, among=changed)
        if "lang" in changed:
            self._refuse_unknown_language(sent)
        if course.id == SITE_COURSE_ID:
            raise errors.front_page_is_fixed()
        updated = replace(course, **sent, timemodified=int(self.site.clock()))
        self._refuse_duplicates(updated, among=changed)
        # Only the dates in the request are checked. A new start after the stored end is accepted.
        _refuse_dates(sent)
        if "categoryid" in changed and updated.categoryid not in self.site.category_ids:
            raise errors.record_not_found("course_categories")
        self._refuse_long_values(updated)
        self.table.change(updated)

    def _delete(self, course_id: int) -> CourseWarning | None:
        course = self.table.get(course_id)
        if course is None:
            return _warning(course_id, "unknowncourseidnumber", f"Unknown course ID {course_id}")
        self.site.require_entry(course)
        if not self.site.may("moodle/course:delete"):
            message = f"You do not have the permission to delete this course{course_id}"  # Moodle omits the space too.
            return _warning(course_id, "cannotdeletecourse", message)
        if course_id == SITE_COURSE_ID:
            return _warning(course_id, "cannotdeletecategorycourse", f"Course {course_id} failed to be deleted")
        self.table.remove(course_id)
        return None

    def _refuse_unknown_language(self, sent: CourseSettings) -> None:
        if "lang" in sent and sent["lang"] not in self.site.languages:
            raise errors.invalid_value("lang")

    def _refuse_duplicates(self, course: Course, *, among: Collection[str]) -> None:
        if "shortname" in among and any(twin.id != course.id for twin in self.table.with_shortname(course.shortname)):
            raise errors.short_name_taken(course.shortname)
        if not course.idnumber:
            return
        if "idnumber" in among and any(twin.id != course.id for twin in self.table.with_idnumber(course.idnumber)):
            raise errors.id_number_taken(course.idnumber)

    def _refuse_long_values(self, course: Course) -> None:
        if (
            len(course.fullname) > self.site.fullname_limit
            or len(course.shortname) > SHORTNAME_LIMIT
            or len(course.idnumber) > IDNUMBER_LIMIT
        ):
            raise errors.write_failed()


_NEW_COURSE = Course(shortname="", fullname="", categoryid=0)


def _settings(parameters: NewCourse | CourseChanges) -> CourseSettings:
    kept = set(CourseSettings.__annotations__)
    return cast("CourseSettings", parameters.model_dump(include=kept, exclude_none=True))


def _with_default_dates(sent: CourseSettings, now: int) -> CourseSettings:
    """Add default dates of a new course: it starts today at midnight UTC, and ends 365 days after its start."""
    start = sent.get("startdate", now - now % _DAY_SECONDS)
    end = start + _DEFAULT_DURATION_SECONDS if start else 0
    return {"startdate": start, "enddate": end, **sent}


def _refuse_empty_names(sent: CourseSettings, *, among: Collection[str]) -> None:
    for name, value in (("fullname", sent.get("fullname")), ("shortname", sent.get("shortname"))):
        if name in among and value is not None and not value.strip(" \t\n\r\v"):
            raise errors.invalid_value(name)


def _refuse_dates(sent: CourseSettings) -> None:
    start, end = sent.get("startdate", 0), sent.get("enddate", 0)
    if end and not start:
        raise errors.end_without_start()
    if end and end < start:
        raise errors.end_before_start()


def _warning(course_id: int, code: str | None, message: str) -> CourseWarning:
    return {"item": "course", "itemid": course_id, "warningcode": code, "message": message}
