"""Refreshes that fail: course-discovery's faults, and searches that are not complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.catalog.models import CatalogQuery, RefreshState
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx import api
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, stored
from tests.open_edx import course, courses

if TYPE_CHECKING:
    from django.core.cache import BaseCache
    from pytest_django import Settings

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)

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


def test_a_site_without_course_discovery_reports_the_setting(settings: Settings) -> None:
    settings.DISCOVERY_SERVICE_API_URL = ""

    row = refreshed(discovery_query())

    assert row.state == RefreshState.FAILED
    assert row.reason.startswith("DISCOVERY_SERVICE_API_URL is not set")
