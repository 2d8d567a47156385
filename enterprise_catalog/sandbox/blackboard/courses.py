"""Courses, contents and deletions of the Blackboard sandbox, and their validation.

The rules follow the API's published description (release 3900.65) and the vendor's page on content handlers.
Undocumented behavior is a knob: case sensitivity of ids, and how strictly Ultra validates markup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "resource/x-bb-folder"
DOCUMENT = "resource/x-bb-document"

#: BbML elements, with the attributes that clients may send.
_PLAIN_TAGS = ("br", "del", "div", "em", "h4", "h5", "h6", "li", "ol", "p", "span", "strong", "sub", "sup", "ul")
BBML: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href", "rel"}),
    "img": frozenset({"align", "alt", "class", "src"}),
    **dict.fromkeys(_PLAIN_TAGS, frozenset[str]()),
}
_VOID = {"br", "img"}


class BlackboardError(Exception):
    """An error response of the API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Availability(_Strict):
    """Visibility of a course to learners."""

    available: Literal["Yes", "No", "Disabled", "Term"]
    duration: dict[str, object] | None = None


class ContentAvailability(_Strict):
    """Visibility of a content to learners."""

    available: Literal["Yes", "No", "PartiallyVisible"]
    allowGuests: bool | None = None
    allowObservers: bool | None = None


class Handler(_Strict):
    """The type of a content: folder, document or external link."""

    id: Literal["resource/x-bb-folder", "resource/x-bb-document", "resource/x-bb-externallink"]
    isBbPage: bool = False
    url: str | None = None


class CourseChanges(_Strict):
    """Fields of a course update. ``courseId`` cannot be changed."""

    externalId: str | None = Field(default=None, max_length=256)
    name: str | None = Field(default=None, min_length=1, max_length=333)
    description: str | None = None
    availability: Availability | None = None
    dataSourceId: str | None = None
    termId: str | None = None


class NewCourse(CourseChanges):
    """Fields of a new course."""

    courseId: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")
    name: str = Field(min_length=1, max_length=333)
    ultraStatus: Literal["Undecided", "Classic", "Ultra", "UltraPreview"] = "Classic"
    organization: bool = False


class ContentChanges(_Strict):
    """Fields of a content update."""

    title: str | None = Field(default=None, min_length=1, max_length=255)
    body: str | None = None
    description: str | None = Field(default=None, max_length=750)
    position: int | None = Field(default=None, ge=0)
    availability: ContentAvailability | None = None
    contentHandler: Handler | None = None
    launchInNewWindow: bool | None = None


class NewContent(ContentChanges):
    """Fields of a new content."""

    title: str = Field(min_length=1, max_length=255)
    contentHandler: Handler


@dataclass(slots=True, kw_only=True)
class Content:
    """A content of a course: a folder, document or external link."""

    id: str
    parent: str  #: Id of the parent folder; empty at the top level.
    title: str
    handler: Handler
    body: str = ""
    available: str = "Yes"

    def as_record(self) -> dict[str, object]:
        """Return the content as the API returns it."""
        return {
            "id": self.id,
            "parentId": self.parent or "_1_1",
            "title": self.title,
            "body": self.body,
            "availability": {"available": self.available, "allowGuests": True, "adaptiveRelease": {}},
            "contentHandler": self.handler.model_dump(exclude_defaults=True),
        }


@dataclass(slots=True, kw_only=True)
class Course:
    """A course, with its contents and the task that deletes it."""

    id: str
    course_id: str
    external_id: str
    name: str
    description: str = ""
    available: str = "Yes"
    view: str = "Classic"
    data_source_id: str = "_2_1"
    contents: dict[str, Content] = field(default_factory=dict)
    task: str = ""  #: Id of the deletion task; empty if no deletion has begun.
    checks_left: int = 0  #: Number of checks for which the task still reports that it is running.

    @property
    def is_offered(self) -> bool:
        return self.available in ("Yes", "Term")

    @property
    def has_page(self) -> bool:
        """``True`` if learners see a document with a body in a visible folder."""
        shown = {key: part for key, part in self.contents.items() if part.available == "Yes"}
        return any(part.handler.id == DOCUMENT and part.body and part.parent in shown for part in shown.values())

    def as_record(self) -> dict[str, object]:
        """Return the course as the API returns it."""
        return {
            "id": self.id,
            "courseId": self.course_id,
            "externalId": self.external_id,
            "name": self.name,
            "description": self.description,
            "ultraStatus": self.view,
            "dataSourceId": self.data_source_id,
            "availability": {"available": self.available, "duration": {"type": "Continuous"}},
        }


@dataclass(kw_only=True, eq=False)
class BlackboardSite:
    """The site's courses and knobs. Every field can be changed while the sandbox runs."""

    ids_ignore_case: bool = False  #: Ids that differ only in case are equal.
    slashes_in_paths: bool = False  #: The web server accepts an encoded ``/``, ``\``, ``;`` or ``%`` in a path.
    strict_markup: bool = True  #: Ultra rejects markup that is not valid BbML; ``False`` if it accepts any markup.
    room: int | None = None  #: Maximum size of a course's text in bytes; ``None`` for no limit.
    deletion_checks: int = 2  #: Number of checks that report a running deletion before it is done.
    courses: dict[str, Course] = field(init=False, default_factory=dict)  #: By primary id.
    #: External ids of courses that were visible to learners without a page at any time.
    bare_courses: set[str] = field(init=False, default_factory=set)
    _last_id: int = field(init=False, default=0)

    def new_id(self) -> str:
        self._last_id += 1
        return f"_{self._last_id}_1"

    def course(self, asked: str) -> Course:
        """Return a course by primary id, ``externalId:…`` or ``courseId:…``."""
        kind, found, value = asked.partition(":")
        if found and kind in ("externalId", "courseId"):
            if not self.slashes_in_paths and set(value) & set("/\\;%"):
                raise BlackboardError(400, "Invalid request.")
            attribute = "external_id" if kind == "externalId" else "course_id"
            matches = [c for c in self.courses.values() if self._same(getattr(c, attribute), value)]
        else:
            matches = [self.courses[asked]] if asked in self.courses else []
        if not matches:
            raise BlackboardError(404, f"Could not find object with ID: {asked}")
        return matches[0]

    def search(self, *, external_id: str) -> list[Course]:
        """Return the courses whose external id contains a text, ignoring case."""
        return [c for c in self.courses.values() if external_id.casefold() in c.external_id.casefold()]

    def create_course(self, body: object) -> Course:
        sent = _valid(NewCourse, body)
        external_id = sent.externalId or sent.courseId
        self._require_unique("courseId", sent.courseId)
        self._require_unique("externalId", external_id)
        course = Course(id=self.new_id(), course_id=sent.courseId, external_id=external_id, name=sent.name)
        course.view = sent.ultraStatus
        course.description = sent.description or ""
        course.available = sent.availability.available if sent.availability else "Yes"
        course.data_source_id = sent.dataSourceId or course.data_source_id
        if course.view == "Classic":
            for title in ("Information", "Content"):  # Every new Classic course has these folders.
                content = Content(id=self.new_id(), parent="", title=title, handler=Handler(id=FOLDER))
                course.contents[content.id] = content
        self.courses[course.id] = course
        self._look_at(course)
        return course

    def change_course(self, course: Course, body: object) -> Course:
        sent = _valid(CourseChanges, body)
        if sent.externalId is not None and sent.externalId != course.external_id:
            self._require_unique("externalId", sent.externalId)
            course.external_id = sent.externalId
        course.name = course.name if sent.name is None else sent.name
        course.description = course.description if sent.description is None else sent.description
        course.available = course.available if sent.availability is None else sent.availability.available
        self._look_at(course)
        return course

    def begin_deletion(self, course: Course) -> str:
        """Return the id of the task that deletes ``course``. A repeated call counts as a check of the running task."""
        if not course.task:
            course.task, course.checks_left = self.new_id(), self.deletion_checks
        else:
            self.is_deleted(course)
        return course.task

    def is_deleted(self, course: Course) -> bool:
        """Count one check of a deletion. Return True, and remove the course, if the deletion is done."""
        if course.checks_left > 0:
            course.checks_left -= 1
            return False
        self.courses.pop(course.id, None)
        return True

    def parts(self, course: Course, parent: str) -> list[Content]:
        if parent:
            self.part(course, parent)
        return [content for content in course.contents.values() if content.parent == parent]

    def part(self, course: Course, content_id: str) -> Content:
        if content_id not in course.contents:
            raise BlackboardError(404, f"Could not find object with ID: {content_id}")
        return course.contents[content_id]

    def create_part(self, course: Course, parent: str, body: object) -> Content:
        sent = _valid(NewContent, body)
        self._require_place(course, parent, sent.contentHandler)
        self._require_text(course, sent.body or "")
        content = Content(
            id=self.new_id(), parent=parent, title=sent.title, handler=sent.contentHandler, body=sent.body or ""
        )
        content.available = sent.availability.available if sent.availability else "Yes"
        course.contents[content.id] = content
        self._look_at(course)
        return content

    def change_part(self, course: Course, content: Content, body: object) -> Content:
        sent = _valid(ContentChanges, body)
        if sent.body is not None:
            self._require_text(course, sent.body, replaces=content.body)
            content.body = sent.body
        content.title = content.title if sent.title is None else sent.title
        content.available = content.available if sent.availability is None else sent.availability.available
        self._look_at(course)
        return content

    def remove_part(self, course: Course, content: Content) -> None:
        for child in self.parts(course, content.id):
            self.remove_part(course, child)
        del course.contents[content.id]
        self._look_at(course)

    def _look_at(self, course: Course) -> None:
        """Add the course to ``bare_courses`` if learners see it without a page. Called after each change."""
        if course.is_offered and not course.has_page:
            self.bare_courses.add(course.external_id)

    def _same(self, one: str, other: str) -> bool:
        return one.casefold() == other.casefold() if self.ids_ignore_case else one == other

    def _require_unique(self, name: str, value: str) -> None:
        attribute = "external_id" if name == "externalId" else "course_id"
        if any(self._same(getattr(course, attribute), value) for course in self.courses.values()):
            raise BlackboardError(409, f"A course with the provided {name} already exists")

    def _require_place(self, course: Course, parent: str, handler: Handler) -> None:
        if not parent and handler.id != FOLDER:
            raise BlackboardError(400, "Only folders may be created as top-level content.")
        if not parent:
            return
        folder = self.part(course, parent).handler
        if folder.id != FOLDER:
            raise BlackboardError(400, "The parent cannot have children.")
        if course.view != "Classic" and handler.id == DOCUMENT and not folder.isBbPage:
            raise BlackboardError(400, "A document must be the child of a folder that is a page.")

    def _require_text(self, course: Course, body: str, *, replaces: str = "") -> None:
        if self.strict_markup and course.view != "Classic" and (problem := bbml_problem(body)):
            raise BlackboardError(400, f"Invalid BbML: {problem}")
        used = sum(len(content.body.encode()) for content in course.contents.values()) - len(replaces.encode())
        if self.room is not None and used + len(body.encode()) > self.room:
            raise BlackboardError(507, "The course quota has been exceeded.")


def bbml_problem(body: str) -> str:
    """Return the first error that makes ``body`` invalid BbML; empty if it is valid."""
    reader = _BbML()
    reader.feed(body)
    reader.close()
    return reader.problem or (f"<{reader.open[-1]}> is not closed" if reader.open else "")


class _BbML(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problem = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        unknown = {name for name, _ in attrs} - BBML.get(tag, frozenset())
        if tag not in BBML or unknown:
            self.problem = self.problem or f"<{tag}> with {sorted(unknown)}" if tag in BBML else f"<{tag}>"
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problem = self.problem or f"</{tag}> closes nothing"


ModelT = TypeVar("ModelT", bound=BaseModel)


def _valid(model: type[ModelT], body: object) -> ModelT:
    try:
        return model.model_validate(body, strict=False)
    except ValidationError as error:
        first, *_ = error.errors(include_url=False, include_input=False)
        place = ".".join(map(str, first["loc"]))
        raise BlackboardError(400, f"{place}: {first['msg']}") from error


def as_page(records: Sequence[Mapping[str, object]], *, path: str, offset: int, limit: int) -> dict[str, object]:
    """Return one page of a list, with the URL of the next page if there is one."""
    page: dict[str, object] = {"results": list(records[offset : offset + limit])}
    if offset + limit < len(records):
        page["paging"] = {"nextPage": f"{path}?limit={limit}&offset={offset + limit}"}
    return page
