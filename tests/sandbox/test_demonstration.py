"""The demonstration with a channel that needs several syncs; ``make demo`` covers the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest.mock import create_autospec

import pytest
from rich.console import Console

from enterprise_catalog.sandbox.demonstration import demonstration
from enterprise_catalog.sandbox.demonstration.demonstration import Demonstration
from enterprise_catalog.sandbox.demonstration.processes import DemonstrationError, Processes
from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

FULL: Final = {"state": "incomplete", "reason": "", "counts": {"create": {"done": 1_000}}, "backlog": 1_925}
MORE: Final = FULL | {"backlog": 925}
SPENT: Final = {"state": "incomplete", "reason": "The LMS takes no more.", "counts": {}, "backlog": 1_925}
REST: Final = {"state": "complete", "reason": "", "counts": {"create": {"done": 925}}, "backlog": 0}
REFUSED: Final = {"state": "stopped", "reason": "The LMS refuses us.", "counts": {}, "backlog": 1_925}


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """Return a function that runs syncs with the given reports and returns the reports that the demonstration used."""

    def run(*reports: object) -> list[object]:
        manage = create_autospec(Processes.manage, side_effect=map(json.dumps, reports))
        monkeypatch.setattr(Processes, "manage", manage)
        monkeypatch.setattr(demonstration, "SYNCS_APART_SECONDS", 0)
        of_sap = Demonstration(Path(), "SAP", Path(), Console(quiet=True))
        return [*of_sap._sync_until_done()]

    return run


def test_syncs_follow_one_another_sync_until_done(syncs: Callable[..., list[object]]) -> None:
    assert syncs(FULL, MORE, REST, REST) == [FULL, MORE, REST]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REFUSED, "the sync was stopped: The LMS refuses us."),
        (SPENT, "1,925 items are still waiting: The LMS takes no more."),
    ],
)
def test_a_sync_that_gets_nothing_done_ends_the_demonstration(
    syncs: Callable[..., list[object]], report: object, expected: str
) -> None:
    with pytest.raises(DemonstrationError, match=expected):
        syncs(FULL, report, REST)


@pytest.mark.processes
def test_data_that_cannot_be_imported_is_named_with_line_and_reason(tmp_path: Path) -> None:
    data = tmp_path / "bad.jsonl"
    data.write_text('{"content_type": "course", "key": "MyOrg+Bread101"}\n{bad\n')

    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--data", str(data)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"CommandError: {data}: line 2: not JSON: " in done.stderr
    assert "Traceback" not in done.stderr
