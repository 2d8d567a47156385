"""Texts of payloads, paths and reasons: HTML to plain, cutting, moments, words for content; and payload hashes."""

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

    from enterprise_catalog.integrated_channels.types import ContentItem, Payload

REASON_LENGTH: Final = 300  #: In characters; so much is told of what a learning system says of a refusal.

#: A tag as browsers see one: a ``<`` that a letter, ``/``, ``!`` or ``?`` follows, up to the next ``>``. It ends before
#: another ``<``, so that a text full of them is not searched to its end for each.
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
#: Tags that part words, as those of bold or linked text do not.
_BREAK = re.compile(r"</?(?:br|div|h[1-6]|hr|li|ol|p|table|td|th|tr|ul)\b[^<>]*>", re.IGNORECASE)
#: Python refuses to read so long a number, where HTML takes it for U+FFFD.
_ENDLESS_REFERENCE = re.compile(r"&#\d{100,};?")
_ELLIPSIS = "…"


def plain(text: str) -> str:
    """Return HTML as one line of plain text: tags and null characters gone, entities read, white space folded.

    ``a < b`` stays.
    """
    without_tags = _TAG.sub("", _BREAK.sub(" ", text))
    return " ".join(html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", without_tags)).replace("\0", "").split())


def cut(text: str, length: int | None) -> str:
    """Return ``text`` in at most ``length`` (1 or more) characters, ended by an ellipsis where something was cut off.

    Without a length nothing is cut. Cutting what is cut already changes nothing.
    """
    return text if length is None or len(text) <= length else text[: length - 1].rstrip() + _ELLIPSIS


def path_part(text: str) -> str:
    """Return ``text`` as one part of a path: no slash in it parts anything."""
    return quote(text, safe="")


def instant(moment: datetime) -> str:
    """Return a moment as ISO 8601 writes it, in UTC and to the second, such as ``2027-01-05T09:30:00Z``."""
    # ``strftime`` leaves out the zeros that an early year begins with.
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def kind_of(item: ContentItem) -> str:
    """Return what people call content of the item's type, to stand after "a" or "no"."""
    names = {"courserun": "course run", "learnerpathway": "learner pathway", "": "nameless kind of content"}
    return names.get(item.content_type, item.content_type)


def payload_hash(payload: Payload) -> str:
    """Return the SHA-256 of ``payload`` in hexadecimal; the order of its fields does not count."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()
