"""Keyset pagination: reads any number of rows in memory for one page, from an index that has their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model, QuerySet

    Row = dict[str, Any]


def keyset_pages(rows: QuerySet[Model], *columns: str, size: int) -> Iterator[list[Row]]:
    """Yield ``columns`` of the rows in their order, page by page; each page is a statement of its own.

    Rows that are written meanwhile may be left out. Rows that move in the order meanwhile may occur twice.

    Args:
        rows: in the order of columns of their own table that identify a row together.
        size: number of rows of a page.
    """
    order = [str(name) for name in rows.query.order_by]
    names = dict.fromkeys([*columns, *(name.removeprefix("-") for name in order)])
    read = rows.prefetch_related(None).values(*names)
    page = list(read[:size])
    while page:
        yield page
        page = list(read.filter(_after(page[-1], order))[:size]) if len(page) == size else []


def _after(row: Mapping[str, Any], order: Sequence[str]) -> Q:
    """Return the condition that a row comes after ``row``: equal in the first columns, and beyond it in the next."""
    after, equal = Q(pk__in=()), Q()
    for name in order:
        column = name.removeprefix("-")
        after |= equal & _beyond(column, row[column], descending=name.startswith("-"))
        equal &= Q((f"{column}__isnull", True)) if row[column] is None else Q((column, row[column]))
    return after


def _beyond(column: str, value: object, *, descending: bool) -> Q:
    """Return the condition that a column comes after ``value``. On MariaDB and SQLite, NULL comes before all values."""
    if not descending:
        return Q((f"{column}__isnull", False)) if value is None else Q((f"{column}__gt", value))
    return Q(pk__in=()) if value is None else Q((f"{column}__lt", value)) | Q((f"{column}__isnull", True))
