"""HTML of anybody's -> balanced HTML of a few harmless tags, for learning systems that show it. Pure."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What stands in for a tag that is not allowed; of all others only the text stays.
_STAND_INS: Final = {
    "b": "strong",
    "i": "em",
    "s": "del",
    "strike": "del",
    **dict.fromkeys(("h1", "h2", "h3"), "h4"),
    **dict.fromkeys(("article", "blockquote", "dd", "dl", "dt", "pre", "section", "table", "td", "th", "tr"), "div"),
}
_VOID: Final = frozenset({"br", "hr", "img"})
#: What ends an open paragraph.
_BLOCKS: Final = frozenset({"blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "ul"})
_SILENT: Final = frozenset({"script", "style"})  #: Their text is none.
_DEEPEST: Final = 50  #: Tags that are open at once; further ones are left out.
_LONGEST_ADDRESS: Final = 2_000  #: In characters, as browsers take it.

#: The start of a comment, or a tag as ``text.plain`` sees one: it ends before another ``<``, so that no text is
#: searched twice.
_TAG: Final = re.compile(r"(<!--|<[a-zA-Z/!?][^<>]*>)")
_NAME: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_ATTRIBUTE: Final = re.compile(r"""(?<![\w-])(href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_BARE_AMPERSAND: Final = re.compile(r"&(?!#?[a-zA-Z0-9]{1,32};)")
_ADDRESS: Final = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return whether ``text`` can be linked to: an address on the web, or of e-mail."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def cleaned(text: str, allowed: frozenset[str]) -> str:
    """Return HTML with nothing in it but ``allowed`` tags, each of which is closed, and attributes that link or show.

    Cleaning what is clean already changes nothing.
    """
    markup = _Markup(allowed)
    for piece in _audible(_TAG.split(text.replace("\0", ""))):
        markup.add(piece)
    return markup.finished()


def _audible(pieces: list[str]) -> Iterator[str]:
    """Yield tags and texts without comments, scripts and styles."""
    until = ""  #: What ends that which is left out now.
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
    """Return the name of a tag in lower case; of a text, or of a declaration, none."""
    match = _NAME.match(piece) if piece.endswith(">") else None
    return match[1].lower() if match else ""


class _Markup:
    """HTML that grows, and knows which of its tags are open."""

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
        """Close the innermost ``tag``, and all that was opened within it; nothing if there is none."""
        if tag not in self._open:
            return
        while (innermost := self._open.pop()) != tag:
            self._parts.append(f"</{innermost}>")
        self._parts.append(f"</{tag}>")


def _attributes(tag: str, piece: str) -> str | None:
    """Return what stays of a tag's attributes; ``None`` if the tag is nothing without them."""
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
    """Yield the attributes of a tag, the endless ones left out: Python does not read numbers of any length."""
    return (match for match in _ATTRIBUTE.finditer(piece) if len(match[0]) <= 2 * _LONGEST_ADDRESS)
