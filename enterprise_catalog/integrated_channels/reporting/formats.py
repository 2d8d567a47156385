"""Records -> CSV and JSON lines."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from enterprise_catalog.integrated_channels.reporting.export import Record

#: A spreadsheet treats a cell that starts with one of these as a formula, which can send the sheet's content elsewhere
#: (https://owasp.org/www-community/attacks/CSV_Injection).
#: The last four are the full-width forms of the first four, which some spreadsheets treat alike.
_FORMULA_STARTS: Final = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")
#: Without it, Excel reads UTF-8 as the computer's old character set.
BYTE_ORDER_MARK: Final = "\ufeff"


def to_csv(pages: Iterable[Iterable[Record]], columns: Sequence[str]) -> Iterator[str]:
    """Yield a header, and the lines of each page. A quote before a formula makes a spreadsheet show it as text."""
    yield _lines([columns])
    for page in pages:
        yield _lines([_cell(record[name]) for name in columns] for record in page)


def to_json_lines(pages: Iterable[Iterable[Record]]) -> Iterator[str]:
    """Yield the lines of each page, one JSON object per record. Values are unchanged; times are in UTC."""
    for page in pages:
        yield "".join(f"{orjson.dumps(record).decode()}\n" for record in page)


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return value
