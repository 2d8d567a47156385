"""Translates content items into Canvas courses. Pure; every Canvas limit is a constant here.

Sources: https://developerdocs.instructure.com/services/canvas/resources/courses, and the validations of Canvas's course
model (app/models/course.rb).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from enterprise_catalog.integrated_channels.channels.content import courses, text

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload

MAX_NAME_LENGTH: Final = 255  #: ``maximum_string_length``; applies to ``name`` and ``course_code``.
MAX_INTEGRATION_ID_LENGTH: Final = 255  #: Size of the database column; the model does not validate it.
MAX_SYLLABUS_LENGTH: Final = 500 * 1024 - 1  #: ``maximum_long_text_length``, in characters.

#: Special characters that stay unencoded in a URL. Canvas validates with Ruby's ``URI.parse``, which accepts no others.
_ADDRESS_CHARACTERS: Final = "%:/?#@!$&'()*+,;=~"

_REQUIREMENTS: Final = courses.Requirements(
    "Canvas",
    MAX_INTEGRATION_ID_LENGTH,
    f"Canvas's integration ID is limited to {MAX_INTEGRATION_ID_LENGTH}.",
    title="The item has no title; Canvas would call it 'Unnamed Course'.",
)


def to_course(item: ContentItem) -> Payload:
    """Return the fields of the Canvas course for ``item``, with the names of the API.

    Only course runs have dates. ``image_url`` is omitted if the item has no image.

    Raises:
        RejectedError: the item is a pathway, has no title or an invalid image URL, or ends before it starts; or its
            key is too long or contains a null character. The message lists every problem.
    """
    image_url, name = item.image_url.strip(), text.cut(courses.title_of(item), MAX_NAME_LENGTH)
    not_shown = f"Canvas cannot show the image, because its URL is invalid: {text.cut(item.image_url, 100)!r}."
    _REQUIREMENTS.check(
        item,
        ("\0" in item.content_key, "The content key contains a null character, which Canvas cannot store."),
        (item.image_url and not ((host := courses.host_of(image_url)) and host.isascii()), not_shown),
        (backwards := courses.contradiction_of(item), f"{backwards}; Canvas rejects such dates."),
    )
    course: Payload = {
        "name": name,
        "course_code": item.content_key,
        "integration_id": item.content_key,
        "syllabus_body": _syllabus(item, name),
        "start_at": item.start and text.instant(item.start),
        "end_at": item.end and text.instant(item.end),
        # Canvas ignores the dates unless this is true, and clears stored dates if it is false.
        "restrict_enrollments_to_course_dates": bool(item.start or item.end),
    }
    if image_url:
        course["image_url"] = quote(image_url, safe=_ADDRESS_CHARACTERS)
    return course


def _syllabus(item: ContentItem, name: str) -> str:
    """Return HTML with a link to the enrollment page, the dates, and the longest description that fits."""
    dates = (("Starts", item.start), ("Ends", item.end))
    dates_text = ", ".join(f"{word}: {moment:%Y-%m-%d}" for word, moment in dates if moment)
    link = courses.link_to_course_page(courses.address_of(item))
    head = "".join(f"<p>{line}</p>" for line in (link, dates_text) if line)
    return courses.described(item, head=head, title=name, length=MAX_SYLLABUS_LENGTH)
