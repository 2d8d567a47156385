"""Pages about delivery: picture and table have exactly the states in the code, and every named test exists."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

from enterprise_catalog.integrated_channels.domain import State
from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

DOCS: Final = PROJECT / "docs"
STATES: Final = DOCS / "concepts" / "delivery.rst"
PICTURE: Final = DOCS / "images" / "transmission_states.svg"
PAGE: Final = DOCS / "reference" / "promises.rst"
PROMISES: Final = "12345678"

_HEADING: Final = re.compile(r"^(\d)\. .+\n~+\n", re.MULTILINE)
_SUMMARY: Final = re.compile(r"^(\d)\. ", re.MULTILINE)
_TABLE: Final = re.compile(r"^\.\. _states:\n\n\.\. list-table::.*\n((?:   .*\n|\n)+)", re.MULTILINE)
_ROW: Final = re.compile(r"^   \* - ``(\w+)``", re.MULTILINE)
_TEST: Final = re.compile(r"``([\w/]*test_\w+(?:\.py)?)``")


def promises() -> dict[str, str]:
    """Return promise number -> its text on the page."""
    _, *parts = _HEADING.split(PAGE.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def named_tests(text: str) -> Iterator[tuple[ModuleType, str]]:
    """Yield the tests named in ``text``, each with the module named before it."""
    module = None
    for name in _TEST.findall(text):
        if name.endswith(".py"):
            module = module_at(name)
        else:
            assert module is not None, f"{name} is named without its module"
            yield module, name


def module_at(path: str) -> ModuleType:
    """Import a module by its path on the page, which is relative to the channels' tests or starts with ``tests/``."""
    whole = path if path.startswith("tests/") else f"tests/integrated_channels/{path}"
    return importlib.import_module(whole.removesuffix(".py").replace("/", "."))


def test_every_state_is_drawn_and_no_other() -> None:
    texts = ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}text")

    # Boxes that are not states contain ordinary text, without the class ``name``.
    drawn = {text.text for text in texts if "name" in text.get("class", "").split() and not text.get("style")}

    assert drawn == {*State}


def test_one_table_lists_every_state_and_no_other() -> None:
    [table] = _TABLE.findall(STATES.read_text(encoding="utf-8"))

    assert sorted(_ROW.findall(table)) == sorted(State)


def test_no_other_page_repeats_the_table_of_states() -> None:
    listed = {page: {*_ROW.findall(page.read_text(encoding="utf-8"))} & {*State} for page in DOCS.rglob("*.rst")}

    assert [page.name for page, states in listed.items() if page != STATES and len(states) > len(State) / 2] == []


def test_there_are_eight_promises() -> None:
    assert [*promises()] == [*PROMISES]
    assert _SUMMARY.findall(STATES.read_text(encoding="utf-8")) == [*PROMISES]


@pytest.mark.parametrize("number", PROMISES)
def test_the_tests_that_are_to_show_a_promise_exist(number: str) -> None:
    shown_by = [*named_tests(promises()[number])]

    assert shown_by
    assert [name for module, name in shown_by if not callable(getattr(module, name, None))] == []
