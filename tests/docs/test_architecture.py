"""The architecture page: its picture matches the code, and every path on it exists."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs import dependencies
from tests.docs.dependencies import Imports
from tests.processes import PROJECT

PAGE: Final = PROJECT / "docs" / "concepts" / "architecture.rst"
CHANNELS: Final = "enterprise_catalog/integrated_channels"

_PATH: Final = re.compile(r"``((?:enterprise_catalog|tests|…)/[\w/.]*|[\w.]+\.(?:cfg|toml))``")
_ROW: Final = re.compile(r"^   \* - (.+)$", re.MULTILINE)
_METRIC: Final = re.compile(r"^   \* - ``(\w+)``$", re.MULTILINE)


def paths_on_the_page() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return [path.replace("…", CHANNELS) for path in _PATH.findall(text)]


def test_the_picture_shows_the_imports_of_the_code() -> None:
    drawn = dependencies.PICTURE.read_text(encoding="utf-8")

    assert drawn == dependencies.picture(), "python -m tests.docs.dependencies redraws it"


def test_every_path_exists() -> None:
    paths = paths_on_the_page()

    assert len(paths) > 40
    assert [path for path in paths if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize(
    "subject",
    [
        "the sort order of the diff",
        "the retry pause, and when an item becomes a dead letter",
        "a sentence on an admin page",
        "a field that is sent to Canvas",
        "the sandbox's 429",
        "an operator's decision (send again, approve or keep deletes)",
        "the SSRF rule (which addresses an LMS may have)",
        "a metric",
    ],
)
def test_frequent_changes_have_a_place(subject: str) -> None:
    assert subject in _ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_the_files_of_all_metrics_are_listed() -> None:
    row = PAGE.read_text(encoding="utf-8").partition("   * - a metric\n")[2].partition("   * - ")[0]

    code = "".join((PROJECT / path).read_text(encoding="utf-8") for path in _PATH.findall(row))

    metrics = _METRIC.findall((PROJECT / "docs" / "reference" / "metrics.rst").read_text(encoding="utf-8"))
    assert len(metrics) > 20
    assert [name for name in metrics if f'"{name}"' not in code] == []


def test_the_front_page_leads_to_the_architecture() -> None:
    assert ":doc:`concepts/architecture`" in (PROJECT / "docs" / "index.rst").read_text(encoding="utf-8")


def test_an_import_that_also_exists_indirectly_is_left_out() -> None:
    imports = Imports({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()})

    assert imports.essential() == [("a", "b"), ("b", "c")]
    assert imports.levels() == {"a": 0, "b": 1, "c": 2}
