"""Content items -> Canvas courses. Pure; every limit of Canvas's is a constant here.

https://developerdocs.instructure.com/services/canvas/resources/courses and the validations of Canvas's course model
(app/models/course.rb).
"""

from __future__ import annotations

import html
from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from enterprise_catalog.integrated_channels.channels import courses
from enterprise_catalog.integrated_channels.channels.text import cut

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.types import ContentItem, Payload

MAX_NAME_LENGTH: Final = 255  #: ``maximum_string_length``, of ``name`` and ``course_code``.
MAX_INTEGRATION_ID_LENGTH: Final = 255  #: The database's column; the model has no rule.
MAX_SYLLABUS_LENGTH: Final = 500 * 1024 - 1  #: ``maximum_long_text_length``, in characters.

#: What stands in a web address for itself; Canvas lets Ruby's ``URI.parse`` judge, which takes nothing else.
_ADDRESS_CHARACTERS: Final = "%:/?#@!$&'()*+,;=~"

_REQUIREMENTS: Final = courses.Requirements(
    "Canvas",
    MAX_INTEGRATION_ID_LENGTH,
    f"Canvas takes at most {MAX_INTEGRATION_ID_LENGTH}.",
    sendable="Canvas has nothing that a {kind} could be; it holds courses.",
    title="The item has no title; Canvas would call it 'Unnamed Course'.",
)


def to_course(item: ContentItem) -> Payload:
    """Return the fields of the Canvas course that stands for ``item``, named as the API names them.

    Only what has dates of its own (a course run) gets dates. ``image_url`` is left out where there is no image.

    Raises:
        RejectedError: a pathway; a key that is too long; no title; an image that has no web address; an end before the
            start. The message names all of it.
    """
    image = f"The image has no web address that Canvas could show: {cut(item.image_url, 100)!r}."
    _REQUIREMENTS.check(
        item,
        ("\0" in item.content_key, "The content key holds a null character, which no text in Canvas can."),
        (item.image_url and not _is_web_address(item.image_url), image),
        (backwards := _backwards(item), backwards),
    )
    title = courses.title_of(item)
    has_dates = item.start is not None or item.end is not None
    course: Payload = {
        "name": cut(title, MAX_NAME_LENGTH),
        "course_code": item.content_key,
        "integration_id": item.content_key,
        "syllabus_body": _syllabus(item, title),
        "start_at": _iso(item.start),
        "end_at": _iso(item.end),
        # Canvas takes no dates without it, and forgets them where it is false.
        "restrict_enrollments_to_course_dates": has_dates,
    }
    if item.image_url:
        course["image_url"] = quote(item.image_url.strip(), safe=_ADDRESS_CHARACTERS)
    return course


def _backwards(item: ContentItem) -> str:
    """Return what is wrong with dates that contradict each other; empty if nothing is."""
    if not (item.start and item.end and item.end < item.start):
        return ""
    return f"It ends ({item.end:%Y-%m-%d}) before it starts ({item.start:%Y-%m-%d}); Canvas refuses such dates."


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.netloc.isascii()


def _syllabus(item: ContentItem, title: str) -> str:
    """Return a link to the enrolment page, the dates, and the longest description that fits, as HTML."""
    lines = []
    if link := courses.link_to_course_page(courses.address_of(item)):
        lines.append(f"<p>{link}</p>")
    dates = (("Starts", item.start), ("Ends", item.end))
    if told := ", ".join(f"{word}: {moment:%Y-%m-%d}" for word, moment in dates if moment):
        lines.append(f"<p>{told}</p>")
    head = "".join(lines)
    shortest = head + html.escape(cut(title, MAX_NAME_LENGTH))
    whole = (head + text for text in (item.full_description, item.short_description) if text)
    fitting = next((text for text in whole if len(text) <= MAX_SYLLABUS_LENGTH), shortest)
    return fitting.replace("\0", "")  # PostgreSQL holds none.


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC).isoformat(timespec='seconds').removesuffix('+00:00')}Z"
