"""The steps of the demonstration: runs the processes and commands, and prints tables."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from enterprise_catalog.sandbox.demonstration.documents import read_documents, split
from enterprise_catalog.sandbox.demonstration.processes import (
    DemonstrationError,
    Processes,
    announcement_of,
    get_json,
    send,
    wait_for,
)
from enterprise_catalog.sandbox.demonstration.source import CUSTOMER, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.progress import TaskID

    from enterprise_catalog.sandbox.json_objects import Announcement, PollReport, SyncReport
    from enterprise_catalog.sandbox.open_edx.runs import Document

#: Pause between polls: ``If-Modified-Since`` has a resolution of one second.
_VISITS_APART_SECONDS: Final = 1.1
#: Pause between syncs, after which the sandboxes accept calls again. SAP's is the slowest, with one import per second.
SYNCS_APART_SECONDS = 1.1
_ROWS_SHOWN: Final = 4  #: Rows per action in a plan.


@dataclass
class Demonstration:
    """One run of the demonstration. ``folder`` contains its database, keys and logs."""

    folder: Path
    channel: str
    data: Path
    console: Console
    _url: str = field(init=False, default="")  #: Base URL of the sandbox LMS.
    _configuration: str = field(init=False, default="")
    _polls: bool = field(init=False, default=False)  #: ``True`` if the sandbox polls our feed.
    _site: Processes = field(init=False)

    def __post_init__(self) -> None:
        self._site = Processes(self.folder)

    def run(self) -> None:
        """Run the demonstration.

        Raises:
            DemonstrationError: a command failed, or the LMS does not match the catalog.
        """
        contents = split(read_documents(self.data))
        source = Source(self._site, contents.kinds)
        with contextlib.ExitStack() as processes:
            self._say("Starting course-discovery, an Open edX LMS, the catalog service and a customer's LMS")
            self._site.manage("migrate", "--verbosity", "0")
            source.start(processes)
            source.put(contents.before)
            processes.enter_context(self._site.running("runserver", "--noreload", f"127.0.0.1:{self._site.port}"))
            sandbox = processes.enter_context(
                self._site.running("run_sandbox", "--channel", self.channel, "--port", "0")
            )
            wait_for(f"{self._site.url}/health/")

            self._say("The Open edX LMS creates a catalog, and a refresh fills it from course-discovery")
            self._table("Content filter", ("member", "value"), _rows_of(source.create_catalog()))
            before = self._refresh(source, contents.before)
            self._configure(announcement_of(sandbox))

            self._say("First sync: all items are new")
            self._sync(len(before))
            self._check(before)

            self._say("Course-discovery changes: some items are added, some changed, some removed")
            source.put(contents.after)
            self._show_refresh_plan(source)
            after = self._refresh(source, contents.after)
            planned = self._show_plan()
            self._say("Second sync: only changed items are sent")
            self._sync(planned)
            recorded = self._check(after)

            self._say("Third sync: nothing changed")
            self._check_silence()
        items = "1 item with a recorded reason" if recorded == 1 else f"{recorded:,} items with recorded reasons"
        exception = f", except for {items}" if recorded else ""
        self.console.print(f"\n[bold green]The LMS matches the catalog{exception}.[/]")

    def _configure(self, sandbox: Announcement) -> None:
        self._url, self._polls = sandbox["url"], sandbox["polls"]
        self._configuration = self._site.manage(
            "create_channel",
            *("--channel", self.channel, "--customer-uuid", CUSTOMER, "--base-url", self._url),
            *("--settings", json.dumps(sandbox["settings"]), "--credentials", json.dumps(sandbox["credentials"])),
        ).strip()

    def _refresh(self, source: Source, documents: Sequence[Document]) -> dict[str, str]:
        """Fill the catalog, print the numbers, and return its content: content key -> title."""
        report = source.refresh()
        numbers = {
            "found": report["found"],
            "added": report["added"],
            "changed": report["changed"],
            "removed": report["removed"],
            "left_out": report["left_out"],
        }
        self._table("Refreshed from course-discovery", numbers, [list(map(str, numbers.values()))])
        return source.check(documents, report)

    def _show_refresh_plan(self, source: Source) -> None:
        items = source.preview()["items"]
        rows = [row for action in ("add", "change", "remove") for row in _first_rows(action, items[action])]
        self._table("Plan of the next refresh (dry run)", ("action", "content key"), rows)

    def _sync(self, expected: int) -> None:
        """Run syncs with a progress bar, and print the counts of each sync."""
        reports = self._with_progress(expected)
        for number, report in enumerate(reports, start=1):
            rows = [
                [action, outcome, str(count)]
                for action, outcomes in report["counts"].items()
                for outcome, count in outcomes.items()
            ]
            title = "Results of the sync" if len(reports) == 1 else f"Results of sync {number} of {len(reports)}"
            self._table(title, ("action", "outcome", "items"), rows)
        if self._polls:
            self._poll_until_empty()

    def _poll_until_empty(self) -> None:
        """Make the LMS poll the feed until it is empty, then sync to settle the acknowledged items.

        Each poll acknowledges the items of the previous poll.

        Raises:
            DemonstrationError: the LMS rejected a course.
        """
        rows = []
        for number in count(1):
            result = self._poll_feed()
            rows.append([str(number), str(result["read"]), str(result["taken"])])
            if not result["read"]:
                break
            time.sleep(_VISITS_APART_SECONDS)
        self._table("Polls by the LMS", ("poll", "courses read", "courses accepted"), rows)
        self._site.manage("sync_channels", "--configuration", self._configuration, allowed=(0, 1))

    def _poll_feed(self) -> PollReport:
        body = json.dumps({"url": self._site.url, "customer": CUSTOMER}).encode()
        result: PollReport = send("POST", f"{self._url}/_sandbox/poll", body)
        if result["refused"]:
            raise DemonstrationError(f"the LMS rejected a course: {result['refused'][0]}")
        return result

    def _with_progress(self, expected: int) -> list[SyncReport]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task("Syncing", total=expected)
            ended = threading.Event()
            follower = threading.Thread(target=self._follow, args=(progress, bar, expected, ended))
            follower.start()
            try:
                reports = self._sync_until_done()
            finally:
                ended.set()
                follower.join()
            progress.update(bar, completed=expected)
        return reports

    def _sync_until_done(self) -> list[SyncReport]:
        """Run syncs until no backlog is left, as a worker does with a rate-limited LMS, and return their reports.

        Raises:
            DemonstrationError: a sync failed, or made no progress.
        """
        reports: list[SyncReport] = []
        while not reports or reports[-1]["backlog"]:
            if reports:
                time.sleep(SYNCS_APART_SECONDS)
            # Exit code 1: some items failed. ``_check`` verifies their recorded reasons later.
            output = self._site.manage(
                "sync_channels", "--configuration", self._configuration, "--json", allowed=(0, 1)
            )
            report: SyncReport = json.loads(output)
            if report["state"] not in {"complete", "complete_except", "incomplete"}:
                raise DemonstrationError(f"the sync was {report['state']}: {report['reason']}")
            if reports and report["backlog"] >= reports[-1]["backlog"]:
                left = "1 item is" if report["backlog"] == 1 else f"{report['backlog']:,} items are"
                raise DemonstrationError(f"{left} still waiting: {report['reason']}")
            reports.append(report)
        return reports

    def _follow(self, progress: Progress, bar: TaskID, expected: int, ended: threading.Event) -> None:
        """Advance the bar by the growth of the sandbox's content, until ``ended`` is set."""
        start = self._settled()
        while not ended.wait(0.2):
            progress.update(bar, completed=min(self._settled() - start, expected))

    def _settled(self) -> int:
        return len(get_json(f"{self._url}/_sandbox/content"))

    def _show_plan(self) -> int:
        """Print the plan of the next sync, and return its number of items."""
        plan = json.loads(
            self._site.manage("sync_channels", "--configuration", self._configuration, "--dry-run", "--json")
        )
        items = plan["items"]
        rows = []
        for action in ("create", "update", "delete"):
            planned = [item for item in items if item["action"] == action]
            rows += [[action, item["content_key"], item["reason"]] for item in planned[:_ROWS_SHOWN]]
            if len(planned) > _ROWS_SHOWN:
                rows.append([action, f"… and {len(planned) - _ROWS_SHOWN} more", ""])
        self._table("Plan of the next sync (dry run)", ("action", "content key", "reason"), rows)
        return len(items)

    def _check(self, desired: Mapping[str, str]) -> int:
        """Compare the courses offered by the LMS, and the transmissions in the audit, with the catalog.

        Args:
            desired: the catalog's content: content key -> title.

        Returns:
            The number of items that do not match the catalog and have a recorded reason.

        Raises:
            DemonstrationError: an item is missing without a recorded reason, is not in the catalog, or has the title
                of another version.
        """
        offered: dict[str, str] = get_json(f"{self._url}/_sandbox/offered")
        reasons = self._reasons()
        for key, title in desired.items():
            if key not in offered and not reasons.get(key):
                raise DemonstrationError(f"{key} is not in the LMS, and no reason is recorded")
            if ("(old title)" in offered.get(key, "")) != ("(old title)" in title):
                raise DemonstrationError(f"the title of {key} in the LMS does not match the catalog")
        if extra := sorted(offered.keys() - desired.keys()):
            raise DemonstrationError(f"the LMS offers content that is not in the catalog: {', '.join(extra[:5])}")
        if known := sorted(reasons.keys() - desired.keys()):
            raise DemonstrationError(
                f"the audit has unfinished transmissions of content that is not in the catalog: {', '.join(known[:5])}"
            )
        columns = ("in the catalog", "offered by the LMS", "recorded with a reason")
        self._table(
            "Comparison of the LMS and the catalog",
            columns,
            [[str(len(desired)), str(len(offered)), str(len(reasons))]],
        )
        if reasons:
            rows = [[key if len(key) <= 40 else f"{key[:39]}…", reason] for key, reason in reasons.items()]
            self._table("Items that are not settled in the LMS", ("content key", "reason"), rows)
        return len(reasons)

    def _reasons(self) -> dict[str, str]:
        """Return content key -> reason of each item that is not settled (transmitted or deleted)."""
        output = self._site.manage("show_transmissions", "--configuration", self._configuration, "--json")
        rows = [json.loads(line) for line in output.splitlines()]
        return {row["content_key"]: row["reason"] for row in rows if row["state"] not in {"transmitted", "deleted"}}

    def _check_silence(self) -> None:
        """Sync an unchanged catalog.

        Raises:
            DemonstrationError: the sync called the LMS.
        """
        before = get_json(f"{self._url}/_sandbox/calls")
        self._site.manage("sync_channels", "--configuration", self._configuration, "--json", allowed=(0, 1))
        after = get_json(f"{self._url}/_sandbox/calls")
        if after != before:
            raise DemonstrationError(f"a sync without changes called the LMS: {before} became {after}")
        self._table("Calls to the LMS", ("before", "after"), [[str(sum(before.values())), str(sum(after.values()))]])

    def _say(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/]")

    def _table(self, title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(title=title, title_justify="left", title_style="dim")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)


def _rows_of(content_filter: Mapping[str, object]) -> list[list[str]]:
    return [
        [name, ", ".join(value) if isinstance(value, list) else str(value)] for name, value in content_filter.items()
    ]


def _first_rows(action: str, keys: Sequence[str]) -> list[list[str]]:
    rows = [[action, key] for key in keys[:_ROWS_SHOWN]]
    return rows + ([[action, f"… and {len(keys) - _ROWS_SHOWN} more"]] if len(keys) > _ROWS_SHOWN else [])
