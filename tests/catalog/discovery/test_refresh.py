"""One refresh of a query, from the search to the transaction that applies it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.discovery import leases, records
from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.discovery.refresh import refresh
from enterprise_catalog.catalog.models import (
    CatalogQuery,
    CatalogRefresh,
    ContentMetadata,
    RefreshChange,
    RefreshLease,
    RefreshState,
    RefreshTrigger,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx import api
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, states, stored
from tests.factories import DAY_ONE
from tests.open_edx import course, pathway, program, run

if TYPE_CHECKING:
    from django.core.cache import BaseCache
    from django.test.utils import CaptureQueriesContext
    from pytest_django import DjangoAssertNumQueries, Settings

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)

A_YEAR_AGO: Final = datetime.now(UTC) - timedelta(days=365)


def courses(count: int, **members: object) -> list[dict[str, Any]]:
    return [course(f"edX+C{number:04}", **members) for number in range(count)]


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


FAULTS: Final = {
    "HTML with 200": Fault(kind=FaultKind.REPLACE, operation=api.SEARCH, times=None, status=200),
    "401": Fault(kind=FaultKind.ANSWER, operation=api.SEARCH, times=None, status=401),
    "403": Fault(kind=FaultKind.ANSWER, operation=api.COURSES, times=None, status=403),
    "429": Fault(kind=FaultKind.ANSWER, operation=api.SEARCH, times=None, status=429),
    "503 of the second page": Fault(kind=FaultKind.ANSWER, operation=api.SEARCH, times=None, skip=1),
    "503 of full documents": Fault(kind=FaultKind.ANSWER, operation=api.COURSES, times=None),
    "503 of reviews": Fault(kind=FaultKind.ANSWER, operation=api.REVIEWS, times=None),
    "cut connection": Fault(kind=FaultKind.TRUNCATE, operation=api.SEARCH, times=None),
    "no tokens": Fault(kind=FaultKind.ANSWER, operation=api.TOKEN, times=None, status=401),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_failure_changes_nothing_and_is_reported_in_a_sentence(
    open_edx: OpenEdxSandbox, cache: BaseCache, fault: Fault
) -> None:
    open_edx.documents.put(courses(150))
    query = discovery_query()
    refreshed(query)
    before = CatalogQuery.objects.values().get(pk=query.pk)
    open_edx.documents.put([course("edX+C0000", title="New title")])
    open_edx.documents.remove(["edX+C0001"])
    open_edx.faults.add(fault)
    open_edx.expire_tokens()
    cache.clear()

    row = refreshed(query)

    assert row.state == RefreshState.FAILED
    assert row.reason.startswith(("Course-discovery ", "The token endpoint "))
    assert "\n" not in row.reason
    assert CatalogQuery.objects.values().get(pk=query.pk) == before
    assert len(members(query)) == 150

    open_edx.faults.clear()
    assert refreshed(query).state == RefreshState.COMPLETE
    assert (len(members(query)), stored("edX+C0000")["title"]) == (149, "New title")


@pytest.fixture
def cache() -> BaseCache:
    from django.core.cache import cache  # noqa: PLC0415  (the same name)

    cache.clear()
    return cache


def test_a_temporary_failure_is_only_a_delay(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(3))
    open_edx.faults.add(Fault(kind=FaultKind.ANSWER, operation=api.SEARCH, times=2))
    open_edx.faults.add(Fault(kind=FaultKind.TRUNCATE, operation=api.COURSES, times=1))

    assert refreshed(discovery_query()).state == RefreshState.COMPLETE


@pytest.mark.parametrize("knob", ["lost_results", "nameless_results"])
def test_a_page_with_losses_changes_nothing(open_edx: OpenEdxSandbox, knob: str) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()
    refreshed(query)
    setattr(open_edx, knob, 1)

    row = refreshed(query)

    assert row.state == RefreshState.FAILED
    assert len(members(query)) == 5


def test_a_result_that_comes_twice_is_no_complete_search(
    open_edx: OpenEdxSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_edx.documents.put(courses(3))
    query = discovery_query()
    found = open_edx._found

    monkeypatch.setattr(open_edx, "_found", lambda parameters: [*found(parameters), *found(parameters)[:1]])
    row = refreshed(query)

    assert row.state == RefreshState.FAILED
    assert "edX+C0000 twice" in row.reason
    assert open_edx.calls[api.SEARCH] == 3  # It was repeated before it failed.


def test_an_empty_response_changes_nothing(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()
    refreshed(query)
    open_edx.search_is_empty = True

    row = refreshed(query)

    assert row.state == RefreshState.HELD
    assert "finds nothing" in row.reason
    assert len(members(query)) == 5


def test_a_large_change_is_held_approved_and_then_applied(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])

    held = refreshed(query)

    assert (held.state, held.removed, held.added) == (RefreshState.HELD, 30, 0)
    assert "remove 30 of 50 items (60 %" in held.reason
    assert len(members(query)) == 50
    assert RefreshChange.objects.filter(refresh=held, kind="removed").count() == 30

    assert records.decide(held, approve=True, by="ada", reason="A partner left.", now=datetime.now(UTC))
    applied = refreshed(query)

    assert (applied.state, applied.removed) == (RefreshState.COMPLETE, 30)
    assert len(members(query)) == 20
    assert states([held]) == [RefreshState.APPROVED]


def reject(held: CatalogRefresh) -> None:
    assert records.decide(held, approve=False, by="ada", reason="Wrong.", now=datetime.now(UTC))


def test_a_rejected_change_is_not_held_again_unless_it_differs(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20)])
    held = refreshed(query)
    reject(held)

    again = refreshed(query)
    same_numbers = [*courses(50)[:1], *courses(50)[21:]]
    open_edx.documents.replace(same_numbers)
    other = refreshed(query)
    open_edx.documents.replace(courses(50)[20:])
    back = refreshed(query)

    assert (again.state, again.removed) == (RefreshState.REJECTED, 20)
    assert again.reason.startswith("The same change was rejected by ada on ")
    assert f"(refresh {held.pk})" in again.reason
    assert not again.changes.exists()
    assert (other.state, other.removed) == (RefreshState.HELD, 20)
    assert back.state == RefreshState.REJECTED
    assert states([other]) == [RefreshState.SUPERSEDED]
    assert len(members(query)) == 50


def test_a_rejected_change_can_be_approved_later(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20)])
    held = refreshed(query)
    reject(held)
    again = refreshed(query)

    assert not records.decide(again, approve=True, by="ada", reason="", now=datetime.now(UTC))
    assert records.decide(held, approve=True, by="ben", reason="", now=datetime.now(UTC))

    assert refreshed(query).state == RefreshState.COMPLETE
    assert len(members(query)) == 30


@pytest.mark.parametrize("event", ["complete refresh", "edited filter"])
def test_a_rejection_ends_with_a_complete_refresh_or_an_edit(open_edx: OpenEdxSandbox, event: str) -> None:
    everything = courses(50)
    open_edx.documents.put(everything)
    query = discovery_query()
    refreshed(query)
    open_edx.documents.replace([])
    reject(refreshed(query))
    if event == "complete refresh":
        open_edx.documents.replace(everything)
        assert refreshed(query).state == RefreshState.COMPLETE
        open_edx.documents.replace([])
    else:
        query.refresh_from_db()
        edit_filter(query, {"content_type": ["course"]}, now=datetime.now(UTC))
        query.save()

    assert refreshed(query).state == RefreshState.HELD


def test_an_approval_holds_for_its_items_only_and_only_once(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20)])
    held = refreshed(query)
    records.decide(held, approve=True, by="ada", reason="", now=datetime.now(UTC))

    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20, 40)])
    more = refreshed(query)

    assert (more.state, more.removed) == (RefreshState.HELD, 40)

    open_edx.documents.put(courses(50)[20:])
    assert refreshed(query).state == RefreshState.COMPLETE
    assert len(members(query)) == 30
    assert states([more]) == [RefreshState.SUPERSEDED]

    open_edx.documents.put(courses(20))
    assert refreshed(query).state == RefreshState.HELD  # Twenty items return, which is not approved.


def test_a_rejected_change_is_not_applied(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.search_is_empty = True
    held = refreshed(query)

    assert records.decide(held, approve=False, by="ada", reason="", now=datetime.now(UTC))
    assert not records.decide(held, approve=False, by="ada", reason="", now=datetime.now(UTC))

    assert refreshed(query).state == RefreshState.REJECTED
    assert states([held]) == [RefreshState.REJECTED]
    assert len(members(query)) == 50


def test_an_edited_filter_is_applied_without_approval(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([*courses(30), *(course(f"edX+A{number}", level_type="Advanced") for number in range(20))])
    query = discovery_query()
    refreshed(query)
    query.refresh_from_db()
    edit_filter(query, {"content_type": "course", "level_type": "Advanced"}, now=datetime.now(UTC))
    query.save()

    row = refreshed(query)

    assert (row.state, row.removed) == (RefreshState.COMPLETE, 30)


def test_an_edit_during_a_refresh_wins(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()

    def edit(_: int) -> None:
        edit_filter(query, {"content_type": "course", "level_type": "Advanced"}, now=datetime.now(UTC))
        query.save()

    row = refreshed(query, on_page=edit)

    assert (row.state, members(query)) == (RefreshState.FAILED, [])
    assert "edited during the refresh" in row.reason


def test_a_second_worker_waits_while_the_first_one_refreshes(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()
    second = records.create(query, trigger=RefreshTrigger.SCHEDULE, by="", now=DAY_ONE)
    outcomes: list[bool] = []

    def meanwhile(_: int) -> None:
        outcomes.append(refresh(second, clock=lambda: datetime.now(UTC)))

    first = refreshed(query, on_page=meanwhile)

    assert set(outcomes) == {False}
    assert (first.state, *states([second])) == (RefreshState.COMPLETE, RefreshState.QUEUED)
    assert refresh(second, clock=lambda: datetime.now(UTC))
    assert states([second]) == [RefreshState.COMPLETE]


def test_a_worker_that_lost_its_lease_writes_nothing(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()
    slow = records.create(query, trigger=RefreshTrigger.SCHEDULE, by="", now=DAY_ONE)
    fast: list[Any] = []

    def take_over(_: int) -> None:
        if not fast:
            RefreshLease.objects.update(expires_at=DAY_ONE)
            fast.append(refreshed(query))
            open_edx.documents.put([course("edX+New")])

    assert refresh(slow, clock=lambda: datetime.now(UTC), on_page=take_over)

    assert states([*fast, slow]) == [RefreshState.COMPLETE, RefreshState.FAILED]
    assert "edX+New" not in members(query)
    slow.refresh_from_db()
    assert slow.reason == records.WORKER_DIED
    assert leases.acquire(query.pk, now=datetime.now(UTC)) is not None


def test_a_task_that_is_delivered_twice_does_nothing(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(2))
    row = refreshed(discovery_query())
    searches = open_edx.calls[api.SEARCH]

    assert refresh(row, clock=lambda: datetime.now(UTC))

    assert open_edx.calls[api.SEARCH] == searches
    assert states([row]) == [RefreshState.COMPLETE]


def test_a_site_without_course_discovery_reports_the_setting(settings: Settings) -> None:
    settings.DISCOVERY_SERVICE_API_URL = ""

    row = refreshed(discovery_query())

    assert row.state == RefreshState.FAILED
    assert row.reason.startswith("DISCOVERY_SERVICE_API_URL is not set")
