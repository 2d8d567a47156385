"""Each index names the query that it serves, and the query uses the index."""

from __future__ import annotations

import inspect
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.db.index_rows import seed_all_tables
from tests.db.served_queries import RULES, SERVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model

#: edx-rbac defines their columns.
_OTHERS: Final = {"CatalogRole", "CatalogRoleAssignment"}


def models() -> Iterator[type[Model]]:
    for app in ("catalog", "integrated_channels"):
        yield from (model for model in apps.get_app_config(app).get_models() if model.__name__ not in _OTHERS)


def comment_on(name: str) -> str:
    """Return the comment above the definition of an index."""
    model_name, _, field = name.partition(".")
    definition = f"    {field} = " if field else f'name="{name}"'
    [lines, number] = next(
        (lines, number)
        for model in models()
        if not field or model.__name__ == model_name
        for lines in [inspect.getsource(model).splitlines()]
        for number, line in enumerate(lines)
        if (line.startswith(definition) if field else definition in line)
    )
    while not re.match(r"\s+(\w+ = models\.|models\.(Index|UniqueConstraint)\(|TextIndex\()", lines[number]):
        number -= 1
    above = takewhile(lambda line: line.strip().startswith("# "), reversed(lines[:number]))
    return " ".join(line.strip().removeprefix("# ") for line in reversed([*above]))


@pytest.mark.parametrize("name", [*SERVED, *sorted(RULES)])
def test_each_index_names_the_query_it_serves(name: str) -> None:
    assert comment_on(name).startswith("Serves no query, but the rule: " if name in RULES else "Serves ")


def indexes() -> dict[str, str]:
    """Return the index's name in ``served_queries.py`` -> its name in the database."""
    found = {}
    for model in models():
        named: set[str | None] = {index.name for index in (*model._meta.indexes, *model._meta.constraints)}
        fields: dict[str | None, str] = {field.column: field.name for field in model._meta.local_concrete_fields}
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW INDEX FROM {model._meta.db_table} WHERE Seq_in_index = 1 AND Key_name <> 'PRIMARY'")
            for row in cursor.fetchall():
                found[row[2] if row[2] in named else f"{model.__name__}.{fields[row[4]]}"] = row[2]
    return found


@pytest.mark.only_on("mariadb")
@pytest.mark.django_db
def test_each_index_of_the_database_is_known() -> None:
    assert indexes().keys() == {*SERVED, *RULES}


def used_by(run: Callable[[], object]) -> Iterator[str]:
    """Run statements, and yield the indexes in their plans."""
    with CaptureQueriesContext(connection) as captured:
        run()
    with connection.cursor() as cursor:
        for query in captured:
            if query["sql"].lstrip(" \n(").startswith(("SELECT", "UPDATE", "DELETE")):
                cursor.execute(f"EXPLAIN {query['sql']}")
                columns = [column[0] for column in cursor.description]
                yield from (str(dict(zip(columns, row, strict=True))["key"]) for row in cursor.fetchall())


@pytest.mark.only_on("mariadb")
@pytest.mark.django_db(transaction=True)  # ANALYZE TABLE commits.
def test_each_query_uses_the_index_that_serves_it() -> None:
    seed_all_tables()
    names: dict[str, Any] = indexes()

    unused = []
    for name, run in SERVED.items():
        with transaction.atomic():
            used = {part for key in used_by(run) for part in key.split(",")}
            transaction.set_rollback(True)
        if names[name] not in used:
            unused.append(f"{name}: {sorted(used)}")

    assert unused == [], "\n".join(unused)
