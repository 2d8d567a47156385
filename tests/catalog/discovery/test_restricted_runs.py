"""Restricted course runs that a query's filter allows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest

from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.discovery.restricted_runs import allowed_runs
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata, RefreshState
from tests.catalog.discovery.refreshes import discovery_query, refreshed, stored
from tests.open_edx import course, run

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"course:edX+FUN": ["A", 1], "edX+B": ["C"]}, {"edX+FUN": ["A"], "edX+B": ["C"]}),
        ({"edX+B": "C"}, {}),
        (["edX+B"], {}),
        (None, {}),
    ],
)
def test_allowed_runs_by_course(value: object, found: dict[str, list[str]]) -> None:
    assert allowed_runs({"restricted_runs_allowed": value}) == found


def with_restricted_runs(*allowed: str) -> CatalogQuery:
    """Return a query of the course ``edX+FUN`` that allows these of its restricted runs."""
    return discovery_query(
        {"content_type": "course", "key": ["edX+FUN"], "restricted_runs_allowed": {"course:edX+FUN": list(allowed)}}
    )


def test_restricted_runs_that_the_filter_allows_are_stored_for_the_query(open_edx: OpenEdxSandbox) -> None:
    restricted = [run(f"course-v1:edX+FUN+{name}", restriction_type="custom-b2b-enterprise") for name in "ABC"]
    open_edx.documents.put([course("edX+FUN", run("course-v1:edX+FUN+1"), *restricted), course("edX+FUNNY")])
    query = with_restricted_runs("course-v1:edX+FUN+A", "course-v1:edX+FUN+B")

    row = refreshed(query)

    assert row.state == RefreshState.COMPLETE, row.reason
    assert [each["key"] for each in stored("edX+FUN")["course_runs"]] == ["course-v1:edX+FUN+1"]
    assert not ContentMetadata.objects.filter(content_type="courserun", memberships__isnull=False).exists()
    runs = query.restricted_runs.order_by("content__content_key")
    assert [each.content.content_key for each in runs] == ["course-v1:edX+FUN+A", "course-v1:edX+FUN+B"]
    assert {each.content.parent_content_key for each in runs} == {"edX+FUN"}
    of_query = orjson.loads(query.restricted_courses.get().json)
    assert of_query["course_run_keys"] == ["course-v1:edX+FUN+1", "course-v1:edX+FUN+A", "course-v1:edX+FUN+B"]
    assert "course-v1:edX+FUN+C" not in of_query["normalized_metadata_by_run"]


def test_a_restricted_run_that_the_filter_no_longer_allows_is_removed(open_edx: OpenEdxSandbox) -> None:
    restricted = run("course-v1:edX+FUN+A", restriction_type="custom-b2b-enterprise")
    open_edx.documents.put([course("edX+FUN", run("course-v1:edX+FUN+1"), restricted)])
    query = with_restricted_runs("course-v1:edX+FUN+A")
    refreshed(query)
    version = CatalogQuery.objects.get(pk=query.pk).version
    refreshed(query)
    assert CatalogQuery.objects.get(pk=query.pk).version == version

    query.refresh_from_db()
    edit_filter(query, {"content_type": "course", "key": ["edX+FUN"]}, now=datetime.now(UTC))
    query.save()
    refreshed(query)

    assert not query.restricted_runs.exists()
    assert not query.restricted_courses.exists()
    assert CatalogQuery.objects.get(pk=query.pk).version > version
