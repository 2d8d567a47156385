"""Content that documents contain: pathways' courses and programs, programs' courses, courses' programs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog import models as catalog_models
from enterprise_catalog.catalog import tasks
from enterprise_catalog.catalog.discovery import nested
from enterprise_catalog.catalog.discovery.nested import Nested, nested_in, update_queries
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata, NestedContent, RefreshState
from enterprise_catalog.sandbox.open_edx import api
from enterprise_catalog.sandbox.open_edx.documents import read_lines
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed
from tests.factories.catalog import CatalogFactory
from tests.open_edx import course, pathway, program, step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.test import APIClient

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

db = pytest.mark.django_db(transaction=True)

PROGRAM = program("Program", "edX+A", "edX+B")


def now() -> datetime:
    return datetime.now(UTC)


def fill(rounds: int = nested.KEYS_PER_QUERY) -> None:
    """Refresh the queries of nested content until none is edited."""
    queries = update_queries(now=now())
    for _ in range(rounds):
        assert {refreshed(query).state for query in queries} <= {RefreshState.COMPLETE}
        moment = now()
        queries = [query for query in update_queries(now=moment) if query.filter_edited_at == moment]
        if not queries:
            return


def keys_of(content_type: str) -> list[str]:
    rows = ContentMetadata.objects.filter(content_type=content_type).order_by("content_key")
    return list(rows.values_list("content_key", flat=True))


def test_items_of_each_kind_are_found() -> None:
    steps = [step("edX+A", programs=["Program"]), step("edX+B")]

    assert nested_in("learnerpathway", pathway("P", steps=steps, visible_via_association=True)) == {
        Nested("course", "edX+A"),
        Nested("course", "edX+B"),
        Nested("program", PROGRAM["uuid"]),
    }
    assert nested_in("program", {"courses": [{"key": "edX+A"}, {"key": 1}, "x"]}) == {Nested("course", "edX+A")}
    assert nested_in("course", {"programs": [{"uuid": "u"}, {"uuid": ""}]}) == {Nested("program", "u")}
    assert nested_in("courserun", {"courses": [{"key": "edX+A"}]}) == set()


@pytest.mark.parametrize("members", [{"status": "retired"}, {"visible_via_association": False}])
def test_a_pathway_that_is_not_to_be_associated_has_no_items(members: dict[str, object]) -> None:
    fields = pathway("P", **{"steps": [step("edX+A")], "visible_via_association": True, **members})

    assert nested_in("learnerpathway", fields) == set()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["steps", "courses", "programs", "key", "uuid"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from(["course", "courserun", "program", "learnerpathway"]), json, json, json)
def test_any_document_has_items_that_can_be_stored(kind: str, steps: Any, courses: Any, programs: Any) -> None:
    fields = {"steps": steps, "courses": courses, "programs": programs, "status": "active"}

    for item in nested_in(kind, {**fields, "visible_via_association": True}):
        assert item.content_type in {"course", "program"}
        assert 0 < len(item.content_key) <= 255


@db
def test_pathways_and_everything_in_them_become_content_without_a_catalog(
    open_edx: OpenEdxSandbox, operator: APIClient
) -> None:
    courses = [course(f"edX+{name}") for name in "ABCD"]
    steps = [step("edX+C", programs=["Program"])]
    open_edx.documents.put([*courses, PROGRAM, pathway("Path", steps=steps)])

    fill()

    assert keys_of("course") == ["edX+A", "edX+B", "edX+C"]  # Not D, which is in nothing.
    assert keys_of("program") == [PROGRAM["uuid"]]
    assert keys_of("learnerpathway") == [pathway("Path")["uuid"]]
    queries = CatalogQuery.objects.order_by("pk")
    assert [(query.title, len(members(query))) for query in queries] == [
        ("All learner pathways", 1),
        ("Programs in pathways and courses (1)", 1),
        ("Courses in programs and pathways (1)", 3),
    ]
    plain = operator.get(f"/api/v1/content-metadata/{PROGRAM['uuid']}/").json()
    assert [each["key"] for each in plain["courses"]] == ["edX+A", "edX+B"]


@db
def test_the_sample_pathway_brings_courses_and_a_program_of_the_sample_catalog(open_edx: OpenEdxSandbox) -> None:
    files = [Path(catalog_models.__file__).parent / "sample_catalog.jsonl"]
    files.append(Path(api.__file__).parent / "sample_pathways.jsonl")
    open_edx.documents.put([line for file in files for line in read_lines(file.read_text("utf-8").split("\n"))])

    fill()

    assert len(keys_of("learnerpathway")) == 1
    assert len(keys_of("program")) == 1
    of_program = ["Northwind+DATA101", "Northwind+DATA210", "Northwind+STAT230"]
    assert keys_of("course") == ["HalcyonX+MATH110", "LumenX+AI150", *of_program]


@db
def test_courses_of_a_catalog_bring_their_programs_and_these_their_courses(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([course("edX+A"), course("edX+B", level_type="Advanced"), PROGRAM])
    query = discovery_query({"content_type": "course", "level_type": "Introductory"})
    CatalogFactory.create(catalog_query=query)
    refreshed(query)

    fill()

    assert members(query) == ["edX+A"]
    found = CatalogQuery.objects.get(title__startswith="Courses in")
    assert found.content_filter["aggregation_key"] == ["course:edX+B"]  # The catalog has A.
    assert members(found) == ["edX+B"]


@db
def test_nothing_is_written_or_read_in_full_again_if_nothing_changes(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([course("edX+A"), course("edX+B"), PROGRAM, pathway("Path", steps=[step("edX+A")])])
    fill()
    rows = list(NestedContent.objects.order_by("pk").values())
    versions = dict(CatalogQuery.objects.values_list("pk", "version"))
    searches = open_edx.calls[api.SEARCH]

    queries = update_queries(now=now())
    for query in queries:
        refreshed(query)

    assert len(queries) == 3
    assert open_edx.calls[api.SEARCH] == searches + 3
    assert list(NestedContent.objects.order_by("pk").values()) == rows
    assert dict(CatalogQuery.objects.values_list("pk", "version")) == versions


@db
def test_a_pathway_loses_its_items_when_it_retires(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([course("edX+A"), pathway("Path", steps=[step("edX+A")])])
    fill()

    open_edx.documents.put([pathway("Path", steps=[step("edX+A")], status="retired")])
    fill()

    assert not NestedContent.objects.exists()
    assert keys_of("course") == ["edX+A"]  # Content stays.


def added(names: Iterable[str]) -> None:
    """Store a program with these courses, as a refresh does."""
    container, _ = ContentMetadata.objects.get_or_create(
        content_key="p", defaults={"content_type": "program", "created_at": now(), "updated_at": now()}
    )
    nested.store_nested({container.content_key: frozenset(Nested("course", name) for name in names)})


def keys_by_query() -> list[list[str]]:
    queries = CatalogQuery.objects.filter(title__startswith="Courses in").order_by("pk")
    return [[key.removeprefix("course:") for key in query.content_filter["aggregation_key"]] for query in queries]


@db
@pytest.mark.usefixtures("open_edx")
def test_keys_stay_in_their_query_and_no_query_has_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested, "KEYS_PER_QUERY", 2)
    added("abcde")
    update_queries(now=now())
    assert keys_by_query() == [["a", "b"], ["c", "d"], ["e"]]

    added("Xbcde")
    edited = now()
    found = update_queries(now=edited)

    assert keys_by_query() == [["b", "X"], ["c", "d"], ["e"]]
    assert [query.filter_edited_at == edited for query in found] == [False, True, False, False]

    added("e")
    assert len(update_queries(now=now())) == 2  # Pathways, and e: a query without keys is left as it is.


@db
@pytest.mark.usefixtures("open_edx")
def test_a_query_of_the_lms_with_the_same_filter_is_used() -> None:
    query = discovery_query({"content_type": "learnerpathway"})

    assert update_queries(now=now()) == [query]


@db
def test_the_schedule_refreshes_nested_content_and_goes_on_until_everything_is_there(
    open_edx: OpenEdxSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.refresh_query, "apply_async", lambda arguments, **_: tasks.refresh_query(*arguments))
    steps = [step(programs=["Program"])]
    open_edx.documents.put([course("edX+A"), course("edX+B"), PROGRAM, pathway("Path", steps=steps)])

    assert tasks.refresh_catalogs() == 1  # The pathways; the other queries follow.

    assert keys_of("course") == ["edX+A", "edX+B"]
