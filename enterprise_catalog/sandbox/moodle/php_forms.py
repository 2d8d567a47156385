"""PHP's form parsing: brackets in a name make arrays, and fields beyond ``max_input_vars`` are dropped silently.

Names are parsed like ``php_register_variable_ex`` in PHP's ``main/php_variables.c``. Only input from well-behaved
clients is supported (no uploads, no nesting limit). Like PHP, this module never raises on bad input. It does not
validate values.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from werkzeug import Request

PHPValue: TypeAlias = "str | PHPArray"
PHPArray: TypeAlias = "dict[int | str, PHPValue]"

_INDEX = re.compile(r"\[([^\]]*)\]")
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_UNDERSCORED = str.maketrans(" .[", "___")
#: A list of courses is requested with thousands of fields, and each request has the same names.
_KEPT_NAMES: Final = 2_000


def read_parameters(request: Request, *, max_input_vars: int) -> PHPArray:
    """Return the fields of query and form as one array. At the top level, form fields override query fields.

    A body of any other type, such as JSON, is ignored. Invalid UTF-8 bytes become lone surrogates, so that callers can
    distinguish them from valid input.

    Fields beyond ``max_input_vars`` are dropped silently, in the order of sending. Query and body are counted
    separately. A URL-encoded body may have one variable more than the limit, because PHP's loop counts a variable after
    it has stored it. For the query and a multipart body, PHP counts first.
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
    """Return the (name, value) pairs of a URL-encoded text, in order. A field without ``=`` has an empty value."""
    pairs = (field.partition(b"=") for field in encoded.split(b"&")) if encoded else ()
    return [(_decode_name(name), _decode(value)) for name, _, value in pairs]


def nest(pairs: Iterable[tuple[str, str]]) -> PHPArray:
    """Return the array that PHP builds from ``pairs``. As in PHP, keys that look like integers are ints.

    ``a[x][7]=v`` nests. ``a[]=v`` takes the next free number for each field: ``a[][x]=1&a[][y]=2`` makes two elements
    with one key each. A repeated name replaces the value. A field without a name is dropped.
    """
    array: PHPArray = {}
    for name, value in pairs:
        if path := _split_name(name):
            _insert(array, path, value)
    return array


def _decode(encoded: bytes) -> str:
    if b"%" in encoded or b"+" in encoded:
        encoded = unquote_to_bytes(encoded.replace(b"+", b" "))
    return encoded.decode("utf-8", errors="surrogateescape")


_decode_name = functools.lru_cache(_KEPT_NAMES)(_decode)


@functools.lru_cache(_KEPT_NAMES)
def _split_name(name: str) -> tuple[str | None, ...]:
    """Split ``a[b][][c]`` into ``("a", "b", None, "c")``. ``None`` is the next free number. Empty without a name."""
    name = name.lstrip(" ")
    base = name.partition("[")[0]
    if not base:
        return ()
    indices: list[str | None] = []
    position = len(base)
    while match := _INDEX.match(name, position):
        indices.append(match[1] if match[1].strip() else None)
        position = match.end()
    # An unclosed bracket is part of the name. Any text after a closed bracket is ignored.
    plain_name = base if indices else name
    return (plain_name.translate(_UNDERSCORED), *indices)


def _insert(array: PHPArray, path: Sequence[str | None], value: str) -> None:
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
