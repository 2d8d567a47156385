"""``/health`` and ``/metrics``, for load balancers, orchestrators, Prometheus and staff."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import heartbeats
from enterprise_catalog.integrated_channels.models import ChangeCursor, WorkerHeartbeat
from enterprise_catalog.observability import health_checks
from tests import warm_start

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import Settings
    from rest_framework.test import APIClient

#: Requests ``/health/`` by pod IP in a separate process, anonymously and as staff. Prints both responses as JSON.
ASK: Final = """
import django, json
django.setup()
from unittest.mock import Mock
from django.test import Client, RequestFactory
from enterprise_catalog.observability.health import health
response = Client(headers={"host": "10.0.0.7:8000"}).get("/health/")
request = RequestFactory().get("/health/")
request.user = Mock(is_authenticated=True, is_active=True, is_staff=True)
of_staff = health(request)
print(json.dumps([response.status_code, response.json(), of_staff.status_code, json.loads(of_staff.content)]))
"""
PATHS: Final = ("/health", "/health/")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the time limit of the checks, for busy machines."""
    monkeypatch.setattr(health_checks, "CHECK_SECONDS", 30)


@pytest.fixture
def everything_works() -> None:
    """A worker and a scheduler with a heartbeat from just now."""
    heartbeats.beat("celery@one", now=timezone.now())
    now, task = timezone.now(), "sync_changed_configurations"
    PeriodicTask.objects.filter(task=task).delete()
    PeriodicTask.objects.create(name="look", task=task, last_run_at=now, one_off=False, **every_five_minutes())
    ChangeCursor.objects.create(cursor="1", answered_at=now)


def every_five_minutes() -> dict[str, Any]:
    from django_celery_beat.models import IntervalSchedule  # noqa: PLC0415  (used here only)

    return {"interval": IntervalSchedule.objects.get_or_create(every=5, period="minutes")[0]}


def details(client: Client) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = client.get("/health/").json()["detailed_status"]
    return found


# --- access ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("everything_works")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ["text/html", "*; q=.2, */*; q=.2", ""])
def test_anonymous_callers_see_the_overall_status_only(client: Client, path: str, accept: str) -> None:
    response = client.get(path, headers={"accept": accept})

    assert (response.status_code, response.json()) == (200, {"overall_status": "OK"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.usefixtures("everything_works")
def test_staff_with_a_session_see_the_details(admin_client: Client) -> None:
    body = admin_client.get("/health/").json()

    assert body["overall_status"] == "OK"
    assert {name: each["status"] for name, each in body["detailed_status"].items()} == dict.fromkeys(
        ["database", "cache", "broker", "workers", "scheduler", "changes"], "OK"
    )
    assert body["detailed_status"]["workers"]["detail"] == "1 running"


@pytest.mark.parametrize("is_staff", [True, False])
def test_a_token_shows_the_details_to_staff_only(operator: APIClient, *, is_staff: bool) -> None:
    get_user_model().objects.create(username="caller", is_staff=is_staff)

    body = operator.get("/health/").json()

    assert ("detailed_status" in body) == is_staff


def test_a_bad_token_does_not_fail_a_probe(client: Client) -> None:
    response = client.get("/health/", headers={"authorization": "JWT garbage"})

    assert response.status_code == 200
    assert set(response.json()) == {"overall_status"}


# --- service status -------------------------------------------------------------------------------------------------


def test_it_is_degraded_without_a_worker_and_a_scheduler(admin_client: Client) -> None:
    PeriodicTask.objects.filter(task="sync_changed_configurations").update(last_run_at=None)

    response = admin_client.get("/health/")

    assert (response.status_code, response.json()["overall_status"]) == (200, "DEGRADED")
    assert details(admin_client)["workers"]["detail"] == "no worker is running; last heartbeat: never"


@pytest.mark.usefixtures("everything_works")
def test_an_unresponsive_worker_does_not_count(admin_client: Client) -> None:
    WorkerHeartbeat.objects.update(seen_at=datetime(2026, 3, 1, 12, tzinfo=UTC))

    assert details(admin_client)["workers"] == {
        "status": "DEGRADED",
        "detail": "no worker is running; last heartbeat: 2026-03-01T12:00:00Z",
    }


@pytest.mark.usefixtures("everything_works")
def test_a_scheduler_that_is_late_shows(admin_client: Client) -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=20))

    assert details(admin_client)["scheduler"]["detail"].startswith("not running or late; last tick: 20")


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("sqlite", "mariadb")
def test_each_tick_of_the_scheduler_is_stored_at_once(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, *_, **__: sent.append(name))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    PeriodicTask.objects.all().delete()
    tasks = ("notify", "record_backlog", "sync_changed_configurations")
    for task in tasks:
        PeriodicTask.objects.create(name=task, task=task, last_run_at=an_hour_ago, **every_five_minutes())
    scheduler = DatabaseScheduler(app=app)

    for _ in tasks:
        scheduler.tick()

    assert sorted(sent) == sorted(tasks)
    assert not PeriodicTask.objects.filter(last_run_at=an_hour_ago).exists()
    assert details(admin_client)["scheduler"]["status"] == "OK"


@pytest.mark.usefixtures("everything_works")
def test_a_catalog_service_that_reports_no_changes_shows(admin_client: Client) -> None:
    answered_at = timezone.now() - timedelta(minutes=6)
    ChangeCursor.objects.update(answered_at=answered_at, problem="The catalog service returned 404.")

    assert details(admin_client)["changes"] == {
        "status": "DEGRADED",
        "detail": f"no answer from the catalog service; last answer: {answered_at:%Y-%m-%dT%H:%M:%SZ};"
        " The catalog service returned 404.",
    }


@pytest.mark.usefixtures("everything_works")
def test_a_schedule_that_was_switched_off_shows(admin_client: Client) -> None:
    PeriodicTask.objects.update(enabled=False)

    assert "is disabled or deleted" in details(admin_client)["scheduler"]["detail"]


@pytest.mark.only_on("sqlite", "mariadb")
def test_heartbeats_are_updated_and_those_of_old_workers_removed() -> None:
    now = timezone.now()
    heartbeats.beat("celery@old", now=now - timedelta(days=2))
    heartbeats.beat("celery@new", now=now - timedelta(minutes=1))
    heartbeats.beat("celery@new", now=now)

    assert [(row.name, row.seen_at) for row in WorkerHeartbeat.objects.all()] == [("celery@new", now)]


def test_a_check_that_hangs_delays_no_probe_and_is_not_begun_twice(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = list[float](), threading.Event()

    def hang() -> str:
        begun.append(time.monotonic())
        may_end.wait(60)
        return "OK"

    monkeypatch.setattr(health_checks, "CHECK_SECONDS", 0.1)
    monkeypatch.setitem(health_checks.CHECKS, "cache", health_checks.Check(hang))
    try:
        responses = [client.get("/health/") for _ in range(3)]
    finally:
        may_end.set()

    assert [(each.status_code, each.json()["overall_status"]) for each in responses] == [(200, "DEGRADED")] * 3
    assert len(begun) == 1


@pytest.mark.processes
@pytest.mark.parametrize(
    ("variable", "url", "away"),
    [
        ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "database"),
        ("DATABASE_URL", "mysql://benutzer:geheim@127.0.0.1:1/name", "database"),
        ("CACHE_URL", "redis://:geheim@127.0.0.1:1/0", "cache"),
        ("CELERY_BROKER_URL", "redis://:geheim@127.0.0.1:1/0", "broker"),
    ],
)
def test_only_a_database_that_is_away_makes_it_503(tmp_path: Path, variable: str, url: str, away: str) -> None:
    status, body, _, of_staff = health_with(tmp_path, **{variable: url})

    assert status == (503 if away == "database" else 200)
    assert body == {"overall_status": "UNAVAILABLE" if away == "database" else "DEGRADED"}
    if away != "database":
        assert of_staff["detailed_status"][away]["status"] == "DEGRADED"


def health_with(folder: Path, **environment: str) -> Any:
    """Return status and body of ``/health/``, anonymously and as staff, from a process with these variables set.

    Its database is in WAL mode, as ``migrate`` leaves it: if two connections switch a new file to WAL at the same time,
    SQLite rejects one of them.
    """
    with closing(sqlite3.connect(folder / "health.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE migrated (id INTEGER)")
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.local",
        "LOCAL_STATE_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'health.sqlite3'}",
        "CACHE_URL": "locmem://",
        "CELERY_BROKER_URL": "memory://",
        **environment,
    }
    done = warm_start.run(["-c", ASK], env=variables)
    assert done.returncode == 0, done.stderr
    assert not any(secret in done.stdout + done.stderr for secret in ("geheim", "benutzer", "127.0.0.1"))
    return json.loads(done.stdout.splitlines()[-1])


# --- probes by IP address -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PATHS, "/metrics"])
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "[fd00::7]", "no such host!", ""])
def test_probes_may_use_the_address_of_a_process(client: Client, settings: Settings, path: str, host: str) -> None:
    settings.ALLOWED_HOSTS = ["catalog.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^health/?$", r"^metrics$"]

    assert client.get(path, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/health/x", "//health/", "/metrics/", "/api/schema/"])
def test_every_other_page_checks_its_host(client: Client, settings: Settings, path: str) -> None:
    settings.ALLOWED_HOSTS = ["catalog.example.org"]

    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 400


# --- metrics --------------------------------------------------------------------------------------------------------


def test_metrics_count_requests(client: Client, operator: APIClient) -> None:
    operator.get("/api/v1/enterprise-catalogs/")

    response: Any = client.get("/metrics")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert b"django_http_requests_total_by_view_transport_method_total" in response.content


@pytest.mark.parametrize(
    ("authorization", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("Bearer ä", 401), ("", 401)]
)
def test_metrics_may_need_a_token(client: Client, settings: Settings, authorization: str, status: int) -> None:
    settings.METRICS_TOKEN = "right"

    assert client.get("/metrics", headers={"authorization": authorization}).status_code == status


def test_staff_may_read_metrics_without_the_token(admin_client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "right"

    assert admin_client.get("/metrics").status_code == 200
