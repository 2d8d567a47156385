"""What Moodle does to text: refuses tags, formats what it gives back, and compares as its database does.

Observed on Moodle 4.5 with MariaDB (traps 4 to 6 of the notes on Moodle's web services); the rule for tags is that of
PHP's ``strip_tags`` and the ampersand rule that of Moodle's ``format_string``.
"""

from __future__ import annotations

import re
import unicodedata

# "<" before white space is a less-than sign to PHP; before anything else, the end of the text included, a tag starts.
_TAG = re.compile(r"<(?![ \t\n\v\f\r])[^>]*>?")
_BARE_AMPERSAND = re.compile(r"&(?![a-zA-Z0-9#]{1,8};)")
_SCRIPT = re.compile(r"<script\b[^>]*>.*?(</script\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def is_clean(text: str) -> bool:
    """Whether ``text`` is UTF-8 without null bytes: what Moodle asks of every parameter, HTML included."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def is_plain(text: str) -> bool:
    """Whether Moodle's cleaning would leave ``text`` alone, so that it may be a full or short name.

    ``a < b``, ``&``, ``&amp;``, emoji, control characters and outer spaces are plain; ``<b>x</b>``, ``a <b c``, ``<3``
    and a ``<`` at the very end are not.
    """
    return is_clean(text) and strip_tags(text) == text


def strip_tags(text: str) -> str:
    """Return ``text`` without what PHP takes for tags; an unclosed one reaches to the end. Quotes are not looked at."""
    return _TAG.sub("", text)


def format_name(text: str) -> str:
    """Return a name as Moodle gives it back: ``&``, ``<`` and ``>`` escaped, entities left as they are."""
    return _BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def format_summary(html: str) -> str:
    """Return a summary as Moodle gives it back: without scripts. Its purifier does more, which was not observed."""
    return _SCRIPT.sub("", html)


def collate(text: str) -> str:
    """Return the key under which the database finds ``text``: case, accents and trailing spaces do not count.

    An approximation of ``utf8mb4_unicode_ci``: ``third``, ``THIRD``, ``thìrd`` and ``third `` are one.
    """
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letters).casefold().rstrip(" ")
