"""Names in the tests: field terms only, and test names of at most 80 characters."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import tests

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(tests.__file__).parent
MAX_LENGTH: Final = 80

#: Words that a reader would need a glossary for, or that style guides rule out.
PRIVATE_WORDS: Final = (
    "anew",
    "beside",
    "crew",
    "dice",
    "hence",
    "landscapes?",
    "learning_systems?",
    "ledgers?",
    "mend(s|ed|ing)?",
    "midst",
    "mishaps?",
    "nobody",
    "offices?",
    "pinboards?",
    "proofs?",
    "shel(f|ves)",
    "somebody",
    "strangers?",
    "told",
    "tells?",
    "towns?",
    "trials?",
    "visits?",
    "whoever",
    "workshops?",
)
#: Parts of names in snake case and in camel case.
_WORD: Final = re.compile(r"[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")
_PRIVATE: Final = re.compile(rf"_({'|'.join(PRIVATE_WORDS)})_")


def names_in(source: str) -> Iterator[str]:
    """Yield the name of each function, class, argument and assigned variable."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def is_private(name: str) -> bool:
    """Return True if a part of the name is a word of the private vocabulary."""
    return _PRIVATE.search(f"_{'_'.join(_WORD.findall(name)).lower()}_") is not None


def all_names() -> Iterator[tuple[Path, str]]:
    """Yield the names in all test modules, and the modules' own names."""
    for path in sorted(ROOT.rglob("*.py")):
        yield path, path.stem
        for name in names_in(path.read_text(encoding="utf-8")):
            yield path, name


@pytest.mark.parametrize("name", ["test_nobody_listens", "Landscape", "SlowShelf", "_TOLD", "the_ledgers"])
def test_private_vocabulary_is_found_in_each_kind_of_name(name: str) -> None:
    assert is_private(name)


@pytest.mark.parametrize("name", ["test_a_recommended_value", "untold_", "Townsend"])
def test_parts_of_other_words_are_allowed(name: str) -> None:
    assert not is_private(name)


def test_names_are_field_terms() -> None:
    assert [f"{path.relative_to(ROOT)}: {name}" for path, name in all_names() if is_private(name)] == []


def test_names_of_tests_have_at_most_80_characters() -> None:
    names = [(path, name) for path, name in all_names() if name.startswith("test_")]

    assert [f"{path.relative_to(ROOT)}: {name}" for path, name in names if len(name) > MAX_LENGTH] == []
