"""Translates content items into courses of Cornerstone's feed. Pure; every Cornerstone limit is a constant here.

Sources: csod.dev, "Content connectors", and requests that Open edX's channel was seen to send. The vendor publishes few
limits. Limits marked "Open edX" are the ones in Open edX's channel.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels.content.courses import SENDABLE, address_of, owners_of
from enterprise_catalog.integrated_channels.channels.content.text import cut, kind_of, plain
from enterprise_catalog.integrated_channels.exceptions import RejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import ContentItem, CourseRun, Payload

MAX_ID_LENGTH: Final = 50  #: Of a course ID (csod.dev).
MAX_DESCRIPTION_LENGTH: Final = 10_000  #: Open edX.
MAX_TITLE_LENGTH: Final = 500  #: Not published; a guess, equal to the limit of partner names.
MAX_PARTNER_LENGTH: Final = 500  #: Open edX.

#: Language name in the catalog -> language code in Cornerstone.
LANGUAGE_CODES: Final[Mapping[str, str]] = {
    "Arabic": "ar-SA",
    "Chinese - Mandarin": "zh-CN",
    "Chinese - Simplified": "zh-CN",
    "Chinese - Traditional": "zh-TW",
    "Dutch": "nl-NL",
    "English": "en-US",
    "French": "fr-FR",
    "German": "de-DE",
    "Hindi": "hi-IN",
    "Italian": "it-IT",
    "Japanese": "ja-JP",
    "Korean": "ko-KR",
    "Polish": "pl-PL",
    "Portuguese": "pt-BR",
    "Russian": "ru-RU",
    "Spanish": "es-ES",
    "Turkish": "tr-TR",
}
DEFAULT_LANGUAGE: Final = "en-US"


def to_course(
    item: ContentItem, *, subjects: Mapping[str, str], default_subject: str, partner: str, hide_archived: bool = False
) -> Payload:
    """Return the feed entry of ``item``, without its ID and modification time.

    Args:
        subjects: subject in the catalog -> subject in Cornerstone.
        default_subject: the subject of items that have no mapped subject.
        partner: the partner of items without an organization.
        hide_archived: mark courses as inactive that are closed for enrollment.

    Raises:
        RejectedError: the content type is not supported, or the title or URL is missing. The message lists every
            problem.
    """
    title, url = plain(item.title), address_of(item)
    issues = [
        *([] if item.content_type in SENDABLE else [f"a {kind_of(item)} cannot be sent to Cornerstone"]),
        *([] if title else ["it has no title"]),
        *([] if url else ["it has no enrollment or marketing URL"]),
    ]
    if issues:
        raise RejectedError(f"The item cannot be added to the feed: {'; '.join(issues)}.")
    course: Payload = {
        "Title": cut(title, MAX_TITLE_LENGTH),
        "Description": _description(item, title),
        "URL": url,
        "IsActive": item.is_available or not hide_archived,
        "IsMobile": True,
        "Partners": [{"Name": cut(name, MAX_PARTNER_LENGTH)} for name in owners_of(item) or [partner]],
        "Languages": _languages(item),
        "Subjects": _subjects(item, subjects, default_subject),
    }
    if item.image_url:  # Without a thumbnail, Cornerstone shows a default image.
        course["Thumbnail"] = item.image_url
    if (duration := _duration(item.run)) is not None:
        course["Duration"] = duration
    return course


def _description(item: ContentItem, title: str) -> str:
    full, short = plain(item.full_description), plain(item.short_description)
    if full and len(full) <= MAX_DESCRIPTION_LENGTH:
        return full
    return cut(short or full or title, MAX_DESCRIPTION_LENGTH)


def _languages(item: ContentItem) -> list[str]:
    codes = (LANGUAGE_CODES.get(name.partition(" (")[0]) for name in item.languages)
    return list(dict.fromkeys(code for code in codes if code)) or [DEFAULT_LANGUAGE]


def _subjects(item: ContentItem, names: Mapping[str, str], default: str) -> list[str]:
    known = dict.fromkeys(names[subject] for subject in item.subjects if subject in names)
    return list(known) or [default]


def _duration(run: CourseRun | None) -> str | None:
    """Return the duration as ``HH:MM:00``, rounded up to minutes; ``None`` if unknown."""
    hours = _hours(run) if run else None
    if not hours or hours < 0:
        return None
    minutes = ceil(hours * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def _hours(run: CourseRun) -> float | None:
    if run.estimated_hours:
        return run.estimated_hours
    if run.weeks and run.max_effort_hours:
        least = run.max_effort_hours if run.min_effort_hours is None else run.min_effort_hours
        return run.weeks * (least + run.max_effort_hours) / 2
    return None
