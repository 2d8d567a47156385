"""All rows of the catalog's tables, for tests of a restored database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django.apps import apps
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import Model

    Tables: TypeAlias = Mapping[type[Model], Sequence[tuple[Any, ...]]]


def stored_tables() -> Tables:
    """Return the current rows of all tables of the catalog, without generated columns."""
    return {model: _rows_of(model) for model in apps.get_app_config("catalog").get_models()}


def restore(tables: Tables) -> None:
    """Make these the rows of the tables, as a restored dump does."""
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for model, rows in tables.items():
            if rows == _rows_of(model):
                continue
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
            places = ", ".join("%s" for _ in _columns_of(model))
            columns = ", ".join(_columns_of(model))
            cursor.executemany(f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})", rows)


def _rows_of(model: type[Model]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(_columns_of(model))} FROM {model._meta.db_table}")
        return list(cursor.fetchall())


def _columns_of(model: type[Model]) -> list[str]:
    fields = model._meta.local_concrete_fields
    return [connection.ops.quote_name(str(field.column)) for field in fields if field.column and not field.generated]
