"""Translates content items into Blackboard courses with a description page. Pure; Blackboard's limits are constants.

Source: https://developer.anthology.com/portal/displayApi/Learn (the API's description, release 3900.65).
"""

from __future__ import annotations

import hashlib
import html
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels.content import courses
from enterprise_catalog.integrated_channels.channels.content.markup import cleaned, is_address
from enterprise_catalog.integrated_channels.channels.content.text import cut, plain

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload

MAX_COURSE_ID_LENGTH: Final = 100  #: ``courseId``, which is visible to users.
MAX_EXTERNAL_ID_LENGTH: Final = 256  #: ``externalId``.
MAX_NAME_LENGTH: Final = 333  #: ``name``.
#: ``description`` of a course. Our own limit: the API documents none, and the page contains the full text.
DESCRIPTION_LENGTH: Final = 1_000

#: All tags that Ultra accepts: https://docs.anthology.com/docs/blackboard/rest-apis/advanced/bbml
BBML_TAGS: Final = frozenset(
    ("a", "br", "del", "div", "em", "h4", "h5", "h6", "img", "li", "ol", "p", "span", "strong", "sub", "sup", "ul")
)
#: Tags for the Classic view. It accepts "safe HTML", but the vendor publishes no list; this one is conservative.
SAFE_TAGS: Final = BBML_TAGS | {"b", "blockquote", "code", "h1", "h2", "h3", "hr", "i", "pre", "u"}

DEFAULT_PAGE_TITLE: Final = "About this course"
FOLDER: Final = "resource/x-bb-folder"
DOCUMENT: Final = "resource/x-bb-document"
#: Ultra's own title for the single document of a page. Learners see the title of the folder.
ULTRA_DOCUMENT_TITLE: Final = "ultraDocumentBody"

_REQUIREMENTS: Final = courses.Requirements(
    "Blackboard", MAX_EXTERNAL_ID_LENGTH, f"Blackboard's external ID is limited to {MAX_EXTERNAL_ID_LENGTH}."
)

#: Valid course IDs, according to Blackboard's own form for new courses. Capital letters are excluded here, because
#: Blackboard may treat IDs that differ only in case as equal.
_FITTING: Final = re.compile(rf"[a-z0-9._-]{{1,{MAX_COURSE_ID_LENGTH}}}")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
_DIGEST_LENGTH: Final = 12  #: Hexadecimal digits; 48 bits.
_ENDS_LIKE_A_DIGEST: Final = re.compile(rf".*-[0-9a-f]{{{_DIGEST_LENGTH}}}")


class CourseView(StrEnum):
    """Course views of Blackboard: values of ``ultraStatus``."""

    ULTRA = "Ultra"
    CLASSIC = "Classic"  #: Now called Original.


def to_course(
    item: ContentItem, *, view: CourseView = CourseView.ULTRA, page_title: str = DEFAULT_PAGE_TITLE
) -> Payload:
    """Return the course for ``item``, with the names of the API. ``page`` contains its folder and document.

    Raises:
        RejectedError: the item is a pathway, its key is too long for ``externalId``, or it has no title.
    """
    _REQUIREMENTS.check(item)
    title = courses.title_of(item)
    return {
        "courseId": course_id(item.content_key),
        "externalId": item.content_key,
        "name": cut(title, MAX_NAME_LENGTH),
        "description": cut(plain(item.short_description or item.full_description), DESCRIPTION_LENGTH),
        "ultraStatus": view.value,
        "page": _page(item, title, view=view, page_title=page_title),
    }


def course_id(key: str) -> str:
    """Return the course ID for a content key. Deterministic and unique per key.

    A key that is not a valid course ID is made valid and gets a digest of the key as a suffix.
    """
    if _FITTING.fullmatch(key) and not _ENDS_LIKE_A_DIGEST.fullmatch(key):
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_LENGTH]
    readable = _UNFIT.sub(".", key)[: MAX_COURSE_ID_LENGTH - _DIGEST_LENGTH - 1]
    return f"{readable}-{digest}"


def _page(item: ContentItem, title: str, *, view: CourseView, page_title: str) -> Payload:
    """Return the folder and its document. In Ultra the folder is itself a page; in Classic it is a plain folder."""
    is_ultra = view is CourseView.ULTRA
    folder = {"id": FOLDER, "isBbPage": True} if is_ultra else {"id": FOLDER}
    return {
        "folder": {"title": page_title, "contentHandler": folder},
        "document": {
            "title": ULTRA_DOCUMENT_TITLE if is_ultra else page_title,
            "body": _body(item, title, BBML_TAGS if is_ultra else SAFE_TAGS),
            "contentHandler": {"id": DOCUMENT},
        },
    }


def _body(item: ContentItem, title: str, allowed: frozenset[str]) -> str:
    parts = [f"<h4>{html.escape(title, quote=False)}</h4>"]
    if is_address(address := courses.address_of(item)):
        parts.append(f"<p>{courses.link_to_course_page(address, attributes='')}</p>")
    if is_address(item.image_url):
        parts.append(f'<p><img src="{html.escape(item.image_url)}" alt=""></p>')
    if organizations := ", ".join(courses.owners_of(item)):
        parts.append(f"<p>Offered by {html.escape(organizations, quote=False)}.</p>")
    parts.append(cleaned(item.full_description or item.short_description, allowed))
    return "".join(parts)
