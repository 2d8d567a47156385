"""Translates content items into Lectern courses. Pure; every Lectern limit is a constant here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels.content import courses, text

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload

MAX_EXTERNAL_ID_LENGTH: Final = 80  #: https://lectern.example.org/docs/courses
MAX_TITLE_LENGTH: Final = 120

_REQUIREMENTS: Final = courses.Requirements(
    "Lectern", MAX_EXTERNAL_ID_LENGTH, f"Lectern's external ID is limited to {MAX_EXTERNAL_ID_LENGTH}."
)


def to_course(item: ContentItem) -> Payload:
    """Return the fields of the Lectern course for ``item``.

    Raises:
        RejectedError: the item is not a course, its key is too long, or it has no title or link. The message lists
            every problem.
    """
    link = courses.address_of(item)
    _REQUIREMENTS.check(
        item,
        (item.content_type != "course", f"Lectern has courses only, and this is a {item.content_type}."),
        (not link, "The item has no address; Lectern needs a link."),
    )
    return {
        "external_id": item.content_key,
        "title": text.cut(courses.title_of(item), MAX_TITLE_LENGTH),
        "link": link,
        "description": text.plain(item.short_description or item.full_description),
    }
