"""Four LMSs that never end a response, and a healthy LMS, on two worker processes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest
from redis import Redis

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.factories.catalog import CourseFactory
from tests.integrated_channels.endless_lms import endless_lms
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.resilience.celery_workers import PATIENCE_SECONDS
from tests.migrated_database import migrate
from tests.processes import Dialogue, Site, wait_until
from tests.services import patience

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

#: Deadline of a call on an idle machine, instead of 100 seconds. On a busy one, the healthy LMS needs more time.
CALL_SECONDS: Final = 3
#: Interval at which everything is due, instead of one hour.
TICK_SECONDS: Final = 3
TICKS: Final = 3
#: The most calls' deadlines from the due time of the healthy LMS to its sync. Each worker process may meet two hostile
#: LMSs that it has not met before.
LATEST_CALLS: Final = 20
#: The grace period for calls is 30 seconds in production, and 1 second here.
STOP_SECONDS: Final = 40
WORKER: Final = (
    *("celery", "-A", "enterprise_catalog", "worker", "--concurrency", "2", "--loglevel", "INFO"),
    *("-I", "tests.integrated_channels.resilience.quick_stop"),
)


@dataclass
class Fleet:
    """The site and its configurations."""

    site: Site
    admin_process: Dialogue
    hostile: list[int]
    healthy: int
    lms: MoodleSandbox  #: The healthy LMS.
    call_seconds: int  #: Deadline of a call.

    def read(self, configuration: int) -> dict[str, list[dict[str, Any]]]:
        """Return all rows of a configuration, grouped by table."""
        rows: dict[str, list[dict[str, Any]]] = self.admin_process.ask(do="read", configuration=configuration)
        return rows

    def runs(self, configuration: int) -> list[dict[str, Any]]:
        """Return the configuration's runs, oldest first."""
        return self.read(configuration)["runs"]


@pytest.fixture
def fleet(tmp_path: Path, redis_url: str) -> Iterator[Fleet]:
    """A site with its catalog service, and five configurations of one customer that have never been synced."""
    redis = redis_url.rpartition("/")[0]
    with Redis.from_url(f"{redis}/5") as broker:
        broker.flushdb()
    call_seconds = min(60, round(patience(CALL_SECONDS)))
    site = Site.make(
        tmp_path, CELERY_BROKER_URL=f"{redis}/5", CACHE_URL=f"{redis}/6", LMS_CALL_SECONDS=str(call_seconds)
    )
    migrate(site)
    with ExitStack() as open_:
        open_.enter_context(site.web())
        admin_process = open_.enter_context(
            site.dialogue("from tests.integrated_channels.resilience.admin_process import main; main()")
        )
        made = admin_process.ask(do="make_customer", name="Acme", catalogs=1)
        admin_process.ask(
            do="put", catalog=made["catalogs"][0], documents=[CourseFactory.build(key=key) for key in "ABC"]
        )
        lms = MoodleSandbox()
        announced = {"settings": dict(lms.channel_settings()), "credentials": dict(lms.channel_credentials())}

        def connect(url: str) -> int:
            configuration: int = admin_process.ask(do="connect", **made, lms={**announced, "url": url}, columns={})
            return configuration

        kinds = ("headers", "informational responses", "trailers", "body")
        hostile = [connect(open_.enter_context(endless_lms(kind))) for kind in kinds]
        yield Fleet(site, admin_process, hostile, connect(open_.enter_context(on_loopback(lms))), lms, call_seconds)


def test_four_hostile_lms_never_delay_a_healthy_one_nor_a_shutdown(
    fleet: Fleet, report: Callable[[str], None], seed: int
) -> None:
    assert seed  # Used only to print the lines of ``report``.
    log = fleet.site.log_of(*WORKER)
    end_in_two_calls(fleet)

    with fleet.site.running(*WORKER) as worker:
        wait_until(lambda: log.read_bytes().count(b" ready.") == 2, seconds=PATIENCE_SECONDS)
        lateness = [tick(fleet) for _ in range(TICKS)]
        end_in_a_task_that_hangs(fleet, worker)

    assert max(lateness) < patience(LATEST_CALLS * fleet.call_seconds)
    assert len(fleet.lms.courses) == 3
    check_hostile_runs(fleet)
    report(f"the healthy LMS was synced {', '.join(f'{seconds:.1f}' for seconds in lateness)} seconds after it was due")


def end_in_two_calls(fleet: Fleet) -> None:
    """Stop a worker while both of its processes are in a call with minutes left. Check the runs and the leases."""
    site = replace(fleet.site, environment={**fleet.site.environment, "LMS_CALL_SECONDS": "200"})
    with site.running(*WORKER) as worker:
        fleet.admin_process.ask(do="make_due", configurations=fleet.hostile)
        wait_until(lambda: in_calls(fleet) == 2, seconds=PATIENCE_SECONDS)
        worker.terminate()
        assert worker.wait(patience(STOP_SECONDS)) == 0

    stopped = [rows for rows in map(fleet.read, fleet.hostile) if rows["runs"]]
    assert len(stopped) == 2
    for rows in stopped:
        [run] = rows["runs"]
        assert run["state"] == "incomplete"
        assert "asked to stop" in run["reason"]
        assert [lease["expires_at"] for lease in rows["lease"]] == [None]
        assert rows["configuration"][0]["next_sync_at"] <= run["finished_at"]
        assert all(row["presence"] == "unknown" and row["state"] == "pending" for row in rows["transmissions"])


def end_in_a_task_that_hangs(fleet: Fleet, worker: subprocess.Popen[bytes]) -> None:
    """Stop a worker during a task that ignores stop requests. Check that the task is in the broker again."""
    fleet.admin_process.ask(do="queue_task", name="hang")
    log = fleet.site.log_of(*WORKER)
    wait_until(lambda: b"Task hang[" in log.read_bytes(), seconds=PATIENCE_SECONDS)
    wait_until(lambda: in_calls(fleet) == 0, seconds=PATIENCE_SECONDS)  # A process has started the task.
    worker.terminate()
    worker.wait(patience(STOP_SECONDS))
    with Redis.from_url(fleet.site.environment["CELERY_BROKER_URL"]) as broker:
        assert any(b'"task": "hang"' in message for message in broker.lrange("celery", 0, -1))


def in_calls(fleet: Fleet) -> int:
    """Return the number of hostile LMSs with a call in progress."""
    attempts = [attempt for configuration in fleet.hostile for attempt in fleet.read(configuration)["attempts"]]
    return len({attempt["run_id"] for attempt in attempts if not attempt["outcome"]})


def tick(fleet: Fleet) -> float:
    """Make everything due, the healthy LMS last. Return the seconds until the healthy LMS was synced."""
    due_at = fleet.admin_process.ask(do="make_due", configurations=[*fleet.hostile, fleet.healthy])
    began = time.monotonic()
    wait_until(
        lambda: any(run["state"] == "complete" and run["started_at"] >= due_at for run in fleet.runs(fleet.healthy)),
        seconds=PATIENCE_SECONDS,
    )
    lateness = time.monotonic() - began
    time.sleep(max(0, TICK_SECONDS - lateness))
    return lateness


def check_hostile_runs(fleet: Fleet) -> None:
    """Check that each hostile LMS took one deadline in its first run, and that its later runs never overlapped."""
    later: list[dict[str, Any]] = []
    for configuration in fleet.hostile:
        first, *others = [run for run in fleet.runs(configuration) if "asked to stop" not in run["reason"]]
        assert first["state"] == "stopped"
        assert f"did not complete any response within {fleet.call_seconds} seconds" in first["reason"]
        later += others
    assert later, "no hostile LMS had a second turn"
    later.sort(key=lambda run: str(run["started_at"]))
    assert all(run["finished_at"] <= following["started_at"] for run, following in pairwise(later))
