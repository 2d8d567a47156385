"""The demonstration behind ``manage.py demo``: runs the processes and commands, and prints tables."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.progress import TaskID

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
CUSTOMER = "22222222-2222-4222-8222-222222222222"
CATALOG = "11111111-1111-4111-8111-111111111111"
#: Customer and catalog of the import that validates the data.
OTHER_CUSTOMER = "33333333-3333-4333-8333-333333333333"
OTHER_CATALOG = "44444444-4444-4444-8444-444444444444"

#: Between the syncs, 1 of 20 items is changed, 1 of 20 is added and 1 of 20 is removed.
CHANGED_SHARE = 20
_START_SECONDS = 60
#: Pause between polls: ``If-Modified-Since`` has a resolution of one second.
_VISITS_APART_SECONDS = 1.1
#: Pause between syncs, after which the sandboxes accept calls again. SAP's is the slowest, with one import per second.
_SYNCS_APART_SECONDS = 1.1
_ROWS_SHOWN = 4  #: Rows per action in the plan.

Document = dict[str, Any]


class DemonstrationError(Exception):
    """The demonstration failed. The message describes the failed step."""


@dataclass(frozen=True, slots=True)
class Catalogs:
    """The catalog's content before and after the change."""

    before: list[Document]
    after: list[Document]


def split(documents: Sequence[Document]) -> Catalogs:
    """Return the catalog's content before and after the change. The content after the change is ``documents``.

    The content before the change lacks some documents, has old titles for some, and has some that are then removed.
    """
    if len(documents) == 1:  # Removing it would empty the catalog, and such a delete is held for approval.
        return Catalogs(before=[_outdated(documents[0])], after=list(documents))
    share = max(1, len(documents) // CHANGED_SHARE)
    stale = [_outdated(document) for document in documents[share : 2 * share]]
    retiring = [_retired(document) for document in documents[:share]]
    return Catalogs(before=[*stale, *documents[2 * share :], *retiring], after=list(documents))


def _outdated(document: Document) -> Document:
    return {**document, "title": f"{document.get('title')} (old title)"}


def _retired(document: Document) -> Document:
    """Return a copy of ``document`` with its own content key."""
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True)))
    copy = {**document, "uuid": name, "title": f"{document.get('title')} (retires)"}
    return {**copy, "key": f"Retired+{name[:8]}"} if "key" in document else copy


def key_of(document: Document) -> str:
    """Return the document's content key."""
    return str(document["key"] if document["content_type"] in {"course", "courserun"} else document["uuid"])


@dataclass
class Demonstration:
    """One run of the demonstration. ``folder`` contains its database, keys and logs."""

    folder: Path
    channel: str
    data: Path
    console: Console
    _url: str = ""  #: Base URL of the sandbox.
    _configuration: str = ""
    _polls: bool = False  #: ``True`` if the sandbox polls our feed.
    _environment: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Run the demonstration.

        Raises:
            DemonstrationError: a command failed, or the LMS does not match the catalog.
        """
        port = _free_port()
        self._environment = _environment(self.folder, port)
        with contextlib.ExitStack() as processes:
            self._say("Creating a database and importing the catalog")
            self._manage("migrate", "--verbosity", "0")
            self._check_data()
            documents = [json.loads(line) for line in self.data.read_bytes().split(b"\n") if line.strip()]
            if not documents:
                raise DemonstrationError(f"{self.data}: this file contains no content document")
            catalogs = split(documents)
            self._import(catalogs.before)
            self._say("Starting the catalog service and a sandbox LMS")
            processes.enter_context(self._process("runserver", "--noreload", f"127.0.0.1:{port}"))
            sandbox = processes.enter_context(self._process("run_sandbox", "--channel", self.channel, "--port", "0"))
            _wait_for(f"http://127.0.0.1:{port}/health/")
            self._configure(_announcement(sandbox))

            self._say("First sync: all items are new")
            self._sync(len(catalogs.before))
            self._check(catalogs.before)

            self._say("Changing the catalog: some items are added, some changed, some removed")
            self._import(catalogs.after)
            self._show_plan()
            self._say("Second sync: only changed items are sent")
            self._sync(3 * max(1, len(documents) // CHANGED_SHARE))
            recorded = self._check(catalogs.after)

            self._say("Third sync: nothing changed")
            self._check_silence()
        items = "1 item with a recorded reason" if recorded == 1 else f"{recorded:,} items with recorded reasons"
        exception = f", except for {items}" if recorded else ""
        self.console.print(f"\n[bold green]The LMS matches the catalog{exception}.[/]")

    def _check_data(self) -> None:
        """Validate the data by importing it into a catalog that is not synced.

        Raises:
            DemonstrationError: the data is invalid. The message names the file, the first bad line and the reason.
        """
        named = ("--catalog-uuid", OTHER_CATALOG, "--customer-uuid", OTHER_CUSTOMER)
        done = self._run("import_content", str(self.data), *named)
        if done.returncode:
            last_line = done.stderr.strip().rpartition("\n")[2].removeprefix("CommandError: ")
            raise DemonstrationError(f"{self.data}: {last_line}")

    def _configure(self, sandbox: Mapping[str, Any]) -> None:
        self._url, self._polls = sandbox["url"], sandbox["polls"]
        self._configuration = self._manage(
            "create_channel",
            *("--channel", self.channel, "--customer-uuid", CUSTOMER, "--base-url", self._url),
            *("--settings", json.dumps(sandbox["settings"]), "--credentials", json.dumps(sandbox["credentials"])),
        ).strip()

    def _import(self, documents: Iterable[Document]) -> None:
        file = self.folder / "catalog.jsonl"
        file.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
        named = ("--catalog-uuid", CATALOG, "--customer-uuid", CUSTOMER, "--title", "Demonstration")
        report = json.loads(self._manage("import_content", str(file), "--replace", *named))
        self._table("Imported into the catalog", report.keys(), [[str(count) for count in report.values()]])

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
        self._manage("sync_channels", "--configuration", self._configuration, allowed=(0, 1))

    def _poll_feed(self) -> Mapping[str, Any]:
        body = json.dumps({"url": self._environment["CATALOG_API_URL"], "customer": CUSTOMER}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/_sandbox/poll", data=body, headers=headers)  # noqa: S310  (loopback)
        result: Mapping[str, Any] = _get_json(request)
        if result["refused"]:
            raise DemonstrationError(f"the LMS rejected a course: {result['refused'][0]}")
        return result

    def _with_progress(self, expected: int) -> list[Mapping[str, Any]]:
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

    def _sync_until_done(self) -> list[Mapping[str, Any]]:
        """Run syncs until no backlog is left, as a worker does with a rate-limited LMS, and return their reports.

        Raises:
            DemonstrationError: a sync failed, or made no progress.
        """
        reports: list[Mapping[str, Any]] = []
        while not reports or reports[-1]["backlog"]:
            if reports:
                time.sleep(_SYNCS_APART_SECONDS)
            # Exit code 1: some items failed. ``_check`` verifies their recorded reasons later.
            output = self._manage("sync_channels", "--configuration", self._configuration, "--json", allowed=(0, 1))
            report: Mapping[str, Any] = json.loads(output)
            if report["state"] not in {"complete", "incomplete"}:
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
        return len(_get_json(f"{self._url}/_sandbox/content"))

    def _show_plan(self) -> None:
        plan = json.loads(self._manage("sync_channels", "--configuration", self._configuration, "--dry-run", "--json"))
        items = plan["items"]
        rows = []
        for action in ("create", "update", "delete"):
            planned = [item for item in items if item["action"] == action]
            rows += [[action, item["content_key"], item["reason"]] for item in planned[:_ROWS_SHOWN]]
            if len(planned) > _ROWS_SHOWN:
                rows.append([action, f"… and {len(planned) - _ROWS_SHOWN} more", ""])
        self._table("Plan of the next sync (dry run)", ("action", "content key", "reason"), rows)

    def _check(self, documents: Sequence[Document]) -> int:
        """Compare the courses offered by the LMS, and the transmissions in the audit, with ``documents``.

        Returns:
            The number of items that do not match the catalog and have a recorded reason.

        Raises:
            DemonstrationError: an item is missing without a recorded reason, is not in the catalog, or has the title
                of another version.
        """
        desired = {key_of(document): str(document.get("title")) for document in documents}
        offered: dict[str, str] = _get_json(f"{self._url}/_sandbox/offered")
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
        output = self._manage("show_transmissions", "--configuration", self._configuration, "--json")
        rows = [json.loads(line) for line in output.splitlines()]
        return {row["content_key"]: row["reason"] for row in rows if row["state"] not in {"transmitted", "deleted"}}

    def _check_silence(self) -> None:
        """Sync an unchanged catalog.

        Raises:
            DemonstrationError: the sync called the LMS.
        """
        before = _get_json(f"{self._url}/_sandbox/calls")
        self._manage("sync_channels", "--configuration", self._configuration, "--json", allowed=(0, 1))
        after = _get_json(f"{self._url}/_sandbox/calls")
        if after != before:
            raise DemonstrationError(f"a sync without changes called the LMS: {before} became {after}")
        self._table("Calls to the LMS", ("before", "after"), [[str(sum(before.values())), str(sum(after.values()))]])

    def _manage(self, *arguments: str, allowed: Sequence[int] = (0,)) -> str:
        """Run a command and return its output.

        Raises:
            DemonstrationError: the exit code is not in ``allowed``.
        """
        done = self._run(*arguments)
        if done.returncode not in allowed:
            raise DemonstrationError(f"{arguments[0]} exited with code {done.returncode}:\n{done.stderr[-3000:]}")
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(MANAGE), *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)  # noqa: S603  (our own command)

    @contextlib.contextmanager
    def _process(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command until the block ends. Its error output goes to a log file in the folder."""
        command = [sys.executable, str(MANAGE), *arguments]
        with (self.folder / f"{arguments[0]}.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603  (our own command)
                command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)
            assert process.stdout is not None
            process.stdout.close()

    def _say(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/]")

    def _table(self, title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(title=title, title_justify="left", title_style="dim")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Return an environment that keeps all state in ``folder``. Overrides conflicting variables of the caller."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.local",
        "LOCAL_STATE_DIR": str(folder),
        "CATALOG_API_URL": f"http://127.0.0.1:{port}",
        "OAUTH2_PROVIDER_URL": f"http://127.0.0.1:{port}/oauth2",
        "PYTHONUNBUFFERED": "1",
    }
    foreign = {
        "LOCAL_PORT",
        "DATABASE_URL",
        "CACHE_URL",
        "CELERY_BROKER_URL",
        "OAUTH2_CLIENT_ID",
        "OAUTH2_CLIENT_SECRET",
    }
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    return inherited | ours


def _announcement(sandbox: subprocess.Popen[str]) -> Mapping[str, object]:
    assert sandbox.stdout is not None
    line = sandbox.stdout.readline()
    if not line:
        raise DemonstrationError("the sandbox did not start")
    announced: Mapping[str, object] = json.loads(line)
    return announced


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            _get_json(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise DemonstrationError(f"{url} did not respond within {_START_SECONDS} seconds")


def _get_json(url: str | urllib.request.Request) -> Any:
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  (loopback, made above)
        return json.load(response)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
