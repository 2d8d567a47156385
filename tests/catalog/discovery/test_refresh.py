"""The content that a refresh finds, compares and stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.models import (
    CatalogQuery,
    ContentMetadata,
    RefreshChange,
    RefreshState,
)
from enterprise_catalog.sandbox.open_edx import api
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, stored
from tests.open_edx import course, courses, pathway, program, run

if TYPE_CHECKING:
    from django.test.utils import CaptureQueriesContext
    from pytest_django import DjangoAssertNumQueries

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)

A_YEAR_AGO: Final = datetime.now(UTC) - timedelta(days=365)


def put_long_ago(sandbox: OpenEdxSandbox, documents: list[dict[str, Any]]) -> None:
    """Store documents that course-discovery saved a year ago."""
    sandbox.documents.now = lambda: A_YEAR_AGO
    sandbox.documents.put(documents)
    sandbox.documents.now = lambda: datetime.now(UTC)


def test_a_refresh_fills_a_query_with_what_its_filter_finds(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([*courses(3), course("edX+Advanced", level_type="Advanced")])
    query = discovery_query({"content_type": "course", "level_type": "Introductory"})

    row = refreshed(query)

    assert row.state == RefreshState.COMPLETE, row.reason
    assert members(query) == ["edX+C0000", "edX+C0001", "edX+C0002"]
    assert (row.found, row.added, row.removed, row.changed) == (3, 3, 0, 0)
    query.refresh_from_db()
    assert query.refreshed_at == row.started_at
    assert query.version > 0


def test_documents_consist_of_the_search_result_and_the_full_document(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([course("edX+DemoX", marketing_url="https://example.org/demo")])

    refreshed(discovery_query())

    document = stored("edX+DemoX")
    assert document["aggregation_key"] == "course:edX+DemoX"
    assert document["course_runs"][0]["is_marketable"] is True  # Only in full documents.
    assert "seat_types" in document  # Only in search results.
    assert set(document["normalized_metadata_by_run"]) == {"course-v1:edX+DemoX+1T2026"}


def test_every_kind_of_content_is_stored_and_persons_are_not(open_edx: OpenEdxSandbox) -> None:
    put = [course("edX+DemoX"), program("Program", "edX+DemoX"), pathway("Pathway")]
    open_edx.documents.put(put)
    query = discovery_query({"partner": ["edx"]})
    open_edx.documents.put([{**each, "partner": "edx"} for each in put])

    row = refreshed(query)

    kinds = dict(
        ContentMetadata.objects.filter(memberships__catalog_query=query).values_list("content_key", "content_type")
    )
    assert row.state == RefreshState.COMPLETE, row.reason
    assert sorted(kinds.values()) == ["course", "courserun", "learnerpathway", "program"]
    assert ContentMetadata.objects.get(content_type="courserun").parent_content_key == "edX+DemoX"


def test_persons_and_content_of_other_sources_are_left_out(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(
        [
            course("edX+DemoX"),
            course("edX+Camp", course_type="bootcamp-2u"),
            course("edX+Other", product_source="emeritus"),
            course("edX+Exec", course_type="executive-education-2u", product_source="2u"),
        ]
    )
    query = discovery_query({"content_type": ["course", "person"]})

    row = refreshed(query)

    assert members(query) == ["edX+DemoX", "edX+Exec"]
    assert row.left_out == 4  # Two courses, and the sandbox's two persons.


def test_changes_are_found_and_counted(open_edx: OpenEdxSandbox) -> None:
    put_long_ago(open_edx, courses(10))
    query = discovery_query()
    refreshed(query)
    before = ContentMetadata.objects.get(content_key="edX+C0001").updated_at

    open_edx.documents.put([course("edX+C0001", title="New title"), course("edX+New")])
    open_edx.documents.remove(["edX+C0000"])
    row = refreshed(query)

    assert (row.added, row.removed, row.changed) == (1, 1, 1)
    assert stored("edX+C0001")["title"] == "New title"
    assert ContentMetadata.objects.get(content_key="edX+C0001").updated_at > before
    changes = RefreshChange.objects.filter(refresh=row).order_by("kind").values_list("kind", "content_key")
    assert list(changes) == [("added", "edX+New"), ("removed", "edX+C0000")]


def test_a_change_that_only_the_full_document_shows_is_found(open_edx: OpenEdxSandbox) -> None:
    put_long_ago(open_edx, courses(3))
    query = discovery_query()
    refreshed(query)

    open_edx.documents.put([course("edX+C0001", outcome="You learn something.")])
    row = refreshed(query)

    assert row.changed == 1
    assert stored("edX+C0001")["outcome"] == "You learn something."


def test_unchanged_courses_are_not_read_in_full_and_write_nothing(
    open_edx: OpenEdxSandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    put_long_ago(open_edx, courses(250))
    query = discovery_query()
    refreshed(query)
    version = CatalogQuery.objects.get(pk=query.pk).version
    read = open_edx.calls[api.COURSES]

    with django_assert_max_num_queries(60) as executed:
        row = refreshed(query)

    assert (row.state, row.found, row.changed) == (RefreshState.COMPLETE, 250, 0)
    assert open_edx.calls[api.COURSES] == read + 1  # Changed since the last refresh: none.
    assert content_writes(executed) == []
    assert CatalogQuery.objects.get(pk=query.pk).version == version


def content_writes(executed: CaptureQueriesContext) -> list[str]:
    """Return the statements that write to the tables of content and membership."""
    tables = (
        "catalog_contentmetadata",
        "catalog_contentdocument",
        "catalog_catalogmembership",
        "catalog_discoveredcontent",
    )
    writes = [sql for each in executed if not (sql := each["sql"]).startswith("SELECT")]
    return [sql for sql in writes if any(table in sql for table in tables)]


def test_a_restless_course_discovery_changes_nothing(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()
    refreshed(query)
    version = CatalogQuery.objects.get(pk=query.pk).version

    open_edx.is_restless = True
    first, second = refreshed(query), refreshed(query)

    assert (first.changed, second.changed) == (0, 0)
    assert CatalogQuery.objects.get(pk=query.pk).version == version


def test_a_forced_course_is_a_member_although_the_search_does_not_find_it(open_edx: OpenEdxSandbox) -> None:
    hidden = course("edX+HIDDEN", run("course-v1:edX+HIDDEN+1", status="unpublished"), level_type="Advanced")
    open_edx.documents.put([course("edX+DemoX"), hidden])
    query = discovery_query(
        {
            "level_type": "Introductory",
            "content_type": "course",
            "enterprise_force_include_aggregation_keys": ["edX+HIDDEN"],
        }
    )

    refreshed(query)

    assert members(query) == ["edX+DemoX", "edX+HIDDEN"]
    assert stored("edX+HIDDEN")["course_runs"][0]["status"] == "published"
    assert ContentMetadata.objects.get(content_key="edX+HIDDEN").content_type == "course"


def test_a_course_without_full_document_is_stored_and_keeps_a_document_that_it_has(open_edx: OpenEdxSandbox) -> None:
    open_edx.unanswered = ["edX+C0000"]
    open_edx.documents.put(courses(2))
    query = discovery_query()

    first = refreshed(query)

    assert (first.incomplete, members(query)) == (1, ["edX+C0000", "edX+C0001"])
    assert "normalized_metadata" not in stored("edX+C0000")

    open_edx.unanswered = []
    assert refreshed(query).changed == 1
    assert "normalized_metadata" in stored("edX+C0000")

    open_edx.unanswered = ["edX+C0000"]
    open_edx.documents.put([course("edX+C0000", title="New title")])
    third = refreshed(query)

    assert (third.incomplete, third.changed) == (1, 0)
    assert "normalized_metadata" in stored("edX+C0000")


def test_reviews_are_part_of_documents(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([course("edX+DemoX", reviews_count=12, avg_course_rating=4.5)])

    refreshed(discovery_query())

    document = stored("edX+DemoX")
    assert (document["reviews_count"], document["avg_course_rating"]) == (12, 4.5)
