"""``docs/reference/licenses.rst`` lists every production package with the license in its metadata."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests import services
from tests.docs import licenses

ROW: Final = re.compile(r"\* - ``([^`]+)``\n +- (\S+)\n +- (.+)\n")


def test_the_page_lists_exactly_the_pinned_packages() -> None:
    text = licenses.PAGE.read_text(encoding="utf-8")
    copyleft, every = text.split("\nAll ")
    names = {name for name, _, _ in licenses.pinned()}

    assert {(name, version) for name, version, _ in ROW.findall(every)} == {pin[:2] for pin in licenses.pinned()}
    assert len(names) == licenses.REQUIREMENTS.read_text(encoding="utf-8").count("==")
    assert {row for row in ROW.findall(every) if licenses.COPYLEFT.search(row[2])} == {*ROW.findall(copyleft)}
    assert {"edx-rbac", "edx-opaque-keys", "mysqlclient"} <= {name for name, _, _ in ROW.findall(copyleft)}


def test_the_page_matches_the_installed_packages() -> None:
    try:
        expected = licenses.page(licenses.packages())
    except licenses.NotInstalledError as error:
        if services.is_required():
            raise
        pytest.skip(f"not installed: {error}")

    assert licenses.PAGE.read_text(encoding="utf-8") == expected, "make licenses rewrites it"


def test_each_package_names_a_license() -> None:
    rows = ROW.findall(licenses.PAGE.read_text(encoding="utf-8"))

    assert [name for name, _, text in rows if text.strip() in {"", "None", "UNKNOWN"}] == []
