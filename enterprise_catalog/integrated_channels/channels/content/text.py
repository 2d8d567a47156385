"""Text of payloads, URL paths and messages: HTML to plain text, truncation, timestamps, type names, payload hashes."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import orjson

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload

REASON_LENGTH: Final = 300  #: Maximum length of a quoted LMS error message, in characters.

#: A tag as browsers parse it: ``<``, then a letter, ``/``, ``!`` or ``?``, up to the next ``>``. It must not contain
#: another ``<``. Otherwise the pattern would scan a text with many ``<`` to its end for each of them.
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
#: Tags that separate words. Inline tags, such as bold and links, do not.
_BREAK = re.compile(r"</?(?:br|div|h[1-6]|hr|li|ol|p|table|td|th|tr|ul)\b[^<>]*>", re.IGNORECASE)
#: Python refuses to parse very long numbers. HTML replaces such a reference with U+FFFD.
_ENDLESS_REFERENCE = re.compile(r"&#\d{100,};?")
_ELLIPSIS = "…"


def plain(text: str) -> str:
    """Convert HTML to one line of plain text.

    Removes tags and null characters, decodes entities and collapses white space. Keeps ``a < b``.
    """
    without_tags = _TAG.sub("", _BREAK.sub(" ", text))
    return " ".join(html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", without_tags)).replace("\0", "").split())


def cut(text: str, length: int | None) -> str:
    """Truncate ``text`` to ``length`` characters (at least 1), including the final ellipsis. Idempotent.

    With ``None`` as the length, the text is returned unchanged.
    """
    return text if length is None or len(text) <= length else text[: length - 1].rstrip() + _ELLIPSIS


def path_part(text: str) -> str:
    """Percent-encode ``text`` as one URL path segment, slashes included."""
    return quote(text, safe="")


def instant(moment: datetime) -> str:
    """Format a datetime as ISO 8601 in UTC, to the second, such as ``2027-01-05T09:30:00Z``."""
    # ``strftime`` omits the leading zeros of years before 1000.
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def kind_of(item: ContentItem) -> str:
    """Return the display name of the item's content type, without an article."""
    names = {"courserun": "course run", "learnerpathway": "learner pathway", "": "content item without a type"}
    return names.get(item.content_type, item.content_type)


def payload_hash(payload: Payload) -> str:
    """Return the SHA-256 of ``payload`` in hexadecimal. The order of the fields does not matter."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()
