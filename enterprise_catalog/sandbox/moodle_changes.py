"""The web service functions that create, update and delete courses, as ``course/externallib.php`` carries them out.

Each takes PHP arrays as they came and returns plain data for JSON or XML. A refusal of the whole call is a
``MoodleError``; updates and deletes report single courses as warnings beside their successes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, cast

from enterprise_catalog.sandbox import moodle_errors as errors
from enterprise_catalog.sandbox.moodle_courses import SITE_COURSE_ID, Course
from enterprise_catalog.sandbox.moodle_parameters import (
    CourseChanges,
    CreateCourses,
    DeleteCourses,
    NewCourse,
    UpdateCourses,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from enterprise_catalog.sandbox.moodle_courses import CourseTable
    from enterprise_catalog.sandbox.moodle_site import MoodleSite
    from enterprise_catalog.sandbox.php_forms import PHPArray

SHORTNAME_LIMIT = 255  #: In characters, as the column counts.
IDNUMBER_LIMIT = 100

_DAY_SECONDS = 24 * 60 * 60
_DEFAULT_DURATION_SECONDS = 365 * _DAY_SECONDS


class CourseSettings(TypedDict, total=False):
    """What a call may say of a course and Moodle keeps; a key that is absent was not sent."""

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
    """Why one course of an update or delete was left as it was."""

    item: str
    itemid: int
    warningcode: str | None
    message: str


#: What changing a setting takes beyond moodle/course:update, in the order in which Moodle asks.
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
    """The functions that write."""

    site: MoodleSite
    table: CourseTable

    def create_courses(self, parameters: PHPArray) -> list[dict[str, object]]:
        """Create all the courses or none; return id and short name of each, in the order sent."""
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
        """Update each course by itself; a course with a warning is unchanged, and a missing one is only a warning."""
        warnings = []
        for changes in validate(UpdateCourses, parameters).courses:
            try:
                self._update(changes)
            except errors.MoodleError as refusal:
                warnings.append(_warning(changes.id, refusal.code, refusal.message))
        return {"warnings": warnings}

    def delete_courses(self, parameters: PHPArray) -> dict[str, list[CourseWarning]]:
        """Delete each course by itself, except that one which may not be entered stops the rest with an exception."""
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
        # Only the dates sent are looked at: a start moved past the stored end goes through.
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
            message = f"You do not have the permission to delete this course{course_id}"  # Moodle lacks the space, too.
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
    """Add the dates of a new course that were not sent: today's midnight UTC, and 365 days after a start."""
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
