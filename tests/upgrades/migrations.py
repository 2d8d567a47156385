"""Finds migration operations that would break old code, which still runs while the database is migrated. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.migrations import operations

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from django.db import models
    from django.db.migrations import Migration
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState

#: Operations that no query of old code depends on. Data that RunPython writes cannot be inspected for compatibility
#: with old code; ``test_rolling_upgrade.py`` runs old code on that data.
_HARMLESS: Final = (
    operations.CreateModel,
    operations.AddIndex,
    operations.RemoveIndex,
    operations.RenameIndex,
    operations.RemoveConstraint,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    operations.AlterModelTableComment,
    operations.RunPython,
)
#: Column type -> types that hold all of its values and read and write them in the same way.
_WIDER: Final = {
    "CharField": {"TextField"},
    "SmallIntegerField": {"IntegerField", "BigIntegerField"},
    "PositiveSmallIntegerField": {"IntegerField", "PositiveIntegerField", "BigIntegerField", "PositiveBigIntegerField"},
    "PositiveIntegerField": {"BigIntegerField", "PositiveBigIntegerField"},
    "IntegerField": {"BigIntegerField"},
}


def problems(migration: Migration, state: ProjectState, *, known: Container[tuple[str, str]]) -> Iterator[str]:
    """Yield the problems that the migration would cause for old code, one sentence each.

    Args:
        state: the state before the migration; changed to the state after it.
        known: the models of the old code, as (app label, lower-case name). Old code uses no other tables.
    """
    for operation in _flat(migration.operations):
        name = f"{migration.app_label}.{migration.name}: {operation.describe()}"
        model = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", None)
        if model is None or (migration.app_label, model) in known:
            yield from (f"{name}: {problem}" for problem in _problems(operation, migration.app_label, state))
        operation.state_forwards(migration.app_label, state)


def _flat(every: Iterable[Operation]) -> Iterator[Operation]:
    """Yield all operations; for SeparateDatabaseAndState, only its database operations."""
    for operation in every:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _problems(operation: Operation, app_label: str, state: ProjectState) -> Iterator[str]:
    if isinstance(operation, operations.AddField):
        yield from _of_new_column(operation.field)
    elif isinstance(operation, operations.AlterField):
        old = state.models[app_label, operation.model_name_lower].fields[operation.name]
        yield from _of_changed_column(old, operation.field)
    elif isinstance(operation, operations.AddConstraint):
        yield "old code does not know the constraint, and may write what breaks it"
    elif not isinstance(operation, _HARMLESS):
        yield "old code still uses what this takes away, or it cannot be inspected"


def _of_new_column(field: models.Field[object, object]) -> Iterator[str]:
    if field.many_to_many:
        return
    if (
        not field.null and not field.has_db_default() and not field.generated
    ):  # The database computes a generated field.
        yield "INSERTs of old code do not name the column; it needs null or db_default"
    if field.unique and not field.null:
        yield "all rows that old code inserts would have the same value in a unique column"


def _of_changed_column(old: models.Field[object, object], new: models.Field[object, object]) -> Iterator[str]:
    kinds = old.get_internal_type(), new.get_internal_type()
    if kinds[0] != kinds[1] and kinds[1] not in _WIDER.get(kinds[0], ()):
        yield f"a {kinds[1]} does not hold all that old code writes into a {kinds[0]}"
    if old.null and not new.null:
        yield "old code may write NULL"
    if new.unique and not old.unique:
        yield "old code may write a value twice"
    if old.has_db_default() and not new.has_db_default() and not new.null:
        yield "INSERTs of code that does not name the column need its db_default"
    if old.db_column != new.db_column:
        yield "old code names the column as it was"
    for limit in ("max_length", "max_digits", "decimal_places"):
        before, after = getattr(old, limit, None), getattr(new, limit, None)
        if after is not None and (before is None or after < before) and kinds[0] == kinds[1]:
            yield f"{limit} shrinks from {before} to {after}"
