"""Compares versions of a payload field by field. Pure: values in, values out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.integrated_channels.domain import Payload

#: Maximum number of fields in a comparison.
MAX_FIELDS: Final = 60
#: Maximum length of a value that is shown, in characters.
MAX_TEXT: Final = 300
#: Number of characters of equal text on each side of a change.
_CONTEXT: Final = 40
#: Texts up to this length are compared word by word, in characters.
_MAX_COMPARED: Final = 4_000
_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a value; ``sign`` is ``+`` if it was added, ``-`` if it was removed, and otherwise empty."""

    text: str
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """The value of a field in one version, and how it differs from the version before it."""

    sign: str  #: ``+`` added, ``-`` removed, ``~`` changed; empty if equal, or in the first version.
    pieces: tuple[Piece, ...]  #: Empty if the version does not have the field.


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One field in all versions."""

    name: str  #: Path of the field, such as ``contents[0].title``.
    cells: tuple[Cell, ...]

    @property
    def is_changed(self) -> bool:
        """True if at least one version differs from the version before it."""
        return any(cell.sign for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All fields of several versions."""

    changed: list[FieldComparison]
    unchanged: list[FieldComparison]
    left_out: int  #: Number of fields above :data:`MAX_FIELDS`.


def compare(versions: Sequence[Payload]) -> Comparison:
    """Compare each version with the version before it. Changed fields are listed even if others are left out."""
    flat = [dict(_fields(version)) for version in versions]
    names = list(dict.fromkeys(name for version in flat for name in version))
    differing = [name for name in names if len({version.get(name) for version in flat}) > 1]
    equal = [name for name in names if name not in set(differing)]
    shown = [*differing, *equal][:MAX_FIELDS]
    rows = [_compare_field(name, [version.get(name) for version in flat]) for name in shown]
    return Comparison(
        [row for row in rows if row.is_changed],
        [row for row in rows if not row.is_changed],
        left_out=len(names) - len(shown),
    )


def _fields(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of each value that contains no further values."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _fields(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value:
        for position, part in enumerate(value):
            yield from _fields(part, f"{name}[{position}]")
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _compare_field(name: str, values: Sequence[str | None]) -> FieldComparison:
    first = Cell("", _whole(values[0]))
    return FieldComparison(name, (first, *(_cell(before, after) for before, after in pairwise(values))))


def _cell(before: str | None, after: str | None) -> Cell:
    if before == after:
        return Cell("", _whole(after))
    if before is None:
        return Cell("+", _whole(after))
    if after is None:
        return Cell("-", ())
    return Cell("~", tuple(_pieces(before, after)))


def _whole(value: str | None) -> tuple[Piece, ...]:
    return () if value is None else (Piece(_cut(value)),)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + _ELLIPSIS


def _pieces(before: str, after: str) -> Iterator[Piece]:
    """Yield ``after`` with its added words, and the removed words of ``before`` in their place."""
    if max(len(before), len(after)) > _MAX_COMPARED:
        yield from (Piece(_cut(before), "-"), Piece(_cut(after), "+"))
        return
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for position, (kind, start, end, new_start, new_end) in enumerate(steps):
        if kind == "equal":
            yield Piece(
                _context("".join(new[new_start:new_end]), is_first=position == 0, is_last=position == len(steps) - 1)
            )
            continue
        if start < end:
            yield Piece(_cut("".join(old[start:end])), "-")
        if new_start < new_end:
            yield Piece(_cut("".join(new[new_start:new_end])), "+")


def _context(text: str, *, is_first: bool, is_last: bool) -> str:
    """Return equal text without the part that is far from the changes around it."""
    if len(text) <= 2 * _CONTEXT:
        return text
    head = "" if is_first else text[:_CONTEXT]
    tail = "" if is_last else text[-_CONTEXT:]
    return f"{head}{_ELLIPSIS}{tail}"
