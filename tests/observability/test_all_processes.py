"""Metrics and traces of real processes: web service, worker with two pool processes, metrics server, collector."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.sandbox.moodle.settings import TOKEN
from tests.factories.catalog import CourseFactory
from tests.migrated_database import migrate
from tests.observability.metrics_page import value_of
from tests.observability.trace_receiver import TraceReceiver, receiving_traces
from tests.processes import Service, Site, Worker, wait_until
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

pytestmark = pytest.mark.processes

CUSTOMER: Final = "22222222-2222-4222-8222-222222222222"
CATALOG: Final = "11111111-1111-4111-8111-111111111111"
COURSES: Final = 12
#: Enough for processes to start, even on a busy machine.
PATIENCE_SECONDS: Final = 120


class Fleet:
    """A site with one configuration, all its processes, and the pages with their metrics."""

    def __init__(self, site: Site, worker: Worker, token: str, ports: tuple[int, int]) -> None:
        self.site, self.worker, self._token = site, worker, token
        self._web_port, self._server_port = ports

    def sync_now(self) -> None:
        """Ask the API for a sync, as a user does."""
        url = f"http://127.0.0.1:{self._web_port}/api/v1/integrated-channels/configurations/1/sync-now/"
        request = urllib.request.Request(url, method="POST", headers={"Authorization": f"JWT {self._token}"})
        with urllib.request.urlopen(request):
            pass

    def web_page(self) -> bytes:
        """Return ``/metrics`` of the web service."""
        return self._page(self._web_port)

    def server_page(self) -> bytes:
        """Return ``/metrics`` of the metrics server."""
        return self._page(self._server_port)

    def runs(self) -> float:
        """Return the number of runs that all processes have counted."""
        return value_of(self.server_page(), "channels_run_duration_seconds_count", channel="MOODLE")

    def syncs(self) -> float:
        """Return the number of tasks that have ended, a moment after their runs."""
        page = self.server_page()
        return value_of(page, "celery_task_duration_seconds_count", task="sync_configuration", state="SUCCESS")

    def _page(self, port: int) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            page: bytes = response.read()
        return page


@pytest.fixture(scope="module")
def receiver() -> Iterator[TraceReceiver]:
    with receiving_traces() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, receiver: TraceReceiver) -> Iterator[Fleet]:
    """Start everything, and sync twelve courses at the request of a user."""
    folder = tmp_path_factory.mktemp("fleet")
    site = Site.make(
        folder,
        PROMETHEUS_MULTIPROC_DIR=str(folder / "metrics"),
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    site = replace(site, cold=True)  # prometheus_client reads its variable when it is imported.
    migrate(site)
    port = free_port()
    module = "enterprise_catalog.observability.metrics_server"
    with contextlib.ExitStack() as stack:
        stack.enter_context(site.web())
        sandbox = stack.enter_context(site.sandbox("MOODLE"))
        commands = stack.enter_context(site.commands())
        put_into_catalog(commands.run, folder)
        commands.run(
            "create_channel",
            *("--channel", "MOODLE", "--customer-uuid", CUSTOMER, "--base-url", sandbox["url"]),
            *("--settings", json.dumps(sandbox["settings"]), "--credentials", json.dumps(sandbox["credentials"])),
        )
        token = commands.run("issue_token", "--role", "enterprise_openedx_operator:*").strip()
        worker, server = Worker(site), Service(site, module, "--bind", f"127.0.0.1:{port}", port=port)
        for service in (worker, server):
            stack.callback(service.stop)
            service.start()
        fleet = Fleet(site, worker, token, (site.port, port))
        fleet.sync_now()
        wait_until(lambda: fleet.syncs() == 1, seconds=PATIENCE_SECONDS)
        yield fleet


def put_into_catalog(run: object, folder: Path) -> None:
    file = folder / "catalog.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in CourseFactory.numbered(COURSES)), encoding="utf-8")
    assert callable(run)
    run("import_content", str(file), "--catalog-uuid", CATALOG, "--customer-uuid", CUSTOMER)


def test_the_web_service_and_the_metrics_server_report_what_pool_processes_counted(fleet: Fleet) -> None:
    for page in (fleet.web_page(), fleet.server_page()):
        assert value_of(page, "channels_attempts_total", channel="MOODLE", outcome="done") == COURSES
        assert value_of(page, "channels_freshness_seconds_count", channel="MOODLE") == COURSES
        assert value_of(page, "celery_task_wait_seconds_count", task="sync_configuration") == 1
        assert value_of(page, "celery_task_duration_seconds_count", task="sync_configuration", state="SUCCESS") == 1


def test_only_the_web_service_reports_the_fleet(fleet: Fleet) -> None:
    page = fleet.web_page()

    assert value_of(page, "channels_items", channel="MOODLE", state="up_to_date") == COURSES
    assert value_of(page, "channels_workers") == 1
    assert value_of(page, "metrics_source_up") == 3
    assert b"channels_items" not in fleet.server_page()


def test_one_trace_leads_from_the_request_through_the_task_to_the_lms(fleet: Fleet, receiver: TraceReceiver) -> None:
    wait_until(lambda: any(is_complete(spans) for spans in receiver.traces().values()), seconds=PATIENCE_SECONDS)

    [spans] = [spans for spans in receiver.traces().values() if is_complete(spans)]
    by_id = {span.span_id: span for span in spans}
    call = next(span for span in spans if path_of(span) == "/webservice/rest/server.php")
    ancestors = [call]
    while parent := by_id.get(ancestors[-1].parent_span_id):
        ancestors.append(parent)
    task, queueing, request = [span.name for span in ancestors[-3:]]
    assert (task, queueing) == ("run/sync_configuration", "apply_async/sync_configuration")
    assert request.startswith("POST api/v1/integrated-channels/configurations/")
    assert fleet.runs() >= 1


def is_complete(spans: list[Span]) -> bool:
    """Return True if the trace has the request, its task, a call of the LMS, and a request to the catalog service."""
    names = [span.name for span in spans]
    requests = [span.name for span in spans if span.kind == span.SPAN_KIND_SERVER]
    return (
        {"run/sync_configuration", "apply_async/sync_configuration"} <= set(names)
        and any("sync-now" in name for name in requests)
        and any("enterprise-catalogs" in name for name in requests)
        and any(path_of(span) == "/webservice/rest/server.php" for span in spans)
    )


def path_of(span: Span) -> str:
    return next((each.value.string_value for each in span.attributes if each.key == "url.path"), "")


def test_traces_contain_no_secret_and_no_health_check(fleet: Fleet, receiver: TraceReceiver) -> None:
    everything = b"".join(receiver.bodies)

    assert fleet.site.port
    assert TOKEN.encode() not in everything
    assert b"Bearer" not in everything
    assert b"/metrics" not in everything


def test_counts_outlive_a_killed_worker_and_its_files_do_not(fleet: Fleet) -> None:
    assert fleet.worker.process is not None
    pids = [fleet.worker.process.pid, *fleet.worker.children()]
    folder = fleet.site.folder / "metrics"
    before = fleet.runs()

    fleet.worker.kill()

    assert before >= 1
    assert fleet.runs() == before
    assert value_of(fleet.web_page(), "channels_run_duration_seconds_count") == before
    assert not [path for pid in pids for path in folder.glob(f"*_{pid}.db")]
