"""Bulk inserts and upserts at driver speed.

Django's ``bulk_create`` prepares each value of each row. For a chunk's rows, this takes twice as long as the driver and
the database together. Most values in such rows repeat: the time, the state, the catalog. This module prepares each
distinct value of a column once and passes it to the driver once, by name.

Unlike ``save()``, these functions do not set ``auto_now`` fields and send no signals. The caller opens the transaction.
A statement contains as many rows as the database's limit on variables allows.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.db.models.constants import OnConflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Field, Model

    Fields = tuple[Field[Any, Any], ...]

#: Number of rows that one statement reads or writes.
ROWS_PER_STATEMENT: Final = 1_000


def insert(rows: Sequence[Model]) -> None:
    """Insert new rows of one model.

    Sets their primary keys if the database returns them (MariaDB and SQLite do, MySQL does not).
    """
    if not rows:
        return
    fields = tuple(field for field in _fields_of(rows[0]) if not field.primary_key)
    pk = rows[0]._meta.pk
    operations: Any = connection.ops  # The stubs lack the methods that only some databases have.
    are_returned = connection.features.can_return_rows_from_bulk_insert
    returning, _ = operations.return_insert_columns([pk]) if are_returned else ("", ())
    for cursor, part in _written(rows, fields, returning):
        if are_returned:
            for row, [value] in zip(part, operations.fetch_returned_insert_rows(cursor), strict=True):
                row.pk = value


def upsert(rows: Sequence[Model], *, columns: Sequence[str], key: str = "id") -> None:
    """Insert rows, or update ``columns`` of the rows that exist.

    ``bulk_update`` would need a CASE per row and column.

    Args:
        rows: of one model, each with its primary key.
        columns: names of fields.
        key: name of the field that is the primary key.
    """
    if not rows:
        return
    fields = _fields_of(rows[0])
    on_conflict = connection.ops.on_conflict_suffix_sql(
        fields, OnConflict.UPDATE, _columns_of(fields, columns), _columns_of(fields, [key])
    )
    for _ in _written(rows, fields, on_conflict):
        pass


def _fields_of(row: Model) -> Fields:
    return tuple(row._meta.concrete_fields)


def _columns_of(fields: Fields, names: Sequence[str]) -> list[str]:
    return [column for field in fields if field.name in names and (column := field.column)]


def _written(rows: Sequence[Model], fields: Fields, clause: str) -> Iterator[tuple[CursorWrapper, Sequence[Model]]]:
    """Insert ``fields`` of ``rows``; yield each statement's cursor and its rows.

    Args:
        clause: SQL after the values.
    """
    most = connection.ops.bulk_batch_size(fields, rows)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(column) for field in fields if (column := field.column))
    insert_into = f"{connection.ops.insert_statement()} {quote(rows[0]._meta.db_table)} ({columns}) VALUES"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            values: dict[str, Any] = {}
            places = zip(*(_placed(field, part, values) for field in fields), strict=True)
            cursor.execute(f"{insert_into} ({'), ('.join(map(', '.join, places))}) {clause}", values)
            yield cursor, part


def _placed(field: Field[Any, Any], rows: Sequence[Model], values: dict[str, Any]) -> list[str]:
    """Return the placeholder of each row's value of ``field``, and add the prepared values to ``values``.

    Args:
        values: parameter name -> value; equal values share a name.
    """
    prepare = functools.partial(field.get_db_prep_save, connection=connection)
    of_rows = [getattr(row, field.attname) for row in rows]
    try:
        names = {value: f"{field.column}_{number}" for number, value in enumerate(set(of_rows))}
    except TypeError:  # JSON values are not hashable.
        values |= {f"{field.column}_{number}": prepare(value) for number, value in enumerate(of_rows)}
        return [f"%({field.column}_{number})s" for number in range(len(of_rows))]
    values |= {name: prepare(value) for value, name in names.items()}
    return [f"%({names[value]})s" for value in of_rows]
