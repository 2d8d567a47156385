"""What translations of items into courses have in common: refusals, titles, owners, links, descriptions. Pure.

Words and limits of one learning system stay in its own ``transform.py``.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from enterprise_catalog.integrated_channels.channels.text import kind_of, plain
from enterprise_catalog.integrated_channels.exceptions import RejectedError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.types import ContentItem

#: Content types that a course can stand for.
SENDABLE: Final = frozenset({"course", "courserun", "program"})

#: Executive education is told apart by its title, as on Open edX's own pages.
_EXEC_ED: Final = "executive-education-2u"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a learning system needs of every item, with the sentence for people where it is not met."""

    lms: str  #: What the learning system is called.
    max_key_length: int  #: In characters.
    key_length: str  #: Follows how many characters the content key has.
    sendable: str = "{lms} has nothing that a {kind} could be; only courses can be sent."
    title: str = "The item has no title; {lms} needs one."

    def check(self, item: ContentItem, *further: tuple[object, str]) -> None:
        """Refuse ``item`` unless it meets all of them.

        Args:
            further: faults that only this learning system finds: whether there is one, and its sentence.

        Raises:
            RejectedError: the message names all that stands in the item's way.
        """
        length, words = len(item.content_key), {"lms": self.lms, "kind": kind_of(item)}
        faults = (
            (item.content_type not in SENDABLE, self.sendable.format(**words)),
            (length > self.max_key_length, f"The content key has {length} characters; {self.key_length}"),
            (not plain(item.title), self.title.format(**words)),
            *further,
        )
        if told := " ".join(sentence for is_one, sentence in faults if is_one):
            raise RejectedError(told)


def title_of(item: ContentItem) -> str:
    """Return the title as plain text, executive education told apart; empty if there is none."""
    title = plain(item.title)
    return f"ExecEd: {title}" if title and item.course_type == _EXEC_ED else title


def address_of(item: ContentItem) -> str:
    """Return where learners enrol, or at least read about the item; empty if there is no such page."""
    return item.enrollment_url or item.marketing_url


def owners_of(item: ContentItem) -> list[str]:
    """Return the names of the organizations as plain text, the empty ones left out."""
    return [name for organization in item.organizations if (name := plain(organization))]


def description_of(item: ContentItem) -> str:
    """Return the longest description that there is, as plain text; where there is none, the title."""
    return plain(item.full_description) or plain(item.short_description) or title_of(item)


def link_to_course_page(address: str, *, attributes: str = ' target="_blank"') -> str:
    """Return a link as HTML; empty without an ``address``.

    Args:
        attributes: of the tag, beside its address.
    """
    return f'<a href="{html.escape(address)}"{attributes}>Go to the course page</a>' if address else ""


def host_of(text: str) -> str:
    """Return the host, with its port, that an address on the web names; empty if ``text`` is no such address."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in {"https", "http"} and parts.hostname else ""


def is_web_address(text: str) -> bool:
    """Return whether ``text`` is an address on the web, in small letters, as every learning system reads it."""
    return text.startswith(("https://", "http://")) and host_of(text) != ""


def contradiction_of(item: ContentItem) -> str:
    """Return how the dates contradict each other, as half a sentence; empty if they do not."""
    if not (item.start and item.end and item.end < item.start):
        return ""
    return f"It ends ({item.end:%Y-%m-%d}) before it starts ({item.start:%Y-%m-%d})"


def described(item: ContentItem, *, head: str, title: str, length: int | None = None) -> str:
    """Return HTML: ``head``, and the longest description that fits, whole, or else the title.

    Null characters are left out: Moodle refuses them, and PostgreSQL, which Canvas uses, holds none.

    Args:
        title: as plain text.
        length: of all of it, in characters; ``None`` for no limit.
    """
    texts = (f"{head}{text}".replace("\0", "") for text in (item.full_description, item.short_description) if text)
    fitting = (text for text in texts if length is None or len(text) <= length)
    return next(fitting, f"{head}{html.escape(title)}".replace("\0", ""))
