"""Content items -> Moodle courses. Pure; every limit of Moodle's is a constant here.

https://docs.moodle.org/dev/Web_service_API_functions and, where they differ, what was observed on Moodle 4.5.6.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels import courses
from enterprise_catalog.integrated_channels.channels.text import cut, plain

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.types import ContentItem, Payload

MAX_IDNUMBER_LENGTH: Final = 100  #: mdl_course.idnumber; one more is refused as ``dmlwriteexception``.
MAX_SHORTNAME_LENGTH: Final = 255  #: mdl_course.shortname.
MAX_FULLNAME_LENGTH: Final = 254  #: mdl_course.fullname up to Moodle 4.5; 1,333 from 5.0 on.

NO_END_DATE: Final = 0  #: Without an end date Moodle would set one, a year after the start.

_REQUIREMENTS: Final = courses.Requirements(
    "Moodle", MAX_IDNUMBER_LENGTH, f"Moodle's ID number holds at most {MAX_IDNUMBER_LENGTH}."
)

DEFAULT_SITE_NAME: Final = "edX.org"

#: PHP takes ``<`` for the start of a tag unless what C calls white space follows, and Moodle refuses names with tags.
_TAG_START: Final = re.compile(r"<(?=[^ \t\n\v\f\r])")


def to_course(
    item: ContentItem,
    *,
    category_id: int,
    site_name: str = DEFAULT_SITE_NAME,
    fullname_length: int = MAX_FULLNAME_LENGTH,
) -> Payload:
    """Return the fields of the Moodle course that stands for ``item``, named as the web service names them.

    Texts are plain where Moodle takes no HTML; dates are epoch seconds.

    Args:
        site_name: the learning site that full names say the course comes from.

    Raises:
        RejectedError: a pathway, a key that is too long for ``idnumber``, or no title.
    """
    _REQUIREMENTS.check(item)
    title = plain(item.title)
    course: Payload = {
        "fullname": _fitted(_strict(_fullname(item, site_name)), fullname_length),
        "shortname": _shortname(title, item.content_key),
        "categoryid": category_id,
        "idnumber": item.content_key,
        "summary": _summary(item, title),
    }
    if item.start is not None:
        course["startdate"] = _epoch(item.start)
    course["enddate"] = NO_END_DATE if item.end is None else _epoch(item.end)
    return course


def _fullname(item: ContentItem, site_name: str) -> str:
    organizations = ", ".join(courses.owners_of(item))
    whole = f"{courses.title_of(item)} - via {site_name}"
    return f"{whole} ({organizations})" if organizations else whole


def _shortname(title: str, key: str) -> str:
    """Return title and key; the title gives way, since the key keeps the short name unique."""
    ending = _strict(f" ({key})")
    return _fitted(_strict(title), MAX_SHORTNAME_LENGTH - len(ending)) + ending


def _summary(item: ContentItem, title: str) -> str:
    """Return a link to the enrolment page and the description, as HTML, which is what Moodle takes a summary for.

    Its column takes a megabyte and more.
    """
    link = courses.link_to_course_page(courses.address_of(item))
    description = item.full_description or item.short_description or html.escape(title)
    # Moodle refuses null characters wherever they stand.
    return f"{link}{'<br/>' if link else ''}{description}".replace("\0", "")


def _strict(text: str) -> str:
    """Return plain text as Moodle's strict text fields take it: with nothing in it that PHP would take for a tag."""
    return _TAG_START.sub("< ", text)


def _fitted(strict: str, length: int) -> str:
    """Return strict text cut to ``length``; it stays strict, since no ``<`` is left to stand before the ellipsis."""
    return cut(strict, length).replace("<…", "…")


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
