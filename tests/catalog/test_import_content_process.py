"""``manage.py import_content`` as a process: exit codes and streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from django.core.management import execute_from_command_line

from tests import warm_start
from tests.factories.catalog import CourseFactory
from tests.migrated_database import migrate
from tests.processes import Site

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.processes

MANAGE: Final = Path(__file__).resolve().parents[2] / "manage.py"
UUIDS: Final = (
    "--catalog-uuid=6b3c1d0e-0000-4000-8000-000000000001",
    "--customer-uuid=6b3c1d0e-0000-4000-8000-000000000002",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a local site with an empty database."""
    site = Site.make(tmp_path_factory.mktemp("site"))
    migrate(site)
    return dict(site.environment)


def manage(environment: dict[str, str], *arguments: str, entered: str = "") -> subprocess.CompletedProcess[str]:
    return warm_start.run([str(MANAGE), *arguments], text=entered, env=environment)


def test_it_exits_with_0_when_done(site: dict[str, str]) -> None:
    entered = json.dumps(CourseFactory.build(key="ä😀")) + "\n[]\n"

    done = manage(site, "import_content", "-", *UUIDS, "--on-error=skip", entered=entered)

    assert done.returncode == 0
    assert done.stdout == '{"created":1,"updated":0,"unchanged":0,"removed":0,"rejected":1}\n'
    assert done.stderr == "line 2: must be a JSON object, not a list\n"


def test_it_exits_with_1_when_a_line_stopped_it(site: dict[str, str]) -> None:
    done = manage(site, "import_content", "-", *UUIDS, entered="[]\n")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "CommandError: line 1: must be a JSON object, not a list. Nothing was imported.\n"


def test_it_exits_with_2_when_used_wrongly(site: dict[str, str]) -> None:
    done = manage(site, "import_content", *UUIDS)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "the following arguments are required: FILE" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-",), "the following arguments are required: --catalog-uuid, --customer-uuid"),
        (("-", *UUIDS, "--catalog-uuid", "1"), "argument --catalog-uuid: '1' is not a UUID"),
        (("-", *UUIDS, "--on-error=maybe"), "argument --on-error: invalid choice: 'maybe'"),
        (("-", *UUIDS, "--title", "t" * 256), "argument --title: 256 characters; at most 255 are allowed"),
        (("nowhere.jsonl", *UUIDS), "nowhere.jsonl: No such file or directory"),
        (("/", *UUIDS), "/: Is a directory"),
    ],
)
def test_each_wrong_use_is_named_and_leads_to_exit_code_2(
    arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, because a new one takes 2 seconds to start."""
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line([str(MANAGE), "import_content", *arguments])

    output = capsys.readouterr()
    assert ended.value.code == 2
    assert output.out == ""
    assert complaint in output.err
