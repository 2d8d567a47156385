"""Changed customers: one question makes exactly their configurations due, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.models import (
    ChangeCursor,
    ChannelConfiguration,
    ConfigurationStatus,
)
from enterprise_catalog.integrated_channels.tasks import changes
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.tasks.fleet import make_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

    from enterprise_catalog.integrated_channels.catalog_api.lookups import ChangedCustomers
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db

TOMORROW = DAY_ONE + timedelta(days=1)
CHANGED = UUID(int=1)


class CatalogService:
    """A catalog service that answers ``catalog-changes`` from a list of changed customers. A WSGI application."""

    def __init__(self) -> None:
        self.changed: list[UUID] = []  #: The cursor is a position in this list.
        self.is_gone = False
        self.is_away = False
        self.questions: list[str | None] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        status, body = self._answer(environ)
        start_response(status, [("Content-Type", "application/json")])
        return [orjson.dumps(body)]

    def _answer(self, environ: dict[str, Any]) -> tuple[str, object]:
        if environ["PATH_INFO"].endswith("/access_token"):
            return "200 OK", {"access_token": "a-token", "token_type": "JWT", "expires_in": 3600}
        assert environ["PATH_INFO"] == "/api/v1/catalog-changes/"
        since = parse_qs(environ["QUERY_STRING"]).get("since", [None])[0]
        self.questions.append(since)
        if self.is_away:
            return "503 Service Unavailable", {}
        if self.is_gone and since is not None:
            return "410 Gone", {}
        customers = [] if since is None else sorted({str(uuid) for uuid in self.changed[int(since) :]})
        return "200 OK", {"customers": customers, "cursor": str(len(self.changed))}


@pytest.fixture
def service(settings: Settings) -> Iterator[CatalogService]:
    """The catalog service, which has answered a first question."""
    service = CatalogService()
    with on_loopback(service) as url:
        settings.CATALOG_API_URL, settings.OAUTH2_PROVIDER_URL = url, f"{url}/oauth2"
        ChangeCursor.objects.create(pk=1, cursor="0", answered_at=DAY_ONE)
        yield service


def columns(pk: int) -> dict[str, Any]:
    return dict(ChannelConfiguration.objects.values().get(pk=pk))


def make(customer: UUID = CHANGED, **values: object) -> int:
    values = {"next_sync_at": TOMORROW, "base_url": "https://lms.example.org"} | values
    return ConfigurationFactory.create(enterprise_customer_uuid=customer, **values).pk


def test_exactly_the_configurations_of_changed_customers_become_due(service: CatalogService, clock: Clock) -> None:
    changed, other = [make(), make(base_url="https://b.example.org")], make(UUID(int=2))
    service.changed = [CHANGED]

    changes.find_changes(clock)
    changes.find_changes(clock)

    for pk in changed:
        row = columns(pk)
        assert (row["next_sync_at"], row["queue"], row["sync_requests"]) == (DAY_ONE, "changes", 1)
        assert ConfigurationStatus.objects.get(pk=pk).next_sync_at == DAY_ONE
    assert (columns(other)["next_sync_at"], columns(other)["queue"]) == (TOMORROW, "sweep")
    assert service.questions == ["0", "1"]


@pytest.mark.parametrize("number", [100, 2_000])
def test_a_question_takes_one_request_and_five_statements(service: CatalogService, clock: Clock, number: int) -> None:
    make_fleet(number, next_sync_at=TOMORROW)
    service.changed = [UUID(int=index + 1) for index in range(number)]

    with CaptureQueriesContext(connection) as with_changes:
        changes.find_changes(clock)
    with CaptureQueriesContext(connection) as without:
        changes.find_changes(clock)

    def writes(queries: CaptureQueriesContext) -> list[str]:
        return [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]

    assert ChannelConfiguration.objects.due(DAY_ONE).count() == number
    assert (len(writes(with_changes)), len(writes(without)), len(service.questions)) == (5, 1, 2)


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ({"active": False}, TOMORROW),
        ({"not_before": TOMORROW}, TOMORROW),
        ({"not_before": DAY_ONE - timedelta(hours=1)}, DAY_ONE),
        ({"next_sync_at": DAY_ONE - timedelta(hours=1)}, DAY_ONE - timedelta(hours=1)),
        ({"next_sync_at": None}, None),
    ],
    ids=["inactive", "throttled", "throttled earlier", "due earlier", "never synced"],
)
def test_pauses_stay_and_nothing_is_put_off(
    service: CatalogService, clock: Clock, values: dict[str, Any], due: object
) -> None:
    pk = make(**values)
    service.changed = [CHANGED]

    changes.find_changes(clock)

    assert columns(pk)["next_sync_at"] == due


def test_a_user_ends_the_pause_that_a_change_keeps() -> None:
    pk = make(not_before=TOMORROW)

    decisions.sync_now(ChannelConfiguration.objects.get(pk=pk), by="a", now=DAY_ONE)

    assert (columns(pk)["next_sync_at"], columns(pk)["not_before"]) == (DAY_ONE, None)


@pytest.mark.parametrize(
    ("queue", "queue_now", "is_queued"),
    [("sweep", "changes", False), ("changes", "changes", True), ("interactive", "interactive", True)],
)
def test_a_change_does_not_wait_behind_the_sweep(
    service: CatalogService, clock: Clock, queue: str, queue_now: str, *, is_queued: bool
) -> None:
    pk = make(queue=queue, queued_at=DAY_ONE)
    service.changed = [CHANGED]

    changes.find_changes(clock)

    assert (columns(pk)["queue"], columns(pk)["queued_at"] is not None) == (queue_now, is_queued)


def test_an_outage_loses_nothing(service: CatalogService, clock: Clock) -> None:
    pk = make()
    service.is_away, service.changed = True, [CHANGED]
    changes.find_changes(clock)
    assert "503" in ChangeCursor.objects.get().problem
    assert columns(pk)["next_sync_at"] == TOMORROW

    service.is_away = False
    changes.find_changes(clock)

    assert columns(pk)["next_sync_at"] == DAY_ONE
    assert service.questions == ["0", "0"]
    assert ChangeCursor.objects.get().problem == ""


@pytest.mark.parametrize("is_first", [True, False])
def test_without_a_valid_cursor_everything_becomes_due_within_an_hour(
    service: CatalogService, clock: Clock, *, is_first: bool
) -> None:
    make_fleet(120, next_sync_at=TOMORROW)
    throttled = make(not_before=TOMORROW)
    if is_first:
        ChangeCursor.objects.all().delete()
    else:
        service.is_gone = True
        changes.find_changes(clock)

    changes.find_changes(clock)
    service.is_gone = False
    service.changed = [CHANGED]
    changes.find_changes(clock)

    due = list(ChannelConfiguration.objects.exclude(pk=throttled).values_list("next_sync_at", flat=True))
    assert all(moment is not None and moment < DAY_ONE + timedelta(hours=1) for moment in due)
    assert all(due.count(moment) <= 3 for moment in due)
    assert columns(throttled)["next_sync_at"] == TOMORROW
    assert service.questions == [*(() if is_first else ("0",)), None, "0"]


def test_of_two_schedulers_with_the_same_question_one_applies_its_answer(
    service: CatalogService, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = make()
    service.changed = [CHANGED]
    ask = CatalogClient.changed_customers

    def ask_while_a_rival_does_so(client: CatalogClient, since: str) -> ChangedCustomers:
        answer = ask(client, since)
        monkeypatch.undo()
        changes.find_changes(clock)
        return answer

    monkeypatch.setattr(CatalogClient, "changed_customers", ask_while_a_rival_does_so)
    changes.find_changes(clock)

    assert service.questions == ["0", "0"]
    assert columns(pk)["sync_requests"] == 1
    assert ChangeCursor.objects.get().cursor == "1"
