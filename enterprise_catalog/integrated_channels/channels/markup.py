"""HTML sanitizer: turns untrusted HTML into balanced HTML with a few harmless tags. Pure."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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
#: Tags that close an open paragraph.
_BLOCKS: Final = frozenset({"blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "ul"})
_SILENT: Final = frozenset({"script", "style"})  #: Tags that are removed together with their text.
_DEEPEST: Final = 50  #: Maximum nesting depth; deeper tags are removed.
_LONGEST_ADDRESS: Final = 2_000  #: In characters; browsers accept URLs of this length.

#: The start of a comment, or a tag as in ``text.plain``. A tag must not contain another ``<``, so that no text is
#: scanned twice.
_TAG: Final = re.compile(r"(<!--|<[a-zA-Z/!?][^<>]*>)")
_NAME: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_ATTRIBUTE: Final = re.compile(r"""(?<![\w-])(href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_BARE_AMPERSAND: Final = re.compile(r"&(?!#?[a-zA-Z0-9]{1,32};)")
_ADDRESS: Final = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return True if ``text`` is a valid link target: an HTTP, HTTPS or ``mailto:`` URL."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def cleaned(text: str, allowed: frozenset[str]) -> str:
    """Return sanitized HTML: only ``allowed`` tags, all closed, with only ``href``, ``src`` and ``alt``. Idempotent."""
    markup = _Markup(allowed)
    for piece in _audible(_TAG.split(text.replace("\0", ""))):
        markup.add(piece)
    return markup.finished()


def _audible(pieces: list[str]) -> Iterator[str]:
    """Yield tags and text, without comments, scripts and styles."""
    until = ""  #: End marker of the comment, script or style that is being skipped; empty outside of one.
    for piece in pieces:
        if until == "-->":
            _, end, rest = piece.partition(until)
            until = "" if end else until
            yield rest
        elif until:
            until = "" if piece.lower().startswith(until) else until
        elif piece == "<!--":
            until = "-->"
        elif (name := _name(piece)) in _SILENT and not piece.startswith("</"):
            until = f"</{name}"
        else:
            yield piece


def _name(piece: str) -> str:
    """Return the name of a tag in lower case; empty for text and declarations."""
    match = _NAME.match(piece) if piece.endswith(">") else None
    return match[1].lower() if match else ""


class _Markup:
    """HTML output under construction, with its stack of open tags."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._parts: list[str] = []
        self._open: list[str] = []

    def add(self, piece: str) -> None:
        if not _TAG.fullmatch(piece):
            self._parts.append(_BARE_AMPERSAND.sub("&amp;", piece).replace("<", "&lt;").replace(">", "&gt;"))
            return
        name = _name(piece)
        tag = name if name in self._allowed else _STAND_INS.get(name, "")
        if tag in self._allowed:
            self._close(tag) if piece.startswith("</") else self._begin(tag, piece)

    def finished(self) -> str:
        self._parts += [f"</{tag}>" for tag in reversed(self._open)]
        self._open.clear()
        return "".join(self._parts)

    def _begin(self, tag: str, piece: str) -> None:
        attributes = _attributes(tag, piece)
        if attributes is None or len(self._open) >= _DEEPEST:
            return
        if tag in _BLOCKS:
            self._close("p")
        self._parts.append(f"<{tag}{attributes}>")
        if tag not in _VOID:
            self._open.append(tag)

    def _close(self, tag: str) -> None:
        """Close the innermost ``tag`` and every tag opened inside it. Does nothing if no such tag is open."""
        if tag not in self._open:
            return
        while (innermost := self._open.pop()) != tag:
            self._parts.append(f"</{innermost}>")
        self._parts.append(f"</{tag}>")


def _attributes(tag: str, piece: str) -> str | None:
    """Return the attributes to keep; ``None`` if the tag must be removed because it has no valid URL."""
    if tag not in ("a", "img"):
        return ""
    found = {match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "") for match in _bounded(piece)}
    address = found.get("href" if tag == "a" else "src", "").strip()
    if not is_address(address):
        return None
    if tag == "a":
        return f' href="{html.escape(address)}"'
    return f' src="{html.escape(address)}" alt="{html.escape(found.get("alt", ""))}"'


def _bounded(piece: str) -> Iterator[re.Match[str]]:
    """Yield the attributes of a tag, without overlong ones: Python refuses to parse very long numbers in entities."""
    return (match for match in _ATTRIBUTE.finditer(piece) if len(match[0]) <= 2 * _LONGEST_ADDRESS)
