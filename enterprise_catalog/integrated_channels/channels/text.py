"""Texts of payloads: HTML to plain text, cutting to a length, and the hash that tells whether a payload changed."""

from __future__ import annotations

import hashlib
import html
import re
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.types import Payload

#: A tag as browsers and PHP see one: a ``<`` that a letter, ``/``, ``!`` or ``?`` follows, up to the next ``>``.
_TAG = re.compile(r"<[a-zA-Z/!?][^>]*>")
_ELLIPSIS = "…"


def plain(text: str) -> str:
    """Return HTML as one line of plain text: tags gone, entities read, white space folded. ``a < b`` stays."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def cut(text: str, length: int) -> str:
    """Return ``text`` in at most ``length`` characters, ended by an ellipsis where something was cut off.

    Cutting what is cut already changes nothing.
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + _ELLIPSIS


def payload_hash(payload: Payload) -> str:
    """Return the SHA-256 of ``payload`` in hexadecimal; the order of its fields does not count."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()
