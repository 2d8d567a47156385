"""Translates content items into Degreed courses. Pure; every Degreed limit is a constant here.

Source: https://developer.degreed.com/reference, "Content": attributes of a course.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.content import courses
from enterprise_catalog.integrated_channels.channels.content.text import cut, plain
from enterprise_catalog.integrated_channels.channels.fields import TextLength

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem, CourseRun, Payload

#: Degreed documents no length limits. These two are the limits of Open edX's channel; settings can change them.
DEFAULT_TITLE_LENGTH: Final = 255
DEFAULT_SUMMARY_LENGTH: Final = 2_000
MAX_EXTERNAL_ID_LENGTH: Final = 255  #: Not documented; the maximum length of a content key.

CURRENCY: Final = "USD"
DURATION_TYPE: Final = "Hours"  #: One of Seconds, Minutes, Hours, Days.

#: Hours, weeks or dollars of this size are an error. The product of two smaller values is still a valid JSON integer.
_SENSELESS: Final = 1_000_000_000

#: Payload key of the skills, which are sent in a separate call.
SKILLS: Final = "skills"

_REQUIREMENTS: Final = courses.Requirements(
    "Degreed",
    MAX_EXTERNAL_ID_LENGTH,
    f"the external-id in Degreed is limited to {MAX_EXTERNAL_ID_LENGTH}.",
)


class CourseSettings(ChannelSettings):
    """Settings that control the translation of courses for one organization."""

    send_skills: bool = Field(default=True, description="Set the skills of each course, with a second call.")
    #: By default the price is 0, because learners of an enterprise do not pay.
    show_price: bool = Field(default=False, description="Include the price of courses. Otherwise, the price is 0 USD.")
    title_length: TextLength = DEFAULT_TITLE_LENGTH
    summary_length: TextLength = DEFAULT_SUMMARY_LENGTH


def to_course(item: ContentItem, settings: CourseSettings) -> Payload:
    """Return the attributes of the Degreed course for ``item``, and its skills under :data:`SKILLS`.

    Texts are plain text. Unknown values are ``None``: an update must clear old values. An unknown duration or price is
    0.

    Raises:
        RejectedError: the item is a pathway, its key is too long, or it has no title or web address. The message lists
            every problem.
    """
    url = courses.address_of(item)
    link = f"the link {cut(url, 100)!r}" if url else "no link"
    _REQUIREMENTS.check(item, (not courses.is_web_address(url), f"The item has {link}; Degreed needs a valid URL."))
    course: Payload = {
        "external-id": item.content_key,
        "title": cut(courses.title_of(item), settings.title_length),
        "summary": cut(_summary(item), settings.summary_length),
        "url": url,
        "image-url": item.image_url or None,
        "video-url": item.video_url or None,
        "language": _language(item.run),
        "difficulty": item.level or None,
        "duration": _hours(item.run),
        "duration-type": DURATION_TYPE,
        "cost-units": (_positive(item.price_usd) or 0) if settings.show_price else 0,
        "cost-unit-type": CURRENCY,
    }
    return course | {SKILLS: _skills(item)} if settings.send_skills else course


def _summary(item: ContentItem) -> str:
    """Return organizations, effort and description as plain text. Plain text is safe to truncate."""
    owners = ", ".join(courses.owners_of(item))
    return f"{f'[{owners}]: ' if owners else ''}{_effort(item.run)}{courses.description_of(item)}"


def _effort(run: CourseRun | None) -> str:
    """Return the effort with a trailing space, such as ``2-3 hours a week for 6 weeks. ``; empty if unknown."""
    hours = _weekly_hours(run)
    if run is None or not hours:
        return ""
    often = f"{'-'.join(f'{each:g}' for each in hours)} {'hour' if hours == [1] else 'hours'} a week"
    weeks = _positive(run.weeks)
    return f"{often} for {weeks:g} {'week' if weeks == 1 else 'weeks'}. " if weeks else f"{often}. "


def _hours(run: CourseRun | None) -> int:
    """Return the total hours of a run, rounded up; 0 if unknown."""
    weekly = _weekly_hours(run)
    if run is None:
        return 0
    if weekly and (weeks := _positive(run.weeks)):
        return math.ceil(weeks * sum(weekly) / len(weekly))
    return math.ceil(_positive(run.estimated_hours) or 0)


def _weekly_hours(run: CourseRun | None) -> list[float]:
    """Return minimum and maximum hours per week, ascending; one number if they are equal or only one is known."""
    efforts = (run.min_effort_hours, run.max_effort_hours) if run else ()
    return sorted({hours for effort in efforts if (hours := _positive(effort))})


def _positive(number: float | None) -> float | None:
    """Return ``number`` if it is plausible; ``None`` if it is zero, negative, NaN or too large."""
    return number if number is not None and 0 < number < _SENSELESS else None


def _language(run: CourseRun | None) -> str | None:
    """Return the run's language as an ISO 639-1 code, such as ``en`` for ``en-us``; ``None`` if unknown."""
    code = run.language.partition("-")[0].lower() if run else ""
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _skills(item: ContentItem) -> list[str]:
    """Return the distinct names of the skills, in the catalog's order."""
    return list(dict.fromkeys(filter(None, map(plain, item.skills))))
