"""Requests of refreshes, and the tasks that carry them out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.catalog import tasks
from enterprise_catalog.catalog.discovery import leases, records
from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.discovery.nested import PATHWAYS
from enterprise_catalog.catalog.models import CatalogRefresh, RefreshState, RefreshTrigger
from enterprise_catalog.catalog.tasks import NotRefreshableError, request_refresh
from tests.catalog.discovery.refreshes import discovery_query, members, states
from tests.factories.catalog import CatalogFactory, CatalogQueryFactory
from tests.open_edx import course

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)

Queued = list[tuple[int, str]]


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Queued:
    """Ids of rows and tasks, in the order in which the broker accepted them."""
    accepted: Queued = []

    def accept(arguments: tuple[int], *, task_id: str = "", countdown: int = 0) -> None:
        accepted.append((arguments[0], task_id or f"in {countdown} s"))

    monkeypatch.setattr(tasks.refresh_query, "apply_async", accept)
    return accepted


def test_a_request_is_queued_with_its_task_id(queued: Queued) -> None:
    row = request_refresh(discovery_query(), trigger=RefreshTrigger.API, user="ada")

    assert queued == [(row.pk, row.task_id)]
    assert (row.state, row.trigger, row.requested_by) == ("queued", "api", "ada")


def test_a_request_is_safe_to_repeat(queued: Queued) -> None:
    query = discovery_query()
    first = request_refresh(query, trigger=RefreshTrigger.API)

    assert request_refresh(query, trigger=RefreshTrigger.API).pk == first.pk
    assert request_refresh(query, trigger=RefreshTrigger.ADMIN, force=True).pk == first.pk
    assert len(queued) == 1


@pytest.mark.parametrize(
    ("state", "minutes_ago", "force", "is_repeated"),
    [
        (RefreshState.COMPLETE, 59, False, False),
        (RefreshState.COMPLETE, 61, False, True),
        (RefreshState.COMPLETE, 1, True, True),
        (RefreshState.HELD, 30, False, False),
        (RefreshState.FAILED, 1, False, True),
        (RefreshState.RUNNING, 120, True, False),
        (RefreshState.QUEUED, 7 * 60, False, True),
    ],
)
def test_a_query_is_refreshed_again_after_an_hour_or_a_failure_or_if_forced(
    queued: Queued, state: RefreshState, minutes_ago: int, force: bool, is_repeated: bool
) -> None:
    query = discovery_query()
    earlier = records.create(
        query, trigger=RefreshTrigger.API, by="", now=timezone.now() - timedelta(minutes=minutes_ago)
    )
    CatalogRefresh.objects.filter(pk=earlier.pk).update(state=state)

    row = request_refresh(query, trigger=RefreshTrigger.API, force=force)

    assert (row.pk != earlier.pk) is is_repeated
    assert len(queued) == is_repeated


@pytest.mark.usefixtures("queued")
def test_an_edited_filter_is_refreshed_although_a_refresh_is_running() -> None:
    query = discovery_query()
    first = request_refresh(query, trigger=RefreshTrigger.API)
    edit_filter(query, {"content_type": "program"}, now=timezone.now())
    query.save()

    assert request_refresh(query, trigger=RefreshTrigger.API).pk != first.pk


def test_an_imported_query_is_never_refreshed() -> None:
    with pytest.raises(NotRefreshableError):
        request_refresh(CatalogQueryFactory.create(), trigger=RefreshTrigger.API)

    assert not CatalogRefresh.objects.exists()


def test_a_broker_that_is_unreachable_fails_the_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.refresh_query, "apply_async", refuse)

    row = request_refresh(discovery_query(), trigger=RefreshTrigger.API)

    row.refresh_from_db()
    assert (row.state, row.reason) == (RefreshState.FAILED, tasks.UNQUEUED)


@pytest.mark.usefixtures("queued")
def test_the_task_refreshes(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([course("edX+DemoX")])
    query = discovery_query()
    row = request_refresh(query, trigger=RefreshTrigger.API)

    tasks.refresh_query(row.pk)

    assert states([row]) == [RefreshState.COMPLETE]
    assert members(query) == ["edX+DemoX"]


def test_the_task_is_put_off_while_another_refresh_runs(queued: Queued) -> None:
    query = discovery_query()
    row = request_refresh(query, trigger=RefreshTrigger.API)
    leases.acquire(query.pk, now=datetime.now(UTC))

    tasks.refresh_query(row.pk)

    assert queued[1:] == [(row.pk, "in 60 s")]
    assert states([row]) == [RefreshState.QUEUED]


@pytest.mark.usefixtures("queued")
def test_the_schedule_refreshes_the_queries_that_catalogs_use() -> None:
    used, deleted, unused, shared = (discovery_query({"key": [name]}, title=name) for name in "abcd")
    CatalogFactory.create(catalog_query=used)
    CatalogFactory.create(catalog_query=deleted, deleted_at=timezone.now())
    CatalogFactory.create_batch(2, catalog_query=shared)
    CatalogFactory.create(catalog_query=shared, deleted_at=timezone.now())
    CatalogFactory.create(catalog_query=CatalogQueryFactory.create())
    del unused

    assert tasks.refresh_catalogs() == 3  # Also all learner pathways.

    of_catalogs = CatalogRefresh.objects.exclude(catalog_query__title=PATHWAYS)
    refreshed = of_catalogs.order_by("pk").values_list("catalog_query", "trigger")
    assert list(refreshed) == [(used.pk, "schedule"), (shared.pk, "schedule")]


def test_an_approval_queues_a_refresh(queued: Queued) -> None:
    query = discovery_query()
    held = request_refresh(query, trigger=RefreshTrigger.SCHEDULE)
    CatalogRefresh.objects.update(state=RefreshState.HELD)

    assert tasks.decide_refresh(held, approve=True, by="ada", reason="A partner left.")

    approved, applying = CatalogRefresh.objects.order_by("pk")
    assert (approved.state, approved.decided_by, approved.decision_reason) == ("approved", "ada", "A partner left.")
    assert (applying.trigger, applying.requested_by) == (RefreshTrigger.APPROVAL, "ada")
    assert queued[-1] == (applying.pk, applying.task_id)


def test_a_rejection_queues_nothing(queued: Queued) -> None:
    held = request_refresh(discovery_query(), trigger=RefreshTrigger.SCHEDULE)
    CatalogRefresh.objects.update(state=RefreshState.HELD)

    assert tasks.decide_refresh(held, approve=False, by="ada", reason="")
    assert not tasks.decide_refresh(held, approve=False, by="ada", reason="")

    assert len(queued) == 1


def test_old_refreshes_are_deleted() -> None:
    query = discovery_query()
    for days in (366, 1):
        records.create(query, trigger=RefreshTrigger.API, by="", now=timezone.now() - timedelta(days=days))

    assert tasks.remove_old_refreshes() == 1
    assert CatalogRefresh.objects.count() == 1
