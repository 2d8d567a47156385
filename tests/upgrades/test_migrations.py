"""Code of the last release works after each later migration; the checks find changes that would break it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Upper

from tests.upgrades.migrations import problems

if TYPE_CHECKING:
    from django.db.migrations.operations.base import Operation

#: The newest migrations of the last release. All later migrations meet code of that release.
RELEASED: Final = {
    "catalog": "0002_timestamps_as_served",
    "integrated_channels": "0009_settled_rows_are_read_from_an_index",
}
OURS: Final = {config.label for config in apps.get_app_configs() if config.name.startswith("enterprise_catalog.")}


def since_release() -> list[tuple[Migration, ProjectState]]:
    """Return our migrations since the release in dependency order, each with the state before it."""
    graph = MigrationLoader(None).graph
    old = {key for released in RELEASED.items() for key in graph.forwards_plan(released)}
    plan = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    return [
        (graph.nodes[key], graph.make_state(nodes=[key], at_end=False))
        for key in plan
        if key[0] in OURS and key not in old
    ]


def test_the_release_is_known() -> None:
    assert {*RELEASED.items()} <= {*MigrationLoader(None).graph.nodes}


def test_old_code_survives_each_migration_since_the_release() -> None:
    known = MigrationLoader(None).graph.make_state(nodes=[*RELEASED.items()]).models

    found = [each for migration, state in since_release() for each in problems(migration, state, known=known)]

    assert found == []


def a_state() -> ProjectState:
    state = ProjectState()
    columns: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=100)),
        ("note", models.CharField(max_length=100, null=True)),
        ("number", models.IntegerField(db_default=0)),
    ]
    state.add_model(ModelState("shop", "Item", columns))
    return state


def found_in(*every: Operation) -> list[str]:
    migration = type("Migration", (Migration,), {"operations": every})("0002_next", "shop")
    state = a_state()
    return [*problems(migration, state, known={*state.models})]


CAPITALS: Final = models.GeneratedField(
    expression=Upper("name"), output_field=models.CharField(max_length=100), db_persist=False
)
CHECK: Final = models.CheckConstraint(condition=models.Q(number__gte=0), name="not_negative")


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (operations.AddField("item", "size", models.IntegerField(default=0)), "needs null or db_default"),
        (operations.AddField("item", "code", models.CharField(max_length=9, db_default="", unique=True)), "same value"),
        (operations.RemoveField("item", "name"), "takes away"),
        (operations.RenameField("item", "name", "title"), "takes away"),
        (operations.RenameModel("Item", "Thing"), "takes away"),
        (operations.DeleteModel("Item"), "takes away"),
        (operations.AlterModelTable("item", "things"), "takes away"),
        (operations.AlterUniqueTogether("item", {("name", "number")}), "takes away"),
        (operations.RunSQL("DROP TABLE shop_item"), "takes away"),
        (operations.AddConstraint("item", CHECK), "does not know the constraint"),
        (operations.AlterField("item", "name", models.CharField(max_length=99)), "max_length shrinks from 100 to 99"),
        (operations.AlterField("item", "name", models.CharField(max_length=100, unique=True)), "a value twice"),
        (operations.AlterField("item", "name", models.IntegerField()), "does not hold all"),
        (operations.AlterField("item", "name", models.CharField(max_length=100, db_column="title")), "as it was"),
        (operations.AlterField("item", "note", models.CharField(max_length=100)), "may write NULL"),
        (operations.AlterField("item", "number", models.IntegerField()), "need its db_default"),
        (operations.AlterField("item", "number", models.SmallIntegerField(db_default=0)), "does not hold all"),
    ],
)
def test_what_old_code_does_not_survive_is_found(operation: Operation, problem: str) -> None:
    for each in (operation, operations.SeparateDatabaseAndState([operation])):
        [found] = found_in(each)

        assert problem in found


@pytest.mark.parametrize(
    "operation",
    [
        operations.AddField("item", "size", models.IntegerField(null=True)),
        operations.AddField("item", "size", models.IntegerField(default=1, db_default=1)),
        operations.AddField("item", "code", models.CharField(max_length=9, null=True, unique=True)),
        operations.AddField("item", "capitals", CAPITALS),
        operations.AlterField("item", "name", models.CharField(max_length=200)),
        operations.AlterField("item", "name", models.TextField()),
        operations.AlterField("item", "note", models.CharField(max_length=100, null=True, help_text="A note.")),
        operations.AlterField("item", "number", models.BigIntegerField(db_default=0)),
        operations.AddIndex("item", models.Index(fields=["name"], name="by_name")),
        operations.CreateModel("Box", [("id", models.BigAutoField(primary_key=True))]),
        operations.RunPython(operations.RunPython.noop),
    ],
)
def test_what_old_code_survives_is_no_problem(operation: Operation) -> None:
    assert found_in(operation) == []


def test_old_code_does_not_use_tables_that_are_newer() -> None:
    box = operations.CreateModel("Box", [("id", models.BigAutoField(primary_key=True))])
    size = operations.AddField("box", "size", models.IntegerField(default=0))

    assert found_in(box, size, operations.DeleteModel("Box")) == []
