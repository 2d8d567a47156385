"""Texts without secrets, for messages: whoever repeats what was sent to them, and however they spell it."""

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

#: Shorter values, as they are or in Base64, are too common in ordinary text to be taken out of it.
_SHORTEST: Final = 4
_SHORTEST_IN_BASE64: Final = 8

#: Shorter values of cookies ("en_us", "2") are rarely secret.
_SHORTEST_COOKIE: Final = 8
#: The cookies last set that are remembered. An LMS may set another one with each response.
_COOKIES_KEPT: Final = 16
#: "%" becomes "%25", then "%2525": redirects carry URLs in URLs.
_PERCENT_LEVELS: Final = 3

_EXCERPT_LENGTH: Final = 300  #: In characters; what of a body that is no JSON is told to people.
_BYTES_PER_CHARACTER: Final = 4  #: At most.
_REPLACEMENT: Final = "[secret]"

_PAGE_START: Final = re.compile(
    r"[\s\ufeff]*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|h1)\b", re.IGNORECASE | re.DOTALL
)
_TITLE: Final = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_UNSEEN: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>?")
_PAGE_HEAD_LENGTH: Final = 8 * 1024  #: In characters; a page's title is looked for in there.
_TITLE_LENGTH: Final = 100  #: In characters.


class Redaction:
    """What the messages about one connection may not hold. Threads may share it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._spellings: list[str] = []  #: Longest first; never changed in place.
        self._kept: set[str] = set()  #: Spellings of what is a secret for good.
        self._cookies: OrderedDict[str, frozenset[str]] = OrderedDict()  #: Value -> spellings, the newest last.
        for secret in secrets:
            self.keep_secret(secret)

    def keep_secret(self, value: str) -> None:
        """Take ``value`` out of all texts from now on, unless it is shorter than four characters."""
        if len(value) < _SHORTEST:
            return
        with self._lock:
            self._kept.update(_spellings(value))
            self._sort()

    def keep_cookies(self, set_cookie: Iterable[str]) -> None:
        """Redact the values of cookies from now on, until the LMS has set 16 other ones.

        Args:
            set_cookie: ``Set-Cookie`` headers. Values shorter than eight characters are not redacted.
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
        # Of spellings that start alike the longer one goes first, or its end would be left.
        self._spellings = sorted(self._kept.union(*self._cookies.values()), key=len, reverse=True)

    def redacted(self, text: str) -> str:
        """Return ``text`` with each secret, however it is spelt, replaced by ``[secret]``."""
        for spelling in self._spellings:
            text = text.replace(spelling, _REPLACEMENT)
        return text

    def excerpt(self, content: bytes) -> str:
        """Return the start of a body as one line, without secrets, in at most 300 characters.

        It is gone through no further than that: bodies are large, and most are of no interest. Of an HTML page, such as
        that of a proxy or of a site under maintenance, only the title is told, and no markup.
        """
        longest = max(map(len, self._spellings), default=0)
        head = content[: _PAGE_HEAD_LENGTH + longest * _BYTES_PER_CHARACTER].decode("utf-8", "replace")
        if _PAGE_START.match(head):
            return self._page(self.redacted(head)[:_PAGE_HEAD_LENGTH])
        text = content[: _EXCERPT_LENGTH * (longest + _BYTES_PER_CHARACTER)].decode("utf-8", "replace")
        told, place = "", 0
        while place < len(text) and len(told) < _EXCERPT_LENGTH:
            start, spelling = self._next(text, place, place + _EXCERPT_LENGTH - len(told))
            told += text[place:start] + (_REPLACEMENT if spelling else "")
            place = start + len(spelling)
        return " ".join(told[:_EXCERPT_LENGTH].split())

    def _page(self, head: str) -> str:
        """Return a sentence's part about an HTML page: its title, else its heading, else how its text begins."""
        found = _TITLE.search(head)
        text = found[2] if found else head
        # Redacted again: what was parted by tags or escaped in a way of its own may be a secret now.
        title = self.redacted(" ".join(html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", text))).split()))
        return f"an HTML page: “{title[:_TITLE_LENGTH].strip()}”" if title else "an HTML page without text"

    def _next(self, text: str, place: int, end: int) -> tuple[int, str]:
        """Return where the next secret begins, and how it is spelt; ``end`` if none begins before it."""
        starts = ((text.find(spelling, place, end + len(spelling) - 1), spelling) for spelling in self._spellings)
        return min(
            ((start, spelling) for start, spelling in starts if start >= 0), key=itemgetter(0), default=(end, "")
        )


def _spellings(secret: str) -> Iterator[str]:
    """Yield ``secret`` as it is, and as URLs, forms, pages, JSON (PHP's, too), Python and Base64 would repeat it."""
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
    """Yield a percent-encoded text as it is, and as it looks after it was percent-encoded once more, and twice more."""
    for _ in range(_PERCENT_LEVELS):
        yield percent_encoded
        yield quote(percent_encoded, safe="")  # What has a "/" or "+" left loses it.
        percent_encoded = percent_encoded.replace("%", "%25")


def _cookie_value(set_cookie: str) -> str:
    """Return the value in a ``Set-Cookie`` header, without quotes; empty if there is none."""
    return set_cookie.partition(";")[0].partition("=")[2].strip().strip('"')


def _base64_cores(secret: bytes) -> Iterator[str]:
    """Yield what stands in the Base64 of any text that holds ``secret``, by where in that text it stands.

    Characters that share their bits with a neighbour of the secret are left out.
    """
    for before in range(3):
        text = bytes(before) + secret
        core = slice(-(-before * 8 // 6), len(text) * 8 // 6)
        yield b64encode(text)[core].decode()
        yield urlsafe_b64encode(text)[core].decode()
