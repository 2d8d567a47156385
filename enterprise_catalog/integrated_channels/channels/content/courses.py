"""Shared parts of course translations: requirements, titles, owners, links, descriptions. Pure.

The field names and limits of an LMS belong in the ``transform.py`` of its channel.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from enterprise_catalog.integrated_channels.channels.content.text import kind_of, plain
from enterprise_catalog.integrated_channels.exceptions import RejectedError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.domain import ContentItem

#: Content types that can be sent as a course.
SENDABLE: Final = frozenset({"course", "courserun", "program"})

#: Course type of executive education. Its titles get a prefix, as on Open edX's own pages.
_EXEC_ED: Final = "executive-education-2u"


@dataclass(frozen=True, slots=True)
class Requirements:
    """Requirements of an LMS for every item, each with the sentence shown to operators when it is not met."""

    lms: str  #: Display name of the LMS.
    max_key_length: int  #: In characters.
    key_length: str  #: End of the sentence about a key that is too long, after the length of the key.
    sendable: str = "A {kind} cannot be sent to {lms}; only courses can be sent."
    title: str = "The item has no title; {lms} needs one."

    def check(self, item: ContentItem, *further: tuple[object, str]) -> None:
        """Check ``item`` against all requirements.

        Args:
            further: checks that are specific to this LMS, as pairs: a true value if the item has the problem, and the
                sentence that describes the problem.

        Raises:
            RejectedError: the item does not meet the requirements. The message lists every problem.
        """
        length, names = len(item.content_key), {"lms": self.lms, "kind": kind_of(item)}
        problems = (
            (item.content_type not in SENDABLE, self.sendable.format(**names)),
            (length > self.max_key_length, f"The content key has {length} characters; {self.key_length}"),
            (not plain(item.title), self.title.format(**names)),
            *further,
        )
        if message := " ".join(sentence for is_one, sentence in problems if is_one):
            raise RejectedError(message)


def title_of(item: ContentItem) -> str:
    """Return the title as plain text, with the prefix ``ExecEd:`` for executive education; empty without a title."""
    title = plain(item.title)
    return f"ExecEd: {title}" if title and item.course_type == _EXEC_ED else title


def address_of(item: ContentItem) -> str:
    """Return the URL of the enrollment page, or else of the marketing page; empty if the item has neither."""
    return item.enrollment_url or item.marketing_url


def owners_of(item: ContentItem) -> list[str]:
    """Return the names of the organizations as plain text, without empty names."""
    return [name for organization in item.organizations if (name := plain(organization))]


def description_of(item: ContentItem) -> str:
    """Return the full description as plain text, or else the short description, or else the title."""
    return plain(item.full_description) or plain(item.short_description) or title_of(item)


def link_to_course_page(address: str, *, attributes: str = ' target="_blank"') -> str:
    """Return an HTML link to ``address``; empty if ``address`` is empty.

    Args:
        attributes: further attributes of the tag, with a leading space.
    """
    return f'<a href="{html.escape(address)}"{attributes}>Go to the course page</a>' if address else ""


def host_of(text: str) -> str:
    """Return host and port of an HTTP or HTTPS URL; empty if ``text`` is not such a URL."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in {"https", "http"} and parts.hostname else ""


def is_web_address(text: str) -> bool:
    """Return True if ``text`` is an HTTP or HTTPS URL with the scheme in lower case, which every LMS accepts."""
    return text.startswith(("https://", "http://")) and host_of(text) != ""


def contradiction_of(item: ContentItem) -> str:
    """Return the start of a sentence about an end date before the start date; empty if the dates are consistent."""
    if not (item.start and item.end and item.end < item.start):
        return ""
    return f"The item ends ({item.end:%Y-%m-%d}) before it starts ({item.start:%Y-%m-%d})"


def described(item: ContentItem, *, head: str, title: str, length: int | None = None) -> str:
    """Return HTML: ``head``, then the full description if it fits, or else the short one, or else the title.

    Descriptions are never cut. Null characters are removed: Moodle rejects them, and PostgreSQL, the database of
    Canvas, cannot store them.

    Args:
        title: as plain text.
        length: maximum length of the result, in characters; ``None`` for no limit.
    """
    texts = (f"{head}{text}".replace("\0", "") for text in (item.full_description, item.short_description) if text)
    fitting = (text for text in texts if length is None or len(text) <= length)
    return next(fitting, f"{head}{html.escape(title)}".replace("\0", ""))
