"""Courses of the SAP sandbox: validation with error messages, and the course table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, ValidationError

from enterprise_catalog.sandbox.json_objects import JSONObject

if TYPE_CHECKING:
    from collections.abc import Collection

#: A course as sent.
Record: TypeAlias = JSONObject

_Text = Annotated[str, Field(min_length=1, strict=True)]
_URL = Annotated[str, Field(pattern=r"^https?://", strict=True)]
_EpochMilliseconds = Annotated[StrictInt, Field(ge=0)]

#: SAP's locale names. A customer's Learning has some of them enabled.
LOCALES = frozenset(
    {"English", "British English", "Dutch", "French", "German", "Japanese", "Portuguese", "Spanish", "Spanish Mexican"}
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Localized(_Strict):
    locale: _Text
    value: Annotated[str, Field(strict=True, pattern=r"\S")]


class _Content(_Strict):
    providerID: _Text
    launchURL: _URL
    contentTitle: _Text
    contentID: _Text
    launchType: StrictInt
    mobileEnabled: StrictBool = False
    mobileLaunchURL: _URL | None = None


class _Price(_Strict):
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    value: Annotated[StrictInt | StrictFloat, Field(ge=0)]


class _Session(_Strict):
    startDate: _EpochMilliseconds
    endDate: _EpochMilliseconds
    active: StrictBool
    duration: str | None = None


class _Course(_Strict):
    courseID: _Text
    providerID: _Text
    status: Literal["ACTIVE", "INACTIVE", "DELETED"] = "ACTIVE"
    title: Annotated[list[_Localized], Field(min_length=1)]
    description: Annotated[list[_Localized], Field(min_length=1)]
    thumbnailURI: _URL | None = None
    content: list[_Content] = []
    price: list[_Price] = []
    schedule: list[_Session] = []
    revisionNumber: StrictInt = 1


@dataclass(kw_only=True)
class CourseRules:
    """Settings of the customer's Learning. With the defaults, our provider is registered."""

    provider_ids: Collection[str] = frozenset({"EDX"})  #: Registered in the customer's Learning.
    locales: Collection[str] = LOCALES
    title_limit: int | None = None  #: In characters; SAP documents no limit.
    needs_content: bool = False  #: Inactive and deleted courses must also have content.

    def problem_of(self, course: object) -> str | None:
        """Return the first problem of ``course``, as it was sent; ``None`` if the course is valid."""
        try:
            read = _Course.model_validate(course)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            return f"{'.'.join(map(str, first['loc'])) or 'course'}: {first['msg']}"
        problems = (
            *self._provider_problems(read),
            *(
                f"unknown locale {text.locale}"
                for text in read.title + read.description
                if text.locale not in self.locales
            ),
            *("title is too long" for text in read.title if self.title_limit and len(text.value) > self.title_limit),
            *(["content is missing"] if self._lacks_content(read) else []),
        )
        return next(iter(problems), None)

    def _provider_problems(self, course: _Course) -> list[str]:
        named = [course.providerID, *(content.providerID for content in course.content)]
        return [f"provider {name} is not registered" for name in named if name not in self.provider_ids]

    def _lacks_content(self, course: _Course) -> bool:
        return not course.content and (course.status == "ACTIVE" or self.needs_content)


@dataclass
class CourseTable:
    """Imported courses by provider and course ID, in the order of their first import."""

    rows: dict[tuple[str, str], Record] = field(default_factory=dict)
    _ever_active: set[tuple[str, str]] = field(default_factory=set)

    def upsert(self, course: Record) -> None:
        """Add the course, or replace the course with the same provider and course ID completely."""
        key = (course["providerID"], course["courseID"])
        self.rows[key] = {"status": "ACTIVE", "revisionNumber": 1, **course}
        if self.rows[key]["status"] == "ACTIVE":
            self._ever_active.add(key)

    def active(self) -> list[Record]:
        """Return the active courses, which learners can see."""
        return [course for course in self.rows.values() if course["status"] == "ACTIVE"]

    def import_menu(self) -> list[Record]:
        """Return the courses that an administrator can import. Excludes courses that have never been active."""
        return [course for key, course in self.rows.items() if key in self._ever_active]
