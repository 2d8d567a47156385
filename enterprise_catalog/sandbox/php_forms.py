"""How PHP reads a form: brackets in a name make arrays, and fields past ``max_input_vars`` vanish without a word.

What a name means follows ``php_register_variable_ex`` in PHP's ``main/php_variables.c``; only what a well-meaning
client can send is here (no uploads, no nesting limit). Nothing in this module raises on bad input, as PHP does not
either. What a field's value may be is not decided here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from werkzeug import Request

PHPValue: TypeAlias = "str | PHPArray"
PHPArray: TypeAlias = "dict[int | str, PHPValue]"

_INDEX = re.compile(r"\[([^\]]*)\]")
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_UNDERSCORED = str.maketrans(" .[", "___")


def read_parameters(request: Request, *, max_input_vars: int) -> PHPArray:
    """Return the query's and the form's fields as one array, the form's winning at the top level (``$_GET + $_POST``).

    A body of any other type, JSON for one, contributes nothing. Query and body are counted apart. Bytes that are not
    UTF-8 come back as lone surrogates, so that a caller can tell them from anything a client may send.

    ``max_input_vars`` cuts in the order of sending and without a trace. A URL-encoded body gets one variable more than
    the limit through: PHP's loop counts after it has stored. Query and multipart body count before.
    """
    fields = nest(split_fields(request.query_string)[:max_input_vars])
    if request.method != "POST":
        return fields
    match request.mimetype:
        case "application/x-www-form-urlencoded":
            return fields | nest(split_fields(request.get_data())[: max_input_vars + 1])
        case "multipart/form-data":
            return fields | nest(list(request.form.items(multi=True))[:max_input_vars])
    return fields


def split_fields(encoded: bytes) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a URL-encoded text in order; a field without ``=`` has an empty value."""
    pairs = (field.partition(b"=") for field in encoded.split(b"&")) if encoded else ()
    return [(_decode(name), _decode(value)) for name, _, value in pairs]


def nest(pairs: Iterable[tuple[str, str]]) -> PHPArray:
    """Return the array PHP builds of ``pairs``; keys that look like whole numbers are ints, as in PHP.

    ``a[x][7]=v`` nests. ``a[]=v`` takes the next free number, once for each field: ``a[][x]=1&a[][y]=2`` makes two
    elements of one key each, never one of two. The same name again replaces the value. A field without a name is lost.
    """
    array: PHPArray = {}
    for name, value in pairs:
        if path := _split_name(name):
            _place(array, path, value)
    return array


def _decode(encoded: bytes) -> str:
    return unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8", errors="surrogateescape")


def _split_name(name: str) -> list[str | None]:
    """``a[b][][c]`` -> ``["a", "b", None, "c"]``: None asks for the next free number; empty for a nameless field."""
    name = name.lstrip(" ")
    base = name.partition("[")[0]
    if not base:
        return []
    indices: list[str | None] = []
    position = len(base)
    while match := _INDEX.match(name, position):
        indices.append(match[1] if match[1].strip() else None)
        position = match.end()
    # A bracket that never closes is part of the name; after a closed one, whatever follows is ignored.
    plain_name = base if indices else name
    return [plain_name.translate(_UNDERSCORED), *indices]


def _place(array: PHPArray, path: Sequence[str | None], value: str) -> None:
    *parents, last = path
    for key in parents:
        index = _index(array, key)
        child = array.get(index)
        if not isinstance(child, dict):
            child = array[index] = {}
        array = child
    array[_index(array, last)] = value


def _index(array: PHPArray, key: str | None) -> int | str:
    if key is None:
        return max([-1, *(taken for taken in array if isinstance(taken, int))]) + 1
    return int(key) if _WHOLE_NUMBER.fullmatch(key) else key
