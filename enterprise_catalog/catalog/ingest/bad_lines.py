"""Finds the keys of documents that cannot be imported: a bad line must not remove the item that it describes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.documents import KEY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_NAMES: Final = frozenset(KEY_FIELDS.values())
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')


def keys_on(line: bytes) -> frozenset[str]:
    """Return the keys that the document on ``line`` may have; empty if no key can be read.

    A document with a known ``content_type`` has the key of that type. For any other document, and for text that is not
    JSON, each field that holds a key of some type counts.
    """
    text = line.decode(errors="replace")
    try:
        fields = json.loads(text)  # More tolerant than orjson: it reads NaN, lone surrogates and longer numbers.
        documents = [fields] if isinstance(fields, dict) else []
    except (ValueError, RecursionError):
        documents = _scanned(text)
    return frozenset(key for document in documents for key in _keys_of(document))


def _keys_of(fields: dict[str, object]) -> Iterator[str]:
    content_type = fields.get("content_type")
    known = KEY_FIELDS.get(content_type) if isinstance(content_type, str) else None
    names = _KEY_NAMES if known is None else {known}
    # A replaced byte changes the key, and a changed key protects no item.
    yield from (key for name in names if isinstance(key := fields.get(name), str) and key and "\ufffd" not in key)


def _scanned(text: str) -> list[dict[str, object]]:
    """Return the string fields at the top level of each object in text that is not valid JSON as a whole."""
    found: list[dict[str, object]] = []
    depth, name, is_value = 0, "", False
    for match in _TOKEN.finditer(text):
        part = match.group()
        if part[0] == '"' and depth == 1:
            if is_value:
                found[-1][name] = _unescaped(part)
            else:
                name = _unescaped(part)
            continue
        if part == "{" and depth == 0:
            found.append({})
        depth = max(0, depth + {"{": 1, "[": 1, "}": -1, "]": -1}.get(part, 0))
        is_value = part == ":" and depth == 1
    return found


def _unescaped(part: str) -> str:
    try:
        return str(json.loads(part, strict=False))
    except ValueError:  # An invalid JSON escape.
        return ""
