"""Courses of the Canvas sandbox: fields, state transitions, validation and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from enterprise_catalog.sandbox.json_objects import JSONObject

MAX_STRING: Final = 255
MAX_LONG_TEXT: Final = 500 * 1024 - 1
DEFAULT_VIEWS: Final = frozenset({"feed", "wiki", "modules", "syllabus", "assignments"})

#: State -> event -> next state. Repeating an event is allowed and changes nothing.
_EVENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "claimed": {"offer": "available", "conclude": "completed", "delete": "deleted", "claim": "claimed"},
    "available": {"offer": "available", "conclude": "completed", "delete": "deleted", "claim": "claimed"},
    "completed": {"offer": "available", "conclude": "completed", "delete": "deleted", "claim": "claimed"},
    "deleted": {"undelete": "claimed", "delete": "deleted"},
}

#: Fields that a request may set without validation rules.
_PLAIN_FIELDS: Final = frozenset(
    {"syllabus_body", "is_public", "self_enrollment", "open_enrollment", "indexed", "public_description", "license"}
)

Errors = dict[str, list[dict[str, str]]]


class InvalidCourseError(Exception):
    """Canvas's course model rejects the course; ``errors`` are the errors in the response."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(str(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Course:
    """A course in the database."""

    id: int
    account_id: int
    name: str = "Unnamed Course"
    course_code: str = ""
    integration_id: str | None = None
    sis_course_id: str | None = None
    workflow_state: str = "claimed"
    start_at: str | None = None
    end_at: str | None = None
    restrict_enrollments_to_course_dates: bool = False
    default_view: str = "modules"
    image_url: str | None = None
    other: Mapping[str, object] = field(default_factory=dict)  #: Fields without validation rules.

    @property
    def api_state(self) -> str:
        """The state with its name in the API."""
        return "unpublished" if self.workflow_state == "claimed" else self.workflow_state

    def as_json(self, *, shows_sis: bool, includes: Collection[str] = ()) -> dict[str, object]:
        """Return the course as the API returns it."""
        shown: dict[str, object] = {
            "id": self.id,
            "name": self.name,
            "account_id": self.account_id,
            "root_account_id": 1,
            "uuid": f"uuid-of-course-{self.id}",
            "course_code": self.course_code,
            "workflow_state": self.api_state,
            "enrollment_term_id": 1,
            "start_at": self.start_at,
            "end_at": self.end_at,
            "restrict_enrollments_to_course_dates": self.restrict_enrollments_to_course_dates,
            "default_view": self.default_view,
            "is_public": self.other.get("is_public", False),
            "license": self.other.get("license"),
        }
        if shows_sis:
            shown |= {"sis_course_id": self.sis_course_id, "integration_id": self.integration_id}
        if "syllabus_body" in includes:
            shown["syllabus_body"] = self.other.get("syllabus_body")
        if "course_image" in includes:
            shown["image_download_url"] = self.image_url
        return shown


class CourseTable:
    """All courses of one Canvas by id, including deleted courses."""

    def __init__(self) -> None:
        self.rows: dict[int, Course] = {}

    def add(self, **columns: Any) -> Course:
        """Add a course without validation, as if it already existed."""
        course = Course(id=max(self.rows, default=100) + 1, **{"account_id": 1, **columns})
        self.rows[course.id] = course
        return course

    def build(self, account_id: int, fields: JSONObject, *, is_offered: bool) -> Course:
        """Create a course from the ``fields`` of a request.

        Raises:
            InvalidCourseError: the fields are invalid; nothing is created.
        """
        unsaved = _with_fields(Course(id=max(self.rows, default=100) + 1, account_id=account_id), fields)
        self._save(replace(unsaved, workflow_state="available" if is_offered else "claimed"))
        return self.rows[unsaved.id]

    def change(self, course: Course, fields: JSONObject) -> Course:
        """Update a course with the ``fields`` of a request: first the state, then the image, then the rest.

        Raises:
            InvalidCourseError: the fields are invalid, or the state does not allow the event; nothing is changed.
        """
        changed = self._after(course, fields["event"]) if fields.get("event") else course
        if fields.get("image_url"):
            changed = replace(changed, image_url=fields["image_url"])
        if fields.get("remove_image"):
            changed = replace(changed, image_url=None)
        self._save(_with_fields(changed, fields))
        return self.rows[course.id]

    def has_event(self, course: Course, event: str) -> bool:
        """Return True if the course's state allows ``event``."""
        return event in _EVENTS[course.workflow_state]

    def _after(self, course: Course, event: str) -> Course:
        if not self.has_event(course, event):
            raise InvalidCourseError(_error("workflow_state", f"no event {event} in state {course.workflow_state}"))
        return replace(course, workflow_state=_EVENTS[course.workflow_state][event])

    def _save(self, course: Course) -> None:
        # Canvas checks the IDs first, and reports nothing else if one is taken.
        if errors := self._taken(course) or dict(_errors(course)):
            raise InvalidCourseError(errors)
        self.rows[course.id] = course

    def _taken(self, course: Course) -> Errors:
        others = [other for other in self.rows.values() if other.id != course.id]
        if course.integration_id and any(other.integration_id == course.integration_id for other in others):
            return _error("integration_id", f'Integration ID "{course.integration_id}" is already in use')
        if course.sis_course_id and any(other.sis_course_id == course.sis_course_id for other in others):
            return _error("sis_source_id", f'SIS ID "{course.sis_course_id}" is already in use')
        return {}


def _error(field_name: str, message: str, *, kind: str | None = None) -> Errors:
    return {field_name: [{"attribute": field_name, "type": kind or message, "message": message}]}


def _with_fields(course: Course, fields: JSONObject) -> Course:
    named = ("name", "course_code", "integration_id", "start_at", "end_at", "default_view")
    columns: JSONObject = {name: fields[name] for name in named if name in fields}
    columns["other"] = {**course.other, **{name: fields[name] for name in fields if name in _PLAIN_FIELDS}}
    restricts = fields.get("restrict_enrollments_to_course_dates", course.restrict_enrollments_to_course_dates)
    columns["restrict_enrollments_to_course_dates"] = bool(restricts)
    if not restricts:
        columns |= {"start_at": None, "end_at": None}
    return replace(course, **columns)


def _errors(course: Course) -> Iterator[tuple[str, list[dict[str, str]]]]:
    lengths = {"name": MAX_STRING, "course_code": MAX_STRING, "syllabus_body": MAX_LONG_TEXT}
    texts: JSONObject = {**course.other, "name": course.name, "course_code": course.course_code}
    for name, most in lengths.items():
        if len(texts.get(name) or "") > most:
            yield from _error(name, f"is too long (maximum is {most} characters)", kind="too_long").items()
    if course.start_at and course.end_at and _moment(course.end_at) < _moment(course.start_at):
        yield from _error("conclude_at", "End date cannot be before start date").items()
    if course.default_view not in DEFAULT_VIEWS:
        yield from _error("default_view", "Home page is not valid").items()
    if course.image_url and not _is_url(course.image_url):
        yield from _error("image_url", "image_url is not a valid URL").items()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_url(text: str) -> bool:
    """Return True if Ruby's URL parser accepts ``text``. An approximation: white space and non-ASCII are rejected."""
    parsed = urlsplit(text)
    return text.isascii() and not set(text) & set(' <>"[]{}|\\^`\n\t') and bool(parsed.scheme or parsed.path)
