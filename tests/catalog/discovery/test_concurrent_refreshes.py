"""Two workers, edits and repeated deliveries during a refresh."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.catalog.discovery import leases, records
from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.discovery.refresh import refresh
from enterprise_catalog.catalog.models import RefreshLease, RefreshState, RefreshTrigger
from enterprise_catalog.sandbox.open_edx import api
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, states
from tests.factories import DAY_ONE
from tests.open_edx import course, courses

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)


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
