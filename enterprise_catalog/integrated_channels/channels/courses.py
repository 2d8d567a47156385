"""What is common to every translation of a content item into a course: what is refused, titles, owners, links. Pure.

Words and limits of one learning system stay in its own ``transform.py``.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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


def is_web_address(text: str) -> bool:
    """Return whether ``text`` says that it is an address on the web."""
    return text.startswith(("https://", "http://"))
