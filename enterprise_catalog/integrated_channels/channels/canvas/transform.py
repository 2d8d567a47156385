"""Content items -> Canvas courses. Pure; every limit of Canvas's is a constant here.

https://developerdocs.instructure.com/services/canvas/resources/courses and the validations of Canvas's course model
(app/models/course.rb).
"""

from __future__ import annotations

import html
from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from enterprise_catalog.integrated_channels.channels.text import cut, kind_of, plain
from enterprise_catalog.integrated_channels.exceptions import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from enterprise_catalog.integrated_channels.types import ContentItem, Payload

MAX_NAME_LENGTH: Final = 255  #: ``maximum_string_length``, of ``name`` and ``course_code``.
MAX_INTEGRATION_ID_LENGTH: Final = 255  #: The database's column; the model has no rule.
MAX_SYLLABUS_LENGTH: Final = 500 * 1024 - 1  #: ``maximum_long_text_length``, in characters.

#: What stands in a web address for itself; Canvas lets Ruby's ``URI.parse`` judge, which takes nothing else.
_ADDRESS_CHARACTERS: Final = "%:/?#@!$&'()*+,;=~"

#: Executive education is told apart by its title, as on Open edX's own pages.
_EXEC_ED: Final = "executive-education-2u"
_SENDABLE: Final = frozenset({"course", "courserun", "program"})


def to_course(item: ContentItem) -> Payload:
    """Return the fields of the Canvas course that stands for ``item``, named as the API names them.

    Only what has dates of its own (a course run) gets dates. ``image_url`` is left out where there is no image.

    Raises:
        RejectedError: a pathway; a key that is too long; no title; an image that has no web address; an end before the
            start. The message names all of it.
    """
    title = plain(item.title)
    if obstacles := list(_obstacles(item, title)):
        raise RejectedError(" ".join(obstacles))
    if item.course_type == _EXEC_ED:
        title = f"ExecEd: {title}"
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


def _obstacles(item: ContentItem, title: str) -> Iterator[str]:
    if item.content_type not in _SENDABLE:
        yield f"Canvas has nothing that a {kind_of(item)} could be; it holds courses."
    if len(item.content_key) > MAX_INTEGRATION_ID_LENGTH:
        length = len(item.content_key)
        yield f"The content key has {length} characters; Canvas takes at most {MAX_INTEGRATION_ID_LENGTH}."
    if "\0" in item.content_key:
        yield "The content key holds a null character, which no text in Canvas can."
    if not title:
        yield "The item has no title; Canvas would call it 'Unnamed Course'."
    if item.image_url and not _is_web_address(item.image_url):
        yield f"The image has no web address that Canvas could show: {cut(item.image_url, 100)!r}."
    if item.start and item.end and item.end < item.start:
        yield f"It ends ({item.end:%Y-%m-%d}) before it starts ({item.start:%Y-%m-%d}); Canvas refuses such dates."


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.netloc.isascii()


def _syllabus(item: ContentItem, title: str) -> str:
    """Return a link to the enrolment page, the dates, and the longest description that fits, as HTML."""
    lines = []
    if address := html.escape(item.enrollment_url or item.marketing_url):
        lines.append(f'<p><a href="{address}" target="_blank">Go to the course page</a></p>')
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
