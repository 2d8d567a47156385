"""Fragments in ``changelog.d/`` are well-formed, and the newest release in ``CHANGELOG.rst`` is this version."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from typing import TYPE_CHECKING, Final

import pytest

from tests.processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = PROJECT / "changelog.d"
TEMPLATE: Final = "template.jinja"
#: A bullet and its indent are added, and lines of the documentation have at most 120 columns.
MAX_COLUMNS: Final = 118

_RELEASE: Final = re.compile(r"^(\S+) \(\d{4}-\d\d-\d\d\)\n-+$", re.MULTILINE)


def kinds() -> list[str]:
    """Return the kinds of fragments in the order of their sections."""
    settings = tomllib.loads((PROJECT / "towncrier.toml").read_text(encoding="utf-8"))
    return [kind["directory"] for kind in settings["tool"]["towncrier"]["type"]]


def problems(path: Path) -> list[str]:
    """Return the problems of one fragment, one sentence each."""
    found = []
    if not re.fullmatch(rf"(\+[a-z0-9-]+|\d+)\.({'|'.join(kinds())})\.rst", path.name):
        found.append(f"The name must be +SUBJECT.KIND.rst or ISSUE.KIND.rst, with KIND one of {', '.join(kinds())}.")
    text = path.read_text(encoding="utf-8").strip()
    if not text.endswith("."):
        found.append("The text must be one or more sentences.")
    if text.startswith(("*", "-")):
        found.append("The text must not begin with a bullet; it is added.")
    if any(len(line) > MAX_COLUMNS for line in text.splitlines()):
        found.append(f"A line is longer than {MAX_COLUMNS} columns.")
    return found


def test_each_fragment_is_well_formed() -> None:
    fragments = [path for path in FOLDER.iterdir() if path.name != TEMPLATE]

    assert {path.name: found for path in fragments if (found := problems(path))} == {}


@pytest.mark.parametrize("name", ["+faster-diffs.changed.rst", "12.fixed.rst"])
def test_a_good_fragment_has_no_problems(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Diffs take half the time.\n")

    assert problems(path) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faster-diffs.changed.rst", "Diffs take half the time."),
        ("+faster-diffs.improved.rst", "Diffs take half the time."),
        ("+faster-diffs.changed.md", "Diffs take half the time."),
        ("+faster-diffs.changed.rst", ""),
        ("+faster-diffs.changed.rst", "faster diffs"),
        ("+faster-diffs.changed.rst", "* Diffs take half the time."),
        ("+faster-diffs.changed.rst", f"{'Diffs ' * 20}take half the time."),
    ],
)
def test_a_malformed_fragment_is_reported(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    assert len(problems(path)) == 1


def test_the_newest_release_is_this_version() -> None:
    setup = ConfigParser()
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")

    newest, *_ = _RELEASE.findall((PROJECT / "CHANGELOG.rst").read_text(encoding="utf-8"))

    assert newest == setup["metadata"]["version"]
