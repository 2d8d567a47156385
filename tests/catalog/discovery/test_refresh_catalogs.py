"""``refresh_catalogs`` and ``decide_refresh``."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.discovery.nested import PATHWAYS
from enterprise_catalog.catalog.models import CatalogQuery, CatalogRefresh, ContentMetadata, RefreshState
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed
from tests.factories.catalog import CatalogFactory, CatalogQueryFactory
from tests.open_edx import course, courses
from tests.open_edx import run as nested_run

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)


def run(*options: str, command: str = "refresh_catalogs") -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code, and the objects of the lines printed, except those about all learner pathways."""
    output, code = io.StringIO(), 0
    try:
        call_command(command, *options, stdout=output)
    except SystemExit as error:
        code = int(error.code or 0)
    reports = [orjson.loads(line) for line in output.getvalue().splitlines()]
    return code, [report for report in reports if report["title"] != PATHWAYS]


@pytest.fixture
def query() -> CatalogQuery:
    """A query that a catalog uses."""
    found = discovery_query()
    CatalogFactory.create(catalog_query=found)
    return found


def test_it_fills_the_catalogs_and_prints_the_numbers(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(3))

    code, [report] = run("--json")

    row = CatalogRefresh.objects.get(catalog_query=query)
    assert (code, report) == (
        0,
        {
            "query_uuid": str(query.uuid),
            "title": "Courses",
            "refresh_id": row.pk,
            "state": "complete",
            "reason": "",
            "found": 3,
            "added": 3,
            "changed": 0,
            "removed": 0,
            "left_out": 0,
            "incomplete": 0,
        },
    )
    assert len(members(query)) == 3


def test_it_refreshes_only_the_named_catalogs_and_a_shared_query_once(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(1))
    named, other = discovery_query(title="named"), discovery_query({"key": ["other"]}, title="other")
    first, second = CatalogFactory.create_batch(2, catalog_query=named)
    CatalogFactory.create(catalog_query=other)

    _, reports = run("--json", "--catalog-uuid", str(first.pk), "--catalog-uuid", str(second.pk))

    assert [report["title"] for report in reports] == ["named"]


def test_a_dry_run_lists_what_would_change_and_writes_nothing(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(20))
    refreshed(query)
    open_edx.documents.put([course("edX+C0003", title="New title"), course("edX+New")])
    open_edx.documents.remove(["edX+C0001"])
    before = CatalogQuery.objects.values().get(pk=query.pk)

    code, [report] = run("--json", "--dry-run")

    assert code == 0
    changes = {"add": ["edX+New"], "change": ["edX+C0003"], "remove": ["edX+C0001"]}
    assert report["items"] == {**changes, "allow": [], "revoke": []}
    assert (report["state"], report["added"], report["changed"], report["removed"]) == ("would be complete", 1, 1, 1)
    assert CatalogQuery.objects.values().get(pk=query.pk) == before
    assert CatalogRefresh.objects.count() == 1
    assert not ContentMetadata.objects.filter(content_key="edX+New").exists()


def test_a_dry_run_reports_that_a_refresh_would_be_held(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(50))
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])

    code, [report] = run("--json", "--dry-run")

    assert (code, report["state"]) == (1, "would be held")
    assert "60 %" in report["reason"]


def test_a_dry_run_reports_that_the_same_change_was_rejected(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(50))
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])
    held = refreshed(query)
    run("--refresh", str(held.pk), "--reject", command="decide_refresh")

    dry, [preview] = run("--json", "--dry-run")
    code, [report] = run("--json")

    assert (dry, preview["state"]) == (0, "would be rejected again")
    assert (code, report["state"]) == (0, "rejected")
    assert preview["reason"] == report["reason"]


def test_a_dry_run_lists_restricted_runs(open_edx: OpenEdxSandbox) -> None:
    def allowing(*names: str) -> dict[str, Any]:
        return {"key": ["edX+FUN"], "restricted_runs_allowed": {"edX+FUN": [f"course-v1:edX+FUN+{n}" for n in names]}}

    restricted = [nested_run(f"course-v1:edX+FUN+{name}", restriction_type="custom-b2b-enterprise") for name in "ABC"]
    open_edx.documents.put([course("edX+FUN", nested_run("course-v1:edX+FUN+1"), *restricted)])
    query = discovery_query({"content_type": "course", **allowing("A", "B")})
    CatalogFactory.create(catalog_query=query)
    refreshed(query)
    edit_filter(query, {"content_type": "course", **allowing("B", "C", "Unknown")}, now=datetime.now(UTC))
    query.save()

    _, [report] = run("--json", "--dry-run")

    assert report["restricted_runs"] == 2
    assert report["items"]["allow"] == ["course-v1:edX+FUN+C"]
    assert report["items"]["revoke"] == ["course-v1:edX+FUN+A"]


def test_a_failure_is_reported_and_the_other_queries_are_refreshed(
    open_edx: OpenEdxSandbox, query: CatalogQuery
) -> None:
    open_edx.documents.put(courses(3))
    CatalogFactory.create(catalog_query=discovery_query({"content_type": "course", "level_type": "Introductory"}))
    open_edx.lost_results = 1

    code, reports = run("--json")

    assert code == 1
    assert [report["state"] for report in reports] == ["failed", "failed"]
    assert all("promised" in report["reason"] for report in reports)
    assert members(query) == []


def test_wrong_usage_names_the_catalog() -> None:
    imported = CatalogFactory.create(catalog_query=CatalogQueryFactory.create())

    for catalog in (str(imported.pk), "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(CommandError, match=catalog) as caught:
            call_command("refresh_catalogs", "--catalog-uuid", catalog)
        assert caught.value.returncode == 2


def test_people_get_lines_of_text(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(1))
    output = io.StringIO()

    call_command("refresh_catalogs", "--dry-run", stdout=output)

    assert output.getvalue().splitlines()[:3] == [
        f"Courses ({query.uuid}): would be complete",
        "  add    edX+C0000",
        "  found: 1",
    ]


def test_a_held_refresh_is_approved_by_command(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(50))
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])
    held = refreshed(query)

    call_command("decide_refresh", "--refresh", str(held.pk), "--approve", "--reason", "A partner left.")
    code, _ = run("--json")

    held.refresh_from_db()
    assert (held.state, held.decided_by) == (RefreshState.APPROVED, "command line")
    assert (code, len(members(query))) == (0, 20)


def test_only_a_held_refresh_can_be_decided(open_edx: OpenEdxSandbox, query: CatalogQuery) -> None:
    open_edx.documents.put(courses(1))
    row = refreshed(query)

    with pytest.raises(CommandError, match="no held refresh"):
        call_command("decide_refresh", "--refresh", str(row.pk), "--reject")
