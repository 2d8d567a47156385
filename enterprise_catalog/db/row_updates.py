"""Updates of rows with given primary keys: of several tables at once, and without locks of any other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from django.db import connection
from django.db.models import Exists, Func

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date
    from decimal import Decimal
    from uuid import UUID

    from django.db.models import Lookup, Model, QuerySet

    Rows = TypeVar("Rows", bound=QuerySet[Model])
    #: A value as the drivers accept it.
    Prepared = int | float | Decimal | str | bytes | date | UUID | None


@dataclass(frozen=True, slots=True)
class RowUpdate:
    """The new values of columns of one row, or of several rows that get the same values."""

    model: type[Model]
    where: Mapping[str, object]  #: Name of a field -> its value now. Contains the primary key, unless ``keys`` do.
    changes: Mapping[str, object]  #: Name of a field -> its new value.
    keys: Sequence[int] = ()  #: Primary keys of several rows.


def update_together(*updates: RowUpdate, unless: QuerySet[Model] | None = None) -> bool:
    """Update rows of different tables if each of the updates finds a row, and ``unless`` finds nothing.

    Takes one statement on MariaDB and MySQL, and one for each table on SQLite. The caller opens a transaction. Rows
    that were found have locks until its end.

    Returns:
        False if a condition is not met. MariaDB and MySQL have then written nothing. SQLite may have written some of
        the rows: the caller must write them again, or roll back.
    """
    if connection.vendor == "mysql":
        return _update_joined(updates, unless)
    absent = [] if unless is None else [~Exists(unless)]
    return all(_rows_of(each).filter(*absent).update(**each.changes) for each in updates)


def _rows_of(update: RowUpdate) -> QuerySet[Model]:
    rows = update.model._default_manager.filter(**update.where)
    return rows.filter(pk__in=update.keys) if update.keys else rows


def _update_joined(updates: Sequence[RowUpdate], unless: QuerySet[Model] | None) -> bool:
    changes, new_values = _assignments(updates, [each.changes for each in updates])
    conditions, values = _assignments(updates, [each.where for each in updates])
    for each in updates:
        if each.keys:
            key = connection.ops.quote_name(str(each.model._meta.pk.column))
            conditions.append(f"{_table(each.model)}.{key} IN ({', '.join(['%s'] * len(each.keys))})")
            values += each.keys
    if unless is not None:
        sql, parameters = unless.values("pk").query.sql_with_params()
        conditions, values = [*conditions, f"NOT EXISTS ({sql})"], [*values, *parameters]
    tables = ", ".join(_table(each.model) for each in updates)
    sql = f"{tables} SET {', '.join(changes)} WHERE {' AND '.join(conditions)}"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {sql}", [*new_values, *values])
        number: int = cursor.rowcount
    return number > 0


def _assignments(
    updates: Sequence[RowUpdate], values: Sequence[Mapping[str, object]]
) -> tuple[list[str], list[Prepared]]:
    """Return ``table.column = %s`` for each of ``values``, and the parameters."""
    sql, parameters = [], []
    for each, of_row in zip(updates, values, strict=True):
        fields = {field.name: field for field in each.model._meta.concrete_fields}
        for name, value in of_row.items():
            field = fields[name]
            sql.append(f"{_table(each.model)}.{connection.ops.quote_name(str(field.column))} = %s")
            parameters.append(field.get_db_prep_save(value, connection))
    return sql, parameters


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


class Unindexed(Func):
    """The value of a column, as an expression that no index serves."""

    function = "COALESCE"
    template = "%(function)s(%(expressions)s, NULL)"
    arity = 1


def with_keys(rows: Rows, keys: Collection[object], *conditions: Lookup[bool], **columns: object) -> Rows:
    """Return the rows with these primary keys that meet the conditions, to be updated.

    MariaDB finds them by primary key. It locks all rows that it reads for an update. For conditions that few rows meet,
    and in small tables, it would prefer the index of a condition, such as "is due", and also lock rows that other
    transactions update. Those lock the same rows in another order, and one of the transactions fails with a deadlock.

    Args:
        conditions: expressions that no index serves.
        columns: lookups as in ``filter``; their columns become :class:`Unindexed`.
    """
    names = {lookup.partition("__")[0] for lookup in columns}
    hidden = {f"unindexed_{name}": Unindexed(name) for name in names}
    lookups = {f"unindexed_{lookup}": value for lookup, value in columns.items()}
    return rows.alias(**hidden).filter(*conditions, pk__in=keys, **lookups)
