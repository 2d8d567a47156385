"""Moodle's text rules: which text is rejected, how responses are formatted, and how the database compares.

Observed on Moodle 4.5 with MariaDB. Tags are recognized as by PHP's ``strip_tags``, and ampersands are escaped as by
Moodle's ``format_string``.
"""

from __future__ import annotations

import re
import unicodedata

# PHP treats "<" before white space as a less-than sign. Before anything else, and at the end of the text, it is a tag.
_TAG = re.compile(r"<(?![ \t\n\v\f\r])[^>]*>?")
_BARE_AMPERSAND = re.compile(r"&(?![a-zA-Z0-9#]{1,8};)")
_SCRIPT = re.compile(r"<script\b[^>]*>.*?(</script\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def is_clean(text: str) -> bool:
    """Return True if ``text`` is UTF-8 without null bytes. Moodle requires this of every parameter, HTML included."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def is_plain(text: str) -> bool:
    """Return True if Moodle's cleaning does not change ``text``, which is required of full and short names.

    Plain: ``a < b``, ``&``, ``&amp;``, emoji, control characters, leading and trailing spaces. Not plain:
    ``<b>x</b>``, ``a <b c``, ``<3``, and a ``<`` at the end.
    """
    return is_clean(text) and strip_tags(text) == text


def strip_tags(text: str) -> str:
    """Remove tags as PHP does. An unclosed tag extends to the end of the text. Quotes have no special meaning."""
    return _TAG.sub("", text)


def format_name(text: str) -> str:
    """Return a name as in Moodle's responses: ``&``, ``<`` and ``>`` are escaped, entities are unchanged."""
    return _BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def format_summary(html: str) -> str:
    """Return a summary as in Moodle's responses: without scripts. Further changes by its purifier were not observed."""
    return _SCRIPT.sub("", html)


def collate(text: str) -> str:
    """Return the collation key of ``text`` in the database. It ignores case, accents and trailing spaces.

    An approximation of ``utf8mb4_unicode_ci``: ``third``, ``THIRD``, ``thìrd`` and ``third `` have the same key.
    """
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letters).casefold().rstrip(" ")
