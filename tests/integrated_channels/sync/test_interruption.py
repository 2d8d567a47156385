"""Ctrl+C and SIGTERM in commands that call an LMS, with real processes: one message, and no lease stays held."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import TypeAdapter

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests import warm_start
from tests.factories.catalog import CourseFactory
from tests.migrated_database import migrate
from tests.processes import PROJECT, Site, get_json, wait_until
from tests.services import patience

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.processes

CUSTOMER: Final = "22222222-2222-4222-8222-222222222222"
CATALOG: Final = "11111111-1111-4111-8111-111111111111"
CREATE: Final = "core_course_create_courses"
LIST: Final = "core_course_get_courses"
SENTENCE: Final = "Interrupted: the command ends after the current call to the LMS, or at once if interrupted again."
PATIENCE_SECONDS: Final = 120
_FAULTS: Final = TypeAdapter(list[Fault])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a catalog of three courses."""
    site = Site.make(tmp_path_factory.mktemp("site"))
    migrate(site)
    file = site.folder / "catalog.jsonl"
    file.write_text("".join(json.dumps(course) + "\n" for course in CourseFactory.numbered(3)), encoding="utf-8")
    site.manage("import_content", str(file), "--catalog-uuid", CATALOG, "--customer-uuid", CUSTOMER)
    with site.web():
        yield site


@pytest.fixture(scope="module")
def lms(site: Site) -> Iterator[str]:
    """The URL of a Moodle sandbox; configuration 1 belongs to it."""
    with site.sandbox("MOODLE") as sandbox:
        site.manage(
            "create_channel",
            *("--channel", "MOODLE", "--customer-uuid", CUSTOMER, "--base-url", sandbox["url"]),
            *("--settings", json.dumps(sandbox["settings"]), "--credentials", json.dumps(sandbox["credentials"])),
        )
        yield sandbox["url"]


def delay(lms: str, operation: str, *, seconds: float) -> None:
    """Delay the next call of an operation. Resets the courses and call counts."""
    faults = [Fault(kind=FaultKind.DELAY, operation=operation, delay_seconds=seconds, times=1)]
    for page, body in (("reset", b""), ("faults", _FAULTS.dump_json(faults))):
        with urllib.request.urlopen(f"{lms}/_sandbox/{page}", data=body, timeout=30) as answer:
            answer.read()


def interrupted(site: Site, lms: str, *command: str, during: str, twice: bool = False) -> tuple[int, list[str]]:
    """Send SIGINT during a command's call. Return the exit code and the command's error lines."""
    with warm_start.Popen(
        ["manage.py", *command, "--configuration", "1"],
        cwd=PROJECT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        stderr = process.stderr
        assert stderr is not None

        def is_in_call() -> bool:
            assert process.poll() is None, stderr.read()
            return bool(get_json(f"{lms}/_sandbox/calls").get(during))

        wait_until(is_in_call, seconds=PATIENCE_SECONDS)
        process.send_signal(signal.SIGINT)
        lines = []
        for line in stderr:
            lines.append(line.rstrip())
            if twice and lines[-1] == SENTENCE:  # Earlier, the kernel could merge both signals.
                process.send_signal(signal.SIGINT)
        code = process.wait(timeout=patience(PATIENCE_SECONDS))
    return code, [line for line in lines if not line.startswith("{")]  # The other lines are log entries.


def sync(site: Site) -> dict[str, Any]:
    """Sync configuration 1 and return the report. Fails if a lease is held."""
    report: dict[str, Any] = json.loads(site.manage("sync_channels", "--configuration", "1", "--json"))
    return report


def test_a_second_interrupt_ends_a_sync_within_a_call_and_the_next_sync_continues(site: Site, lms: str) -> None:
    delay(lms, CREATE, seconds=60)

    ended = interrupted(site, lms, "sync_channels", during=CREATE, twice=True)

    assert ended == (130, [SENTENCE, "Interrupted."])
    assert sync(site)["state"] == "complete"
    assert len(get_json(f"{lms}/_sandbox/content")) == 3


def test_a_drift_report_ends_after_the_current_call_and_leaves_no_lease(site: Site, lms: str) -> None:
    delay(lms, LIST, seconds=1)

    ended = interrupted(site, lms, "check_drift", during=LIST)

    assert ended == (130, [SENTENCE])
    assert sync(site)["state"] == "complete"
