"""Translates content items into Moodle courses. Pure; every Moodle limit is a constant here.

Source: https://docs.moodle.org/dev/Web_service_API_functions. Where Moodle 4.5.6 was observed to differ, the observed
behavior counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.content import courses
from enterprise_catalog.integrated_channels.channels.content.text import plain
from enterprise_catalog.integrated_channels.channels.protocols import php_forms

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload

MAX_IDNUMBER_LENGTH: Final = 100  #: mdl_course.idnumber; a longer value fails with ``dmlwriteexception``.
MAX_SHORTNAME_LENGTH: Final = 255  #: mdl_course.shortname.
MAX_FULLNAME_LENGTH: Final = 254  #: mdl_course.fullname up to Moodle 4.5; 1,333 from 5.0 on.

NO_END_DATE: Final = 0  #: If the field is omitted, Moodle sets an end date one year after the start.

_REQUIREMENTS: Final = courses.Requirements(
    "Moodle", MAX_IDNUMBER_LENGTH, f"Moodle's ID number is limited to {MAX_IDNUMBER_LENGTH}."
)


class CourseSettings(ChannelSettings):
    """Settings that control the translation of courses for one site."""

    category_id: int = Field(default=1, ge=1, description="ID of the course category for new courses.")
    site_name: str = Field(default="edX.org", min_length=1, max_length=50, description="Source name in full names.")
    fullname_length: int = Field(
        default=MAX_FULLNAME_LENGTH,
        ge=50,
        le=1_333,
        description="Maximum length of full names; longer names are cut. Moodle 5.0 and later accept up to 1333.",
    )


def to_course(item: ContentItem, settings: CourseSettings) -> Payload:
    """Return the fields of the Moodle course for ``item``, with the names of the web service.

    Names are plain text without anything that PHP treats as a tag; the summary is HTML. Dates are epoch seconds.

    Raises:
        RejectedError: the item is a pathway, its key is too long for ``idnumber``, or it has no title.
    """
    _REQUIREMENTS.check(item)
    title = plain(item.title)
    course: Payload = {
        "fullname": php_forms.tagless(_fullname(item, settings.site_name), settings.fullname_length),
        "shortname": _shortname(title, item.content_key),
        "categoryid": settings.category_id,
        "idnumber": item.content_key,
        "summary": _summary(item, title),
    }
    if item.start is not None:
        course["startdate"] = int(item.start.timestamp())
    course["enddate"] = NO_END_DATE if item.end is None else int(item.end.timestamp())
    return course


def _fullname(item: ContentItem, site_name: str) -> str:
    organizations = ", ".join(courses.owners_of(item))
    whole = f"{courses.title_of(item)} - via {site_name}"
    return f"{whole} ({organizations})" if organizations else whole


def _shortname(title: str, key: str) -> str:
    """Return title and key. Only the title is truncated, because the key makes the short name unique."""
    ending = php_forms.tagless(f" ({key})")
    return php_forms.tagless(title, MAX_SHORTNAME_LENGTH - len(ending)).rstrip() + ending


def _summary(item: ContentItem, title: str) -> str:
    """Return a link to the enrollment page and the description, as HTML.

    No length limit: the database column holds more than a megabyte.
    """
    link = courses.link_to_course_page(courses.address_of(item))
    return courses.described(item, head=link and f"{link}<br/>", title=title)
