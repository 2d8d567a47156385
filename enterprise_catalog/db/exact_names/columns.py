"""Columns of names that identify users, roles and clients, and the collation that they need on MariaDB and MySQL.

By default, these databases treat ``MULLER``, ``müller`` and ``muller`` with a trailing space as equal. A token for one
of these users would then get the account and the roles of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db import connections

from enterprise_catalog.db.content_keys import exact_collation

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

#: Application, model and field.
EXACT_COLUMNS: Final = (
    ("auth", "User", "username"),
    ("catalog", "CatalogRole", "name"),
    ("oauth2_provider", "Application", "client_id"),
)


def compare_exactly(app_label: str, *, using: str) -> list[str]:
    """Set the exact collation on the application's columns where it differs; return the tables changed.

    Safe to repeat: it reads one row per column, and writes nothing if all collations are right. MariaDB locks a table
    while rebuilding it, which takes milliseconds for thousands of users.
    """
    connection = connections[using]
    collation = exact_collation(connection)
    if collation is None:
        return []
    models = [(apps.get_model(app, model), name) for app, model, name in EXACT_COLUMNS if app == app_label]
    wrong = [(model, name) for model, name in models if _collation_of(connection, model, name) not in (collation, None)]
    for model, name in wrong:
        _alter(connection, model, name, collation)
    return [model._meta.db_table for model, _ in wrong]


def _collation_of(connection: BaseDatabaseWrapper, model: type[Model], name: str) -> str | None:
    """Return the column's collation; ``None`` if its table does not exist yet."""
    sql = (
        "SELECT collation_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = %s AND column_name = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [model._meta.db_table, name])
        row = cursor.fetchone()
    return row[0] if row else None


def _alter(connection: BaseDatabaseWrapper, model: type[Model], name: str, collation: str) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    column, kind = connection.ops.quote_name(name), model._meta.get_field(name).db_type(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} MODIFY {column} {kind} CHARACTER SET utf8mb4 COLLATE {collation} NOT NULL")
