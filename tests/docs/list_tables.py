"""Renders reStructuredText tables for the generated pages, in lines of at most 120 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_COLUMNS: Final = 120


def list_table(rows: Iterable[Sequence[str]], *, widths: str = "") -> Iterator[str]:
    """Yield the lines of a ``list-table`` without line ends.

    Args:
        rows: the header, then all other rows.
        widths: relative widths of the columns, such as ``20 80``; equal if empty.
    """
    yield from (".. list-table::", "   :header-rows: 1")
    if widths:
        yield f"   :widths: {widths}"
    yield ""
    for row in rows:
        for position, cell in enumerate(row):
            yield from wrapped(f"   {' ' if position else '*'} - {cell}".rstrip(), indent=7)


def wrapped(text: str, *, indent: int = 0) -> list[str]:
    """Return ``text`` in lines of at most :data:`MAX_COLUMNS`; all but the first are indented by ``indent`` spaces.

    A longer word, such as a URL, stays in one line.
    """
    return textwrap.wrap(
        text, MAX_COLUMNS, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
