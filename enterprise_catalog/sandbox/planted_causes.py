"""Three customers for practice: the LMS of each differs from the expectation, for a cause to be found in the admin.

Uses only the commands of both programs, in this process, as the demonstration does in processes of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.core.management import call_command

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.sandbox.json_objects import JSONObject, SyncReport

#: Results of a sync that has reached its end.
_ENDED: Final = {"complete", "complete_except", "incomplete"}
#: Seconds that a worker may need for a sync of these few courses.
_PATIENCE_SECONDS: Final = 60


class PlantingError(Exception):
    """A sync did not reach its end. The message gives its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCause:
    """A customer, and a complaint that has one cause."""

    customer: str
    customer_uuid: str
    complaint: str
    course: str  #: Content key of the course in the complaint.
    sent: Sequence[JSONObject]  #: Content of the catalog that the configuration sends.
    unsent: Sequence[JSONObject] = ()  #: Content of a catalog that the configuration does not send.
    removed: int = 0  #: Number of courses that leave the sent catalog after the first sync, from the end.


def _courses(prefix: str, *titles: str | None) -> list[JSONObject]:
    """Return one course per title; the keys are numbered from 101."""
    return [
        {"content_type": "course", "key": f"{prefix}+{number}", **({"title": title} if title else {})}
        for number, title in enumerate(titles, start=101)
    ]


PLANTED: Final = (
    PlantedCause(
        customer="Harbor Clinic",
        customer_uuid="66666666-6666-4666-8666-666666666601",
        complaint="The course CARE+101 is missing in our LMS.",
        course="CARE+101",
        sent=_courses("SAFE", "Fire Safety", "First Aid", "Lifting without Pain"),
        unsent=_courses("CARE", "Wound Care", "Night Shifts"),
    ),
    PlantedCause(
        customer="Summit Bank",
        customer_uuid="66666666-6666-4666-8666-666666666602",
        complaint="The course BANK+112 left our catalog, but is still in our LMS.",
        course="BANK+112",
        sent=_courses("BANK", *(f"Banking, Part {number}" for number in range(1, 13))),
        removed=10,
    ),
    PlantedCause(
        customer="Riverbend College",
        customer_uuid="66666666-6666-4666-8666-666666666603",
        complaint="The course ARTS+103 is missing in our LMS.",
        course="ARTS+103",
        sent=_courses("ARTS", "Drawing", "Painting", None),
    ),
)


def plant(cause: PlantedCause, *, moodle_url: str) -> None:
    """Import the customer's catalogs, configure and sync a sandbox Moodle, and remove courses from the catalog.

    Raises:
        CommandError: the customer's configuration exists already, or a command failed.
        PlantingError: a sync did not reach its end.
    """
    everyone = _import(cause, "Courses for everyone", cause.sent)
    if cause.unsent:
        _import(cause, "Courses for nurses", cause.unsent)
    configuration = _configure(cause, everyone, moodle_url=moodle_url)
    _sync(configuration)
    if cause.removed:
        _import(cause, "Courses for everyone", cause.sent[: -cause.removed], "--replace", "--allow-shrink")
        _sync(configuration)


def _import(cause: PlantedCause, title: str, documents: Sequence[JSONObject], *flags: str) -> str:
    """Import ``documents`` into the customer's catalog with this title; return the catalog's UUID."""
    catalog_uuid = str(uuid.uuid5(uuid.UUID(cause.customer_uuid), title))
    names = ("--customer-name", cause.customer, "--title", title)
    with tempfile.TemporaryDirectory(prefix="planted-causes-") as folder:
        file = Path(folder) / "catalog.jsonl"
        file.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
        uuids = ("--catalog-uuid", catalog_uuid, "--customer-uuid", cause.customer_uuid)
        call_command("import_content", str(file), *uuids, *names, *flags, stdout=io.StringIO())
    return catalog_uuid


def _configure(cause: PlantedCause, catalog_uuid: str, *, moodle_url: str) -> str:
    """Create the configuration of a sandbox Moodle, and return its id. It sends one catalog."""
    sandbox, output = MoodleSandbox(), io.StringIO()
    call_command(
        "create_channel",
        *("--channel", "MOODLE", "--customer-uuid", cause.customer_uuid, "--catalog-uuid", catalog_uuid),
        *("--base-url", moodle_url, "--lms-settings", json.dumps(dict(sandbox.channel_settings()))),
        *("--credentials", json.dumps(dict(sandbox.channel_credentials()))),
        stdout=output,
    )
    return output.getvalue().strip()


def _sync(configuration: str) -> None:
    """Sync, after a sync that a worker of the site may have started.

    Raises:
        PlantingError: the sync stopped, or the worker's sync takes too long.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    report = _sync_once(configuration)
    while report["state"] == "busy" and time.monotonic() < deadline:
        time.sleep(1)
        report = _sync_once(configuration)
    if report["state"] not in _ENDED:
        raise PlantingError(f"The sync of configuration {configuration} is {report['state']}. {report['reason']}")


def _sync_once(configuration: str) -> SyncReport:
    output = io.StringIO()
    with contextlib.suppress(SystemExit):  # Some items failed or are held, which the report shows.
        call_command("sync_channels", "--configuration", configuration, "--json", stdout=output)
    report: SyncReport = json.loads(output.getvalue())
    return report
