"""Keyset pagination: reads any number of rows, one page in memory at a time, from an index that has their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import Model, QuerySet

    Row = dict[str, Any]


def keyset_pages(rows: QuerySet[Model], *columns: str, size: int) -> Iterator[list[Row]]:
    """Yield ``columns`` of the rows in their order, page by page; each page is a statement of its own.

    Rows that are written meanwhile may be left out. Rows that move in the order meanwhile may occur twice.

    Args:
        rows: in the order of columns of their own table that identify a row together.
        size: number of rows of a page.
    """
    names = dict.fromkeys([*columns, *map(name_of, order_of(rows))])
    read = rows.prefetch_related(None).values(*names)
    page = list(read[:size])
    while page:
        yield page
        page = list(read.filter(is_after(rows, page[-1]))[:size]) if len(page) == size else []


def order_of(rows: QuerySet[Model]) -> list[str]:
    """Return the columns that order the rows, as for ``order_by``, such as ``["-started_at", "-id"]``."""
    return [str(column) for column in rows.query.order_by]


def name_of(column: str) -> str:
    """Return the name of a column that orders rows, ascending or descending."""
    return column.removeprefix("-")


def is_after(rows: QuerySet[Model], row: Mapping[str, object]) -> Q:
    """Return the condition that one of ``rows`` comes after ``row`` in their order.

    Args:
        row: has a value for each column of the order; see :func:`order_of`.
    """
    after, equal = Q(pk__in=()), Q()
    for column in order_of(rows):
        name = name_of(column)
        after |= equal & _beyond(rows.model, column, row[name])
        equal &= Q((f"{name}__isnull", True)) if row[name] is None else Q((name, row[name]))
    return after


def _beyond(model: type[Model], column: str, value: object) -> Q:
    """Return the condition that a column comes after ``value``. On MariaDB and SQLite, NULL comes before all values."""
    name = name_of(column)
    if name == column:
        return Q((f"{name}__isnull", False)) if value is None else Q((f"{name}__gt", value))
    if value is None:
        return Q(pk__in=())
    field: Any = model._meta.get_field(name)
    smaller = Q((f"{name}__lt", value))
    return smaller | Q((f"{name}__isnull", True)) if field.null or field.generated else smaller
