"""Translates content items into OCN courses of SAP SuccessFactors Learning. Pure; SAP's limits are constants here.

The fields are the ones that Open edX sends to ``OcnCourses``. SAP does not publish their maximum lengths.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.content import courses, text
from enterprise_catalog.integrated_channels.channels.fields import TextLength

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem, CourseRun, Payload

MAX_COURSE_ID_LENGTH: Final = 255  #: The catalog's own limit; SAP documents none.

NEW_WINDOW: Final = 3  #: SAP's ``launchType`` for content that opens in a new window.
REVISION: Final = 1  #: SAP's default. SAP overwrites a course regardless of this number.
CURRENCY: Final = "USD"  #: ISO 4217 code of the catalog's prices.

_Texts = list[dict[str, str]]  #: One text in several locales.
_PACINGS: Final = {"self_paced": "Self-paced", "instructor_paced": "Instructor-paced"}
_REQUIREMENTS: Final = courses.Requirements(
    "SAP",
    MAX_COURSE_ID_LENGTH,
    f"the course ID in SAP is limited to {MAX_COURSE_ID_LENGTH}.",
    sendable="A {kind} cannot be sent to SAP; only courses and programs can be sent.",
)


class CourseStatus(StrEnum):
    """Values of ``status``, which controls if SAP offers a course."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DELETED = "DELETED"


class CourseSettings(ChannelSettings):
    """Settings that control the translation of courses for one customer."""

    provider_id: str = Field(
        default="EDX", min_length=1, description="ID of the OCN provider, as registered in the customer's SAP Learning."
    )
    default_locale: str = Field(default="English", min_length=1, description="SAP's name of the locale of all texts.")
    additional_locales: tuple[str, ...] = Field(
        default=(), description="Names of further locales in which all texts are sent, untranslated."
    )
    run_locales: dict[str, str] = Field(
        default={},
        description='For course runs: maps content languages, in lower case, to SAP locales: {"es": "Spanish"}.',
    )
    price: Literal["zero", "catalog", "none"] = Field(
        default="zero", description="'zero', 'catalog' (the catalog's price in USD), or 'none' to send no price."
    )
    mobile_enabled: bool = Field(default=True, description="Let learners launch courses on mobile devices.")
    title_length: TextLength = None  #: SAP documents no limit, here and below.
    description_length: TextLength = None
    retired_launch_url: str = Field(
        default="", description="Launch URL of retired courses. Only needed if SAP rejects them without content."
    )


def to_course(item: ContentItem, settings: CourseSettings) -> Payload:
    """Return the active OCN course for ``item``. Texts are plain text; dates are epoch milliseconds.

    Raises:
        RejectedError: the item is a pathway, its key is too long, or it has no title or launch URL. The message lists
            every problem.
    """
    address = courses.address_of(item)
    # SAP would reject the whole import because of one invalid URL.
    no_address = "The item has no valid enrollment or marketing URL; SAP needs one."
    _REQUIREMENTS.check(item, (not courses.is_web_address(address), no_address))
    locales = _locales(item, settings)
    title = _localized(_title(item, settings.title_length), locales)
    description = _localized(text.cut(_description(item), settings.description_length), locales)
    course = _course(item.content_key, CourseStatus.ACTIVE, title=title, description=description, settings=settings)
    course |= {
        "content": [_launch_point(item.content_key, text.plain(item.title), address, settings)],
        "price": _price(item, settings),
        "schedule": _schedule(item),
    }
    if courses.is_web_address(item.image_url):
        course["thumbnailURI"] = item.image_url
    return course


def retired_course(content_key: str, title: str, status: CourseStatus, settings: CourseSettings) -> Payload:
    """Return the minimal payload that retires a course: only the required fields, and no content.

    If ``retired_launch_url`` is set, the payload includes content with this URL.

    Args:
        title: the last known title of the course; if it is empty, the content key is used.
    """
    name = text.cut(text.plain(title), settings.title_length) or content_key
    texts = _localized(name, [settings.default_locale, *settings.additional_locales])
    course = _course(content_key, status, title=texts, description=texts, settings=settings)
    if settings.retired_launch_url:
        course["content"] = [_launch_point(content_key, name, settings.retired_launch_url, settings)]
    return course


def _course(key: str, status: CourseStatus, *, title: _Texts, description: _Texts, settings: CourseSettings) -> Payload:
    """Return the required fields of a course."""
    return {
        "courseID": key,
        "providerID": settings.provider_id,
        "status": status.value,
        "title": title,
        "description": description,
        "schedule": [],
        "revisionNumber": REVISION,
    }


def _locales(item: ContentItem, settings: CourseSettings) -> list[str]:
    """Return SAP's names of the locales for all texts. The language of a course run comes first."""
    first = settings.default_locale
    if item.content_type == "courserun" and item.run is not None:
        language = item.run.language.lower()
        first = settings.run_locales.get(language) or settings.run_locales.get(language.partition("-")[0]) or first
    return list(dict.fromkeys([first, *settings.additional_locales]))


def _localized(value: str, locales: list[str]) -> _Texts:
    return [{"locale": locale, "value": value} for locale in locales]


def _title(item: ContentItem, length: int | None) -> str:
    """Return the title. For a course run it includes the start month, to distinguish the runs of a course."""
    ending = _start_of(item.run) if item.content_type == "courserun" and item.run else ""
    return text.cut(courses.title_of(item), length and max(length - len(ending), 1)) + ending


def _start_of(run: CourseRun) -> str:
    if run.start is None:
        return ""
    if run.is_enrollable is False:
        return f" ({run.start:%B %Y} - Enrollment Closed)"
    return f" (Starts: {run.start:%B %Y})"


def _description(item: ContentItem) -> str:
    description = text.plain(item.full_description) or text.plain(item.short_description) or text.plain(item.title)
    if item.run is None or item.content_type == "courserun":
        return description
    return " ".join([*_facts(item.run), description])


def _facts(run: CourseRun) -> list[str]:
    """Return sentences about the course run for the description: pacing, dates, closed enrollment."""
    dates = [("Starts", run.start), ("Ends", run.end)]
    dates_text = ", ".join(f"{word}: {moment:%B %Y}" for word, moment in dates if moment is not None)
    pacing = _PACINGS.get(run.pacing, "")
    facts = [f"Pacing: {pacing}." if pacing else "", f"{dates_text}." if dates_text else ""]
    facts.append("Enrollment is closed." if run.is_enrollable is False else "")
    return [fact for fact in facts if fact]


def _launch_point(content_key: str, title: str, address: str, settings: CourseSettings) -> dict[str, object]:
    return {
        "providerID": settings.provider_id,
        "launchURL": address,
        "contentTitle": text.cut(title, settings.title_length),
        "contentID": content_key,
        "launchType": NEW_WINDOW,
        "mobileEnabled": settings.mobile_enabled,
        "mobileLaunchURL": address,
    }


def _price(item: ContentItem, settings: CourseSettings) -> list[dict[str, object]]:
    """Return the price according to the ``price`` setting; an empty list to send no price."""
    value = {"zero": 0.0, "catalog": item.price_usd, "none": None}[settings.price]
    return [] if value is None else [{"currency": CURRENCY, "value": value}]


def _schedule(item: ContentItem) -> list[dict[str, object]]:
    """Return the dates of the run, or an empty list if a date is missing or the end is before the start.

    SAP treats an empty date as an error.
    """
    run = item.run
    if run is None or run.start is None or run.end is None or run.end < run.start:
        return []
    is_active = item.is_available if run.is_enrollable is None else run.is_enrollable
    # In epoch milliseconds.
    dates = {"startDate": int(run.start.timestamp() * 1000), "endDate": int(run.end.timestamp() * 1000)}
    return [{**dates, "active": is_active, "duration": f"{(run.end - run.start).days} days"}]
