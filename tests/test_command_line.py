"""The command line, as run from a shell."""

from __future__ import annotations

from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.command_line import READER_GONE
from tests import warm_start
from tests.migrated_database import migrate
from tests.processes import PROJECT, Site

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = pytest.mark.processes

#: The hardest case: it turns each exception into a CommandError, and Django closes the connection that it reads from.
HARDEST = ("dumpdata",)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder: Path = tmp_path_factory.mktemp("site")
    site = Site.make(folder)
    migrate(site)
    return site


def started(site: Site, *command: str, cold: bool = False, **variables: str) -> subprocess.Popen[bytes]:
    return warm_start.Popen(
        ["manage.py", *command],
        cwd=PROJECT,
        env={**site.environment, **variables},
        stdout=PIPE,
        stderr=PIPE,
        cold=cold,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_command_whose_reader_goes_away_ends_quietly(site: Site, unbuffered: str) -> None:
    process = started(site, *HARDEST, cold=True, PYTHONUNBUFFERED=unbuffered)
    assert process.stdout is not None
    process.stdout.close()  # Before any output, as with "| true".
    _, messages = process.communicate()

    assert messages == b""
    assert process.returncode == READER_GONE


def test_a_broken_connection_is_still_an_error(site: Site) -> None:
    process = started(site, "shell", "--no-imports", "--command", "raise BrokenPipeError(32, 'Broken pipe')")
    _, messages = process.communicate()

    assert process.returncode == 1
    assert b"BrokenPipeError" in messages


@pytest.mark.parametrize("option", [("--settings", "[1]"), ("--settings=[1]",), ("--lms-settings", "[1]")])
def test_settings_of_create_channel_are_not_taken_for_a_settings_module(site: Site, option: tuple[str, ...]) -> None:
    process = started(site, "create_channel", *option)
    _, messages = process.communicate()

    assert process.returncode == 2
    assert b"--settings/--lms-settings: must be a JSON object" in messages


def test_settings_of_other_commands_name_a_settings_module(site: Site) -> None:
    process = started(site, "check", "--settings", "no_such_settings")
    _, messages = process.communicate()

    assert process.returncode == 1
    assert b"No module named 'no_such_settings'" in messages
