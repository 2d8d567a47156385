"""Content items -> Canvas courses. Pure; every limit of Canvas's is a constant here.

https://developerdocs.instructure.com/services/canvas/resources/courses and the validations of Canvas's course model
(app/models/course.rb).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from enterprise_catalog.integrated_channels.channels import courses, text

if TYPE_CHECKING:
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
    image_url, name = item.image_url.strip(), text.cut(courses.title_of(item), MAX_NAME_LENGTH)
    not_shown = f"The image has no web address that Canvas could show: {text.cut(item.image_url, 100)!r}."
    host = courses.host_of(image_url)
    _REQUIREMENTS.check(
        item,
        ("\0" in item.content_key, "The content key holds a null character, which no text in Canvas can."),
        (item.image_url and not (host and host.isascii()), not_shown),
        (backwards := courses.contradiction_of(item), f"{backwards}; Canvas refuses such dates."),
    )
    course: Payload = {
        "name": name,
        "course_code": item.content_key,
        "integration_id": item.content_key,
        "syllabus_body": _syllabus(item, name),
        "start_at": item.start and text.instant(item.start),
        "end_at": item.end and text.instant(item.end),
        # Canvas takes no dates without it, and forgets them where it is false.
        "restrict_enrollments_to_course_dates": bool(item.start or item.end),
    }
    if image_url:
        course["image_url"] = quote(image_url, safe=_ADDRESS_CHARACTERS)
    return course


def _syllabus(item: ContentItem, name: str) -> str:
    """Return a link to the enrolment page, the dates, and the longest description that fits, as HTML."""
    dates = (("Starts", item.start), ("Ends", item.end))
    told = ", ".join(f"{word}: {moment:%Y-%m-%d}" for word, moment in dates if moment)
    link = courses.link_to_course_page(courses.address_of(item))
    head = "".join(f"<p>{line}</p>" for line in (link, told) if line)
    return courses.described(item, head=head, title=name, length=MAX_SYLLABUS_LENGTH)
