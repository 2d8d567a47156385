"""Parses the catalog's content documents: the fields that channels translate; all other fields are ignored.

The catalog guarantees the key, the type and the time of the last change. All other fields are as course-discovery wrote
them. An invalid detail counts as missing, such as a run without a valid date or a price that is not a number. Only an
invalid value in a field that channels cannot do without, such as a text, makes a document unreadable.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, TypeAdapter, ValidationError, WrapValidator

from enterprise_catalog.integrated_channels.domain import ContentItem, CourseRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidatorFunctionWrapHandler

#: Values of a run's ``availability``, in lower case, for runs that learners can enroll in now or soon.
_AVAILABLE: Final = frozenset({"current", "starting soon", "upcoming"})
_EXECUTIVE_EDUCATION: Final = "executive-education-2u"


def _text(value: object) -> object:
    return "" if value is None else value


def _organization_names(value: object) -> object:
    """Return the names in ``Northwind: Northwind Institute``, the catalog's format for organizations."""
    if not isinstance(value, list):
        return () if value is None else value
    return tuple(entry.partition(": ")[2] or entry if isinstance(entry, str) else entry for entry in value)


def _names(value: object) -> object:
    """Return names given as strings or as objects with a ``name``; documents contain both forms."""
    entries = value if isinstance(value, list) else []
    names = (entry.get("name") if isinstance(entry, dict) else entry for entry in entries)
    return tuple(name for name in names if isinstance(name, str) and name)


def _source(value: object) -> object:
    """Return the URL in ``{"src": …}``, the catalog's format for videos."""
    source = value.get("src") if isinstance(value, dict) else value
    return source if isinstance(source, str) else ""


def _aware(moment: datetime) -> datetime:
    """Return an aware time; a time without a zone is UTC, as everywhere in Open edX."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


def _list(value: object) -> object:
    return value if isinstance(value, list) else []


_Text = Annotated[str, BeforeValidator(_text)]
_Moment = Annotated[datetime, AfterValidator(_aware)]
_LenientMoment = Annotated[_Moment | None, WrapValidator(_or_none)]
_LenientNumber = Annotated[float | None, WrapValidator(_or_none)]
_LenientText = Annotated[str | None, WrapValidator(_or_none)]
_Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class _Run(BaseModel):
    """A course run, nested in its course or as a document of its own."""

    uuid: _LenientText = None
    availability: _LenientText = None
    is_enrollable: Annotated[bool | None, WrapValidator(_or_none)] = None
    pacing_type: _LenientText = None
    content_language: _LenientText = None
    start: _LenientMoment = None
    end: _LenientMoment = None
    min_effort: _LenientNumber = None
    max_effort: _LenientNumber = None
    weeks_to_complete: _LenientNumber = None
    estimated_hours: _LenientNumber = None
    first_enrollable_paid_seat_price: _LenientNumber = None
    fixed_price_usd: _LenientNumber = None

    def as_course_run(self) -> CourseRun:
        return CourseRun(
            start=self.start,
            end=self.end,
            is_enrollable=self.is_enrollable,
            pacing=self.pacing_type or "",
            language=self.content_language or "",
            min_effort_hours=self.min_effort,
            max_effort_hours=self.max_effort,
            weeks=self.weeks_to_complete,
            estimated_hours=self.estimated_hours,
        )


class _Entitlement(BaseModel):
    price: _LenientNumber = None


_LenientRun = Annotated[_Run | None, WrapValidator(_or_none)]
_LenientEntitlement = Annotated[_Entitlement | None, WrapValidator(_or_none)]


class _Document(BaseModel):
    """The fields of a content document that channels translate. The catalog guarantees only the first three."""

    content_key: str
    content_type: str
    content_last_modified: _Moment
    title: _Text = ""
    short_description: _Text = ""
    full_description: _Text = ""
    enrollment_url: _Text = ""
    marketing_url: _Text = ""
    image_url: _Text = ""
    organizations: Annotated[tuple[str, ...], BeforeValidator(_organization_names)] = ()
    course_type: _Text = ""
    start: _Moment | None = None
    end: _Moment | None = None

    level_type: _LenientText = None
    languages: _Names = ()
    subjects: _Names = ()
    skill_names: _Names = ()
    video: Annotated[str, BeforeValidator(_source)] = ""
    card_image_url: _LenientText = None
    advertised_course_run_uuid: _LenientText = None
    course_runs: Annotated[list[_LenientRun], BeforeValidator(_list)] = []
    entitlements: Annotated[list[_LenientEntitlement], BeforeValidator(_list)] = []


_DOCUMENT: Final = TypeAdapter(_Document)
_RUN: Final = TypeAdapter(_Run)
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(_Moment)

#: Fields that a document and an item have in common.
_SAME: Final = (
    *("content_key", "content_type", "title", "short_description", "full_description", "enrollment_url"),
    *("marketing_url", "organizations", "course_type", "start", "end", "languages", "subjects"),
)


def read_item(document: Mapping[str, object]) -> ContentItem:
    """Return the item that a document describes.

    Raises:
        ValidationError: a field that channels cannot do without is invalid.
    """
    read = _DOCUMENT.validate_python(document)
    runs = [run for run in read.course_runs if run is not None]
    if read.content_type == "courserun":
        runs = [_RUN.validate_python(document)]
    run = _run_that_counts(runs, read.advertised_course_run_uuid)
    return ContentItem(
        updated_at=read.content_last_modified,
        image_url=read.image_url or read.card_image_url or "",
        level=read.level_type or "",
        skills=read.skill_names,
        video_url=read.video,
        price_usd=_price(read, run),
        is_available=_is_available(runs),
        run=run.as_course_run() if run else None,
        **{name: getattr(read, name) for name in _SAME},
    )


def read_updated_at(document: Mapping[str, object]) -> datetime | None:
    """Return the time of the item's last change; ``None`` if it is invalid."""
    try:
        return _MOMENT.validate_python(document.get("content_last_modified"))
    except ValidationError:
        return None


def _run_that_counts(runs: list[_Run], advertised: str | None) -> _Run | None:
    """Return the advertised run, else the run with the latest start, else the first run; ``None`` without runs.

    The next run to start would depend on the clock, but a payload must change only when the content changes.
    """
    named = [run for run in runs if advertised and run.uuid == advertised]
    dated = [run for run in runs if run.start is not None]
    latest = sorted(dated, key=lambda run: run.start or datetime.min.replace(tzinfo=UTC), reverse=True)
    return next(iter([*named, *latest, *runs]), None)


def _is_available(runs: list[_Run]) -> bool:
    """Return True if one of the runs is available, or if no run has a value for availability."""
    availabilities = [run.availability.lower() for run in runs if run.availability]
    return not availabilities or any(availability in _AVAILABLE for availability in availabilities)


def _price(document: _Document, run: _Run | None) -> float | None:
    """Return the item's price by Open edX's own rule; ``None`` if there is no price."""
    if run and run.fixed_price_usd is not None:
        return run.fixed_price_usd
    if document.course_type == _EXECUTIVE_EDUCATION:
        prices = [each.price for each in document.entitlements if each and each.price is not None]
        if prices:
            return prices[0]
    return run.first_enrollable_paid_seat_price if run else None
