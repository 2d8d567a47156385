"""HTML sanitizer: turns untrusted HTML into balanced HTML with a few harmless tags. Pure.

``nh3`` parses and sanitizes as browsers do (docs/decisions/0023). This module chooses tags and replacements.
"""

from __future__ import annotations

import functools
import html
import re
from typing import Final

import nh3

from enterprise_catalog.integrated_channels.channels.content.text import plain

#: Replacements for tags that are not allowed. A tag without a replacement is removed, and its text is kept.
_STAND_INS: Final = {
    "b": "strong",
    "i": "em",
    "s": "del",
    "strike": "del",
    **dict.fromkeys(("h1", "h2", "h3"), "h4"),
    **dict.fromkeys(("article", "blockquote", "dd", "dl", "dt", "pre", "section", "table", "td", "th", "tr"), "div"),
}
_VOID: Final = frozenset({"br", "hr", "img"})
_REQUIRED: Final = {"a": ' href="', "img": ' src="'}  #: Tags that are removed without a valid URL.
_DEEPEST: Final = 50  #: Maximum nesting depth; deeper tags are removed.
#: Texts with more tags lose all of them: parsing time grows with the square of the depth (10,000 tags: 0.4 s).
_MOST_TAGS: Final = 10_000
_LONGEST_ADDRESS: Final = 2_000  #: In characters; browsers accept URLs of this length.

#: A tag in the output of ``nh3``, which escapes ``<`` and ``>`` in text and attributes.
_TAG: Final = re.compile(r"<(/?)([a-z0-9]+)([^<>]*)>")
#: Without scripting, browsers parse its content as HTML; ``nh3`` would keep it as text.
_NOSCRIPT: Final = re.compile(r"</?noscript\b[^<>]*>", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return True if ``text`` is a valid link target: an HTTP, HTTPS or ``mailto:`` URL."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def cleaned(text: str, allowed: frozenset[str]) -> str:
    """Return sanitized HTML: only ``allowed`` tags, all closed, with only ``href``, ``src`` and ``alt``. Idempotent."""
    if text.count("<") > _MOST_TAGS:
        return html.escape(plain(text), quote=False)
    cleaner = _cleaner(allowed)
    # Cleaned again after the replacements, so that all output comes straight from the sanitizer.
    return cleaner.clean(_with_stand_ins(cleaner.clean(_with_closed_end(_NOSCRIPT.sub("", text))), allowed))


@functools.cache
def _cleaner(allowed: frozenset[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=allowed | {tag for tag, stand_in in _STAND_INS.items() if stand_in in allowed},
        clean_content_tags={"iframe", "script", "style"},
        attributes={"*": set(), "a": {"href"}, "img": {"src", "alt"}},
        attribute_filter=_valid_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )


def _valid_attribute(_tag: str, name: str, value: str) -> str | None:
    if name == "alt":
        return value
    return address if is_address(address := value.strip()) else None


def _with_closed_end(text: str) -> str:
    """Escape each ``<`` after the last ``>``. The parser would drop the text after it as an unfinished tag."""
    head, end, tail = text.rpartition(">")
    return head + end + re.sub("<(?!!)", "&lt;", tail)


def _with_stand_ins(markup: str, allowed: frozenset[str]) -> str:
    """Return the output of ``nh3`` with tags replaced, and without too deep tags and tags that lack a valid URL."""
    open_tags: list[str] = []  # The replacement of each open tag; empty if it was removed.

    def replace(match: re.Match[str]) -> str:
        slash, name, attributes = match.groups()
        if slash:
            return f"</{tag}>" if (tag := open_tags.pop()) else ""
        tag = name if name in allowed else _STAND_INS[name]
        if len(open_tags) >= _DEEPEST or _REQUIRED.get(tag, "") not in attributes:
            tag = ""
        if name not in _VOID:
            open_tags.append(tag)
        if tag == "img" and ' alt="' not in attributes:
            attributes += ' alt=""'
        return f"<{tag}{attributes}>" if tag else ""

    return _TAG.sub(replace, markup)
