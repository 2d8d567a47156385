"""Content items -> Degreed courses. Pure; every limit of Degreed's is a constant here.

https://developer.degreed.com/reference, "Content": attributes of a course.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels import courses
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.fields import TextLength
from enterprise_catalog.integrated_channels.channels.text import cut, plain

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.types import ContentItem, CourseRun, Payload

#: Degreed documents no limits of lengths. These two are what Open edX's channel has for them; settings change them.
DEFAULT_TITLE_LENGTH: Final = 255
DEFAULT_SUMMARY_LENGTH: Final = 2_000
MAX_EXTERNAL_ID_LENGTH: Final = 255  #: Not documented either; no content key is longer.

CURRENCY: Final = "USD"
DURATION_TYPE: Final = "Hours"  #: One of Seconds, Minutes, Hours, Days.

#: Hours, weeks or dollars from here on are a mistake; the product of two must fit into what JSON takes for an integer.
_SENSELESS: Final = 1_000_000_000

#: Of a payload: what is sent by a call of its own.
SKILLS: Final = "skills"

_REQUIREMENTS: Final = courses.Requirements(
    "Degreed",
    MAX_EXTERNAL_ID_LENGTH,
    f"at most {MAX_EXTERNAL_ID_LENGTH} are sent.",
    sendable="Degreed courses cannot stand for a {kind}.",
)


class CourseSettings(ChannelSettings):
    """How one organisation wants its courses."""

    send_skills: bool = Field(default=True, description="Whether a course's skills are set, which takes a second call.")
    #: Otherwise everything costs nothing, as it does for learners of an enterprise.
    show_price: bool = Field(default=False, description="Whether courses tell their price; otherwise they cost 0 USD.")
    title_length: TextLength = DEFAULT_TITLE_LENGTH
    summary_length: TextLength = DEFAULT_SUMMARY_LENGTH


def to_course(item: ContentItem, settings: CourseSettings) -> Payload:
    """Return the attributes of the Degreed course that stands for ``item``, and its skills under :data:`SKILLS`.

    Texts are plain. What is not known is ``None``, so that an update takes away what was known before; a duration or a
    price that is not known is 0.

    Raises:
        RejectedError: a pathway, a key that is too long, no title, or no web address; the message names all of it.
    """
    url = courses.address_of(item)
    link = f"the link {cut(url, 100)!r}" if url else "no link"
    _REQUIREMENTS.check(item, (not courses.is_web_address(url), f"The item has {link}; Degreed needs a web address."))
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
    """Return who teaches, how long it takes, and the description, without a tag that a cut could fall into."""
    owners = ", ".join(courses.owners_of(item))
    return f"{f'[{owners}]: ' if owners else ''}{_effort(item.run)}{courses.description_of(item)}"


def _effort(run: CourseRun | None) -> str:
    """Return such as ``2-3 hours a week for 6 weeks.`` and a space; nothing if it is not known."""
    hours = _weekly_hours(run)
    if run is None or not hours:
        return ""
    often = f"{'-'.join(f'{each:g}' for each in hours)} {'hour' if hours == [1] else 'hours'} a week"
    weeks = _positive(run.weeks)
    return f"{often} for {weeks:g} {'week' if weeks == 1 else 'weeks'}. " if weeks else f"{often}. "


def _hours(run: CourseRun | None) -> int:
    """Return how many hours a run takes in all, rounded up."""
    weekly = _weekly_hours(run)
    if run is None:
        return 0
    if weekly and (weeks := _positive(run.weeks)):
        return math.ceil(weeks * sum(weekly) / len(weekly))
    return math.ceil(_positive(run.estimated_hours) or 0)


def _weekly_hours(run: CourseRun | None) -> list[float]:
    """Return the least and the most hours a week, ascending; one number if they are equal or one is not known."""
    efforts = (run.min_effort_hours, run.max_effort_hours) if run else ()
    return sorted({hours for effort in efforts if (hours := _positive(effort))})


def _positive(number: float | None) -> float | None:
    """Return ``number`` unless it is none that makes sense: zero or less, no number, or beyond all bounds."""
    return number if number is not None and 0 < number < _SENSELESS else None


def _language(run: CourseRun | None) -> str | None:
    """Return the run's language as ISO 639-1 has it: ``en`` of ``en-us``."""
    code = run.language.partition("-")[0].lower() if run else ""
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _skills(item: ContentItem) -> list[str]:
    """Return the names of skills, each once, in the order in which the catalog has them."""
    return list(dict.fromkeys(filter(None, map(plain, item.skills))))
