"""Redacts known secrets from messages, in any common encoding."""

from __future__ import annotations

import html
import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Shorter values, plain or in Base64, are too common in ordinary text to be redacted.
_SHORTEST: Final = 4
_SHORTEST_IN_BASE64: Final = 8

#: Shorter cookie values ("en_us", "2") are rarely secret.
_SHORTEST_COOKIE: Final = 8
#: Number of most recent cookies to redact. An LMS may set another cookie with each response.
_COOKIES_KEPT: Final = 16
#: "%" becomes "%25", then "%2525": redirects contain URLs within URLs.
_PERCENT_LEVELS: Final = 3

_EXCERPT_LENGTH: Final = 300  #: Maximum length of an excerpt, in characters.
_BYTES_PER_CHARACTER: Final = 4  #: At most.
_REPLACEMENT: Final = "[secret]"

_PAGE_START: Final = re.compile(
    r"[\s\ufeff]*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|h1)\b", re.IGNORECASE | re.DOTALL
)
_TITLE: Final = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_UNSEEN: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>?")
_PAGE_HEAD_LENGTH: Final = 8 * 1024  #: In characters; only this part of a page is searched for a title.
_TITLE_LENGTH: Final = 100  #: In characters.


class Redaction:
    """The secrets of one connection, to be redacted from messages. Thread-safe."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._spellings: list[str] = []  #: Longest first; never changed in place.
        self._kept: set[str] = set()  #: Spellings of permanent secrets.
        self._cookies: OrderedDict[str, frozenset[str]] = OrderedDict()  #: Value -> spellings, the newest last.
        for secret in secrets:
            self.keep_secret(secret)

    def keep_secret(self, value: str) -> None:
        """Redact ``value`` from all texts from now on, unless it has fewer than four characters."""
        if len(value) < _SHORTEST:
            return
        with self._lock:
            self._kept.update(_spellings(value))
            self._sort()

    def keep_cookies(self, set_cookie: Iterable[str]) -> None:
        """Redact the values of cookies from now on, until the LMS has set 16 others.

        Args:
            set_cookie: ``Set-Cookie`` headers. Values with fewer than eight characters are not redacted.
        """
        values = [value for header in set_cookie if len(value := _cookie_value(header)) >= _SHORTEST_COOKIE]
        with self._lock:
            new = [value for value in values if value not in self._cookies]
            self._cookies.update((value, frozenset(_spellings(value))) for value in new)
            for value in values:
                self._cookies.move_to_end(value)
            while len(self._cookies) > _COOKIES_KEPT:
                self._cookies.popitem(last=False)
            if new:
                self._sort()

    def _sort(self) -> None:
        # Longest first: otherwise a shorter spelling would leave the end of a longer one.
        self._spellings = sorted(self._kept.union(*self._cookies.values()), key=len, reverse=True)

    def redacted(self, text: str) -> str:
        """Return ``text`` with each secret, in any spelling, replaced by ``[secret]``."""
        for spelling in self._spellings:
            text = text.replace(spelling, _REPLACEMENT)
        return text

    def excerpt(self, content: bytes) -> str:
        """Return the start of a body as one line, redacted, in at most 300 characters.

        Reads no further than needed, because bodies are large and mostly of no interest. For an HTML page, such as the
        error page of a proxy or a maintenance page, returns only the title, without markup.
        """
        longest = max(map(len, self._spellings), default=0)
        head = content[: _PAGE_HEAD_LENGTH + longest * _BYTES_PER_CHARACTER].decode("utf-8", "replace")
        if _PAGE_START.match(head):
            return self._page(self.redacted(head)[:_PAGE_HEAD_LENGTH])
        text = content[: _EXCERPT_LENGTH * (longest + _BYTES_PER_CHARACTER)].decode("utf-8", "replace")
        excerpt, position = "", 0
        while position < len(text) and len(excerpt) < _EXCERPT_LENGTH:
            start, spelling = self._next(text, position, position + _EXCERPT_LENGTH - len(excerpt))
            excerpt += text[position:start] + (_REPLACEMENT if spelling else "")
            position = start + len(spelling)
        return " ".join(excerpt[:_EXCERPT_LENGTH].split())

    def _page(self, head: str) -> str:
        """Return a description of an HTML page: its title, else its heading, else the start of its text."""
        found = _TITLE.search(head)
        text = found[2] if found else head
        # Redacted again: removing tags and entities may have revealed a secret.
        title = self.redacted(" ".join(html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", text))).split()))
        return f"an HTML page: “{title[:_TITLE_LENGTH].strip()}”" if title else "an HTML page without text"

    def _next(self, text: str, position: int, end: int) -> tuple[int, str]:
        """Return the position and the spelling of the next secret; ``(end, "")`` if none begins before ``end``."""
        starts = ((text.find(spelling, position, end + len(spelling) - 1), spelling) for spelling in self._spellings)
        return min(
            ((start, spelling) for start, spelling in starts if start >= 0), key=itemgetter(0), default=(end, "")
        )


def _spellings(secret: str) -> Iterator[str]:
    """Yield ``secret`` unchanged, and as in URLs, forms, HTML, JSON (also PHP's), Python and Base64."""
    yield secret
    for percent_encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield from _encoded_again(percent_encoded)
        yield from _encoded_again(re.sub("%..", lambda code: code[0].lower(), percent_encoded))
    page = html.escape(secret)
    yield from (page, page.replace("&#x27;", "&#039;"))
    for in_json in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (in_json, in_json.replace("/", r"\/"), json.dumps(in_json)[1:-1])
    yield repr(secret)[1:-1]
    for core in _base64_cores(secret.encode()):
        if len(core) >= _SHORTEST_IN_BASE64:
            yield core
            yield from _encoded_again(quote(core, safe=""))


def _encoded_again(percent_encoded: str) -> Iterator[str]:
    """Yield a percent-encoded text unchanged, and percent-encoded once and twice more."""
    for _ in range(_PERCENT_LEVELS):
        yield percent_encoded
        yield quote(percent_encoded, safe="")  # Encodes a remaining "/" or "+".
        percent_encoded = percent_encoded.replace("%", "%25")


def _cookie_value(set_cookie: str) -> str:
    """Return the value in a ``Set-Cookie`` header, without quotes; empty without one."""
    return set_cookie.partition(";")[0].partition("=")[2].strip().strip('"')


def _base64_cores(secret: bytes) -> Iterator[str]:
    """Yield the parts that ``secret`` produces in the Base64 of a longer text, for each offset in that text.

    Characters that share bits with a neighbor of the secret are left out.
    """
    for before in range(3):
        text = bytes(before) + secret
        core = slice(-(-before * 8 // 6), len(text) * 8 // 6)
        yield b64encode(text)[core].decode()
        yield urlsafe_b64encode(text)[core].decode()
