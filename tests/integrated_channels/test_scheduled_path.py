"""The scheduled path with real processes: web service, worker, scheduler and LMS, connected only by URLs."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests import services
from tests.factories.catalog import CourseFactory
from tests.migrated_database import migrate
from tests.processes import Commands, Site, get_json, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.processes

CUSTOMER = "22222222-2222-4222-8222-222222222222"
CATALOG = "11111111-1111-4111-8111-111111111111"

#: Enough for a scheduler and a worker to start, even on a busy machine.
PATIENCE_SECONDS = 120


@pytest.fixture(params=["MariaDB and Redis", pytest.param("SQLite and a folder", marks=pytest.mark.slow)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """A site as in production, whose processes also start as in production, and a site as ``make run`` sets it up."""
    if request.param == "SQLite and a folder":
        return Site.make(tmp_path)
    redis = request.getfixturevalue("redis_url").rpartition("/")[0]
    database = services.create_database(request.getfixturevalue("mariadb_url"), "scheduled_path")
    site = Site.make(tmp_path, DATABASE_URL=database, CELERY_BROKER_URL=f"{redis}/1", CACHE_URL=f"{redis}/2")
    return replace(site, cold=True)


@pytest.fixture
def commands(site: Site) -> Iterator[Commands]:
    """The site's commands. Its database is migrated."""
    migrate(site)
    with site.commands() as commands:
        yield commands


@pytest.fixture
def lms(site: Site, commands: Commands) -> Iterator[str]:
    """Start all processes. Yields the URL of the sandbox Moodle that the site is connected to."""
    with contextlib.ExitStack() as processes:
        processes.enter_context(site.web())
        sandbox = processes.enter_context(site.sandbox("MOODLE"))
        commands.run(
            "create_channel",
            "--skip-customer-check",  # Its catalog is imported later.
            *("--channel", "MOODLE", "--customer-uuid", CUSTOMER, "--base-url", sandbox["url"]),
            *("--settings", json.dumps(sandbox["settings"]), "--credentials", json.dumps(sandbox["credentials"])),
        )
        processes.enter_context(site.worker())
        processes.enter_context(site.scheduler())
        yield sandbox["url"]


def put_into_catalog(commands: Commands, folder: Path, documents: Sequence[dict[str, Any]]) -> None:
    file = folder / "catalog.jsonl"
    file.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    commands.run("import_content", str(file), "--replace", "--catalog-uuid", CATALOG, "--customer-uuid", CUSTOMER)


def schedule_now(commands: Commands) -> None:
    """Look for due configurations every second, as set in the admin, and make all configurations due."""
    commands.run(
        "shell",
        "--no-imports",
        "--command",
        "from django_celery_beat.models import IntervalSchedule, PeriodicTask\n"
        "from enterprise_catalog.integrated_channels.models import ChannelConfiguration\n"
        "second, _ = IntervalSchedule.objects.get_or_create(every=1, period='seconds')\n"
        "task = PeriodicTask.objects.get(task='sync_due_configurations')\n"
        "task.interval = second\n"
        "task.save()\n"
        "ChannelConfiguration.objects.update(next_sync_at=None)\n",
    )


def checked(commands: Commands, check: str) -> str:
    """Return the ``/health`` status of the workers or the scheduler, as displayed to staff."""
    code = f"from enterprise_catalog.integrated_channels.audit import heartbeats; print(heartbeats.{check}())"
    return commands.run("shell", "--no-imports", "--command", code).strip()


def has_stored_a_tick(commands: Commands) -> bool:
    """Return True if the scheduler's last tick is in the database: it stores ticks if its schedule has changed."""
    schedule_now(commands)
    code = (
        "from django_celery_beat.models import PeriodicTask\n"
        "ticked = PeriodicTask.objects.filter(task='sync_changed_configurations', last_run_at__isnull=False)\n"
        "print(ticked.exists())\n"
    )
    return commands.run("shell", "--no-imports", "--command", code).strip() == "True"


def test_worker_and_scheduler_make_the_lms_equal_to_the_catalog_and_keep_it_so(
    commands: Commands, lms: str, tmp_path: Path
) -> None:
    put_into_catalog(commands, tmp_path, [*CourseFactory.numbered(150), CourseFactory.build(key="Old")])
    schedule_now(commands)
    wait_until(lambda: len(get_json(f"{lms}/_sandbox/offered")) == 151, seconds=PATIENCE_SECONDS)

    changed = [
        CourseFactory.build(key="Northwind+C000000", title="Changed"),
        *CourseFactory.numbered(150)[1:],
        CourseFactory.build(key="New"),
    ]
    put_into_catalog(commands, tmp_path, changed)
    schedule_now(commands)

    expected = {course["key"]: f"{course['title']} - via edX.org (Northwind Institute)" for course in changed}
    wait_until(lambda: get_json(f"{lms}/_sandbox/offered") == expected, seconds=PATIENCE_SECONDS)
    created = get_json(f"{lms}/_sandbox/content")
    assert len(created) == len({course["idnumber"] for course in created}) == 152
    assert checked(commands, "check_workers") == "1 running"
    wait_until(lambda: has_stored_a_tick(commands), seconds=PATIENCE_SECONDS)
    assert checked(commands, "check_scheduler").startswith("last tick: 20")
