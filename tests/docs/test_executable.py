"""Every command and request body in these documents runs, and prints the output shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.block_runner import Run
from tests.docs.blocks import blocks_of
from tests.docs.shell import shell
from tests.migrated_database import migrate
from tests.processes import PROJECT, Site

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

#: Document -> number of blocks that are marked to be skipped; each marker gives a reason.
SKIPPED: Final = {
    "README.rst": 2,
    "docs/quickstart.rst": 4,
    "docs/reference/api.rst": 0,
    "docs/reference/channels_api.rst": 0,
    "docs/reference/commands.rst": 0,
    "docs/tutorials/three_complaints.rst": 0,
}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site with an empty database."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(Site.make(folder))
    return folder


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "README.rst" else pytest.mark.slow) for name in SKIPPED]
)
def test_a_document_shows_what_really_happens(name: str, tmp_path: Path, migrated: Path) -> None:
    blocks = [*blocks_of(PROJECT / name)]
    with shell(tmp_path, migrated=migrated) as given:
        run = Run(given)
        run.document(blocks)

    assert not run.problems, "\n\n".join(run.problems)
    assert len(run.skipped) == SKIPPED[name], run.skipped
    assert run.executed == len(blocks) - len(run.skipped)
