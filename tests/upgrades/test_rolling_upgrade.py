"""Processes of the last release and of the current code share one database, before and after its migration."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import json
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests import services
from tests.factories.catalog import CourseFactory
from tests.processes import PROJECT, Commands, Site, get_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = [pytest.mark.processes, pytest.mark.slow]

#: The commit of the last release.
RELEASE: Final = "d4b32ad"
CUSTOMER: Final = "22222222-2222-4222-8222-222222222222"
CATALOG: Final = "55555555-5555-4555-8555-555555555555"


@functools.cache
def code_of_the_release() -> Path:
    """Return a folder with the code of the last release.

    Raises:
        UnavailableError: the clone lacks the release's commit.
    """
    command = ["git", "-C", str(PROJECT), "archive", RELEASE]
    try:
        archive = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise services.UnavailableError(f"commit {RELEASE} is not here; a clone with its history has it") from error
    folder = Path(tempfile.mkdtemp(prefix="enterprise-catalog-release-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


@pytest.fixture(params=["SQLite", "MariaDB"])
def today(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """A site that runs the current code; its database is empty."""
    if request.param == "SQLite":
        return Site.make(tmp_path)
    url = services.create_database(request.getfixturevalue("mariadb_url"), "rolling_upgrade")
    return Site.make(tmp_path, DATABASE_URL=url)


@pytest.fixture
def released(today: Site) -> Site:
    """The same site with the code of the last release."""
    # Cold: processes that start warm have the current code in memory.
    return dataclasses.replace(today, project=services.or_skip(code_of_the_release), cold=True)


class Program:
    """Commands of one version of the code, all in one process, as in a worker."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self.run, self._folder = commands.run, folder

    def put_into_catalog(self, titles: Mapping[str, str]) -> Any:
        """Replace the catalog's content with these courses (key -> title); return the counts."""
        file = self._folder / "catalog.jsonl"
        file.write_text(
            "".join(json.dumps(CourseFactory.build(key=key, title=title)) + "\n" for key, title in titles.items())
        )
        named = ("--catalog-uuid", CATALOG, "--customer-uuid", CUSTOMER)
        return json.loads(self.run("import_content", str(file), "--replace", *named))

    def create_channel(self, lms: Mapping[str, Any], *options: str) -> str:
        return self.run(
            "create_channel",
            *("--channel", "MOODLE", "--customer-uuid", CUSTOMER, "--base-url", lms["url"], *options),
            *("--credentials", json.dumps(lms["credentials"])),
        ).strip()

    def sync(self, configuration: str) -> Any:
        """Sync, and return the counts."""
        report = json.loads(self.run("sync_channels", "--json", "--configuration", configuration, allowed=(0, 1)))
        assert report["state"] == "complete", report["reason"]
        return report["counts"]


@contextlib.contextmanager
def program(site: Site) -> Iterator[Program]:
    with site.commands() as commands:
        yield Program(commands, site.folder)


@contextlib.contextmanager
def web(site: Site, token: str) -> Iterator[None]:
    """Serve the catalog until the block ends. Sends the first request, which imports all code and may be slow."""
    options = ("--bind", f"127.0.0.1:{site.port}", "--workers", "1", "--threads", "4", "--timeout", "120")
    command = ("gunicorn", *options, "enterprise_catalog.wsgi")
    with site.running(*command) as process:
        services.wait_for_port(site.port, process, log=site.log_of(*command))
        diff(site, token)
        yield


def diff(site: Site, token: str) -> Any:
    """Return ``to_create`` of the diff for no keys: all keys in the catalog."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{site.port}/api/v1/enterprise-catalogs/{CATALOG}/content-diff/",
        data=b'{"content_keys": []}',
        headers={"Authorization": f"JWT {token}", "Content-Type": "application/json"},
    )
    return get_json(request)["to_create"]


def test_old_and_new_code_work_on_a_migrated_database_at_the_same_time(today: Site, released: Site) -> None:
    titles = {f"K{number}": f"Course {number}" for number in range(6)}
    with contextlib.ExitStack() as processes:
        lms = processes.enter_context(today.sandbox("MOODLE"))
        old = processes.enter_context(program(released))
        old.run("migrate", "--verbosity", "0")
        token = old.run("issue_token", "--role", f"enterprise_admin:{CUSTOMER}").strip()
        assert old.put_into_catalog(titles)["created"] == 6
        with web(released, token):
            first = old.create_channel(lms)
            assert old.sync(first) == {"create": {"done": 6}}

            new = processes.enter_context(program(today))
            new.run("migrate", "--verbosity", "0")

            # Processes that started before the migration still run after it.
            del titles["K0"]
            titles |= {"K1": "Changed by old code", "K6": "Added by old code"}
            assert old.put_into_catalog(titles) == report(created=1, updated=1, unchanged=4, removed=1)
            assert diff(released, token) == sorted(titles)
            assert old.sync(first) == {"delete": {"done": 1}, "create": {"done": 1}, "update": {"done": 1}}
            second = old.create_channel(lms, "--settings", '{"category_id": 1}', "--catalog-uuid", CATALOG)
            # New workers, old web service, rows written by old code.
            assert new.sync(first) == {}
            titles["K0"] = "Returned by new code"
            assert new.put_into_catalog(titles) == report(created=1, unchanged=6)
            assert new.sync(first) == {"create": {"done": 1}}

        with web(today, token):
            # Old workers, new web service, rows written by new code.
            assert old.sync(first) == {}
            titles |= {"K2": "Changed by old code, too"}
            assert old.put_into_catalog(titles) == report(updated=1, unchanged=6)
            assert diff(today, token) == sorted(titles)
            assert old.sync(first) == {"update": {"done": 1}}
            del titles["K3"]
            assert new.put_into_catalog(titles) == report(unchanged=6, removed=1)
            assert new.sync(first) == {"delete": {"done": 1}}
        states = [json.loads(line)["state"] for line in new.run("show_transmissions", "--json").splitlines()]
        offered = get_json(f"{lms['url']}/_sandbox/offered")

    assert second != first
    assert sorted(states) == ["deleted"] + ["transmitted"] * 6
    assert {key: title.partition(" - via ")[0] for key, title in offered.items()} == titles


def report(**counts: int) -> dict[str, int]:
    return dict.fromkeys(("created", "updated", "unchanged", "removed", "rejected"), 0) | counts
