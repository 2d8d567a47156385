"""Courses of the Degreed sandbox: validation of documents, and a table with unique external ids and urls."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enterprise_catalog.sandbox.degreed import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COURSE_TYPE = "content/courses"

M = TypeVar("M", bound=BaseModel)

_Number = Annotated[float, Field(ge=0)]
_WebAddress = Annotated[str, Field(pattern=r"^https?://")]


class _Attributes(BaseModel):
    """Attributes that a client may set. ``_REQUIRED`` lists the mandatory attributes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    external_id: Annotated[str | None, Field(alias="external-id", min_length=1)] = None
    title: Annotated[str | None, Field(min_length=1)] = None
    url: _WebAddress | None = None
    summary: str | None = None
    image_url: Annotated[_WebAddress | None, Field(alias="image-url")] = None
    video_url: Annotated[_WebAddress | None, Field(alias="video-url")] = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2}$")] = None
    difficulty: str | None = None
    format: str | None = None
    duration: _Number | None = None
    duration_type: Annotated[Literal["Seconds", "Minutes", "Hours", "Days"] | None, Field(alias="duration-type")] = None
    cost_units: Annotated[_Number | None, Field(alias="cost-units")] = None
    cost_unit_type: Annotated[str | None, Field(alias="cost-unit-type")] = None
    obsolete: bool = False


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["content/courses"]
    id: str | None = None
    attributes: _Attributes


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    data: _Data


class _Skill(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: str
    id: Annotated[str, Field(min_length=1)]


class _Skills(BaseModel):
    model_config = ConfigDict(extra="forbid")

    data: list[_Skill]


#: Mandatory attributes of a new course. An update may omit them, but not clear them.
_REQUIRED = ("title", "url", "external-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A row of the table."""

    id: str
    attributes: Mapping[str, object]  #: As sent by the client.
    skills: tuple[str, ...] = ()
    is_deleted: bool = False

    @property
    def external_id(self) -> str:
        return str(self.attributes["external-id"])

    @property
    def is_obsolete(self) -> bool:
        return bool(self.attributes.get("obsolete"))


@dataclass(slots=True)
class CourseTable:
    """Courses by id. Includes deleted courses, whose ids return 410."""

    _rows: dict[str, Course] = field(default_factory=dict)
    _by_value: dict[tuple[str, str], set[str]] = field(default_factory=dict)  #: (attribute, value) -> ids.

    def add(self, attributes: Mapping[str, object]) -> Course:
        """Store a course under a new id and return it. Does not validate."""
        course = Course(id=f"c{len(self._rows) + 1:06}x", attributes=attributes)
        self.put(course)
        return course

    def put(self, course: Course) -> None:
        """Store ``course``. Replaces the course with the same id, if any."""
        if (old := self._rows.get(course.id)) is not None:
            for key in _unique(old):
                self._by_value[key].discard(course.id)
        self._rows[course.id] = course
        for key in _unique(course):
            self._by_value.setdefault(key, set()).add(course.id)

    def delete(self, course: Course) -> None:
        """Mark the course as deleted. Its id, external id and url stay in the table."""
        self.put(replace(course, is_deleted=True))

    def get(self, course_id: str) -> Course | None:
        """Return the course with this id, deleted or not; ``None`` if there is no such course."""
        return self._rows.get(course_id)

    def all(self) -> Sequence[Course]:
        """Return the courses that are not deleted, by ascending id."""
        return [course for course in self._rows.values() if not course.is_deleted]

    def with_external_id(self, external_id: str) -> Sequence[Course]:
        """Return the courses with exactly this external id, without deleted courses."""
        found = [self._rows[course_id] for course_id in self._by_value.get(("external-id", external_id), ())]
        return [course for course in found if not course.is_deleted]

    def refuse_duplicates(self, attributes: Mapping[str, object], *, but_for: str = "", with_deleted: bool) -> None:
        """Raise a 409 if another course has the same external id or url.

        Args:
            but_for: id of the course to ignore.
            with_deleted: include deleted courses.
        """
        for name in ("external-id", "url"):
            value = str(attributes[name])
            others = self._by_value.get((name, value), set()) - {but_for}
            if any(with_deleted or not self._rows[other].is_deleted for other in others):
                raise errors.conflict(name, value)


def read_course(body: object, *, course_id: str | None) -> dict[str, object]:
    """Return the attributes that a document sets, with their original names.

    Args:
        course_id: id of the course to update; ``None`` for a new course.

    Raises:
        DegreedError: 400, with the first problem.
    """
    data = _validated(_Document, body).data
    if course_id is not None and data.id != course_id:
        raise errors.bad_request("The document's id is not that of the address.", pointer="/data/id")
    sent = data.attributes.model_dump(by_alias=True, exclude_unset=True)
    for name in _REQUIRED:
        if (course_id is None or name in sent) and sent.get(name) is None:
            raise errors.bad_request(f"{name} is required.", pointer=f"/data/attributes/{name}")
    return sent


def read_skills(body: object, *, skill_type: str) -> tuple[str, ...]:
    """Return the skill names in a relationship document.

    Raises:
        DegreedError: 400 for a bare list, another type, or an empty name.
    """
    skills = _validated(_Skills, body).data
    if strangers := [skill.type for skill in skills if skill.type != skill_type]:
        raise errors.bad_request(f"A relationship to {strangers[0]} is not one to skills.", pointer="/data")
    return tuple(skill.id for skill in skills)


def _unique(course: Course) -> list[tuple[str, str]]:
    return [(name, str(course.attributes[name])) for name in ("external-id", "url")]


def _validated(model: type[M], body: object) -> M:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        pointer = "".join(f"/{place}" for place in first["loc"])
        raise errors.bad_request(first["msg"], pointer=pointer) from None
