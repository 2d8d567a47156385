"""Compares real output with the output in a document.

White space is ignored, because documents break long lines. ``…`` matches anything. Any time, version or digest matches
any other of its kind. Log lines in the real output are ignored.
"""

from __future__ import annotations

import re
from typing import Final

ELLIPSIS: Final = "…"
#: Pattern of a value that differs between runs -> its placeholder.
_KINDS: Final = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|\+00:00)": "<time>",
    r"\d{4}-\d\d-\d\d \d\d:\d\d UTC": "<minute>",
    r"\b[0-9a-f]{10,}-[0-9a-f]+-[0-9a-f]{10,}(?:-[0-9a-f]{10,})?\b": "<version>",
    r"\b[0-9a-f]{32}\b(?=\")": "<digest>",
}
#: The beginning of a line from structlog's console renderer.
_LOG_LINE: Final = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \[\w+ *\]")
_HEADERS: Final = "HTTP/1.1 "


def agrees(shown: str, real: str) -> bool:
    """Return True if the ``real`` output matches the output in the document.

    For a response with headers, the document may omit headers and change their order.
    """
    real = "\n".join(line for line in real.replace("\r", "").split("\n") if not _LOG_LINE.match(line))
    if not shown.startswith(_HEADERS):
        return _matches(shown, real)
    shown_head, _, shown_body = shown.partition("\n\n")
    real_head, _, real_body = real.partition("\n\n")
    real_lines = real_head.split("\n")
    return all(any(_matches(line, other) for other in real_lines) for line in shown_head.split("\n")) and (
        not shown_body or _matches(shown_body, real_body)
    )


def _matches(shown: str, real: str) -> bool:
    pattern = ".*?".join(re.escape(_plain(part)) for part in _with_kinds(shown).split(ELLIPSIS))
    return re.fullmatch(pattern, _plain(_with_kinds(real)), re.DOTALL) is not None


def _with_kinds(text: str) -> str:
    for pattern, kind in _KINDS.items():
        text = re.sub(pattern, kind, text)
    return text


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text)
