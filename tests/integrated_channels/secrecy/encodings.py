"""Possible encodings of a secret, and a search for all of them."""

from __future__ import annotations

import functools
import html
import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def _in_json(secret: str) -> str:
    return json.dumps(secret)[1:-1]


def _inside_base64(secret: str, before: int) -> str:
    """Return the Base64 characters that depend only on ``secret`` if it starts at offset ``before``, modulo 3."""
    text = bytes(before) + secret.encode()
    # Drop characters that share bits with a neighbor of the secret.
    return b64encode(text).decode()[-(-before * 8 // 6) : len(text) * 8 // 6]


_PIECE: Final = 60  #: In characters.

#: Name -> function that encodes a secret.
ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "as it is": str,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded but for slashes": quote,
    "percent-encoded in lower case": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
    "in a form": quote_plus,
    "in JSON": _in_json,
    "in PHP's JSON": lambda secret: _in_json(secret).replace("/", r"\/"),
    "in JSON with its own letters": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "in JSON in JSON": lambda secret: _in_json(_in_json(secret)),
    "in HTML": html.escape,
    "as Python shows it": lambda secret: repr(secret)[1:-1],
    "in Base64": lambda secret: _inside_base64(secret, 0),
    "in Base64, one further": lambda secret: _inside_base64(secret, 1),
    "in Base64, two further": lambda secret: _inside_base64(secret, 2),
    "in Base64 for URLs": lambda secret: _inside_base64(secret, 0).replace("+", "-").replace("/", "_"),
}


@functools.cache
def spellings(secret: str) -> tuple[str, ...]:
    """Return ``secret`` in each encoding."""
    return tuple(encode(secret) for encode in ENCODINGS.values())


def leaks(text: str, secrets: Iterable[str]) -> list[str]:
    """Return each occurrence of a secret in ``text``: its encoding and the surrounding text."""
    return [
        f"{name}: …{text[max(place - 200, 0) : place + len(spelt) + 50]}…"
        for secret in secrets
        for spelt, name in _forms(secret).items()
        if (place := text.find(spelt)) >= 0
    ]


@functools.cache
def _forms(secret: str) -> Mapping[str, str]:
    """Return encoded form -> name of the encoding."""
    return {encode(part): name for part in _parts(secret) for name, encode in ENCODINGS.items()}


def _parts(secret: str) -> list[str]:
    """Return the secret; or the ends of a long secret, because messages are cut; or some lines of a PEM key."""
    lines = [line for line in secret.splitlines() if not line.startswith("-----")]
    if len(lines) > 1:
        return lines[::8]
    return [secret] if len(secret) <= 2 * _PIECE else [secret[:_PIECE], secret[-_PIECE:]]
