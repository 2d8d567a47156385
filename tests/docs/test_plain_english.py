"""The phrases that the style guide rules out stay out of docs, messages, docstrings and comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import enterprise_catalog
from tests.docs.blocks import blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(enterprise_catalog.__file__).parent.parent

#: Phrase, as a regular expression -> what to write instead.
PHRASES: Final = {
    r"learning systems?": "LMS",
    r"is none": "repeat the noun",
    r"told": "the field's verb: reported, returned, listed",
    r"somebody|nobody": "name the role, such as operator, customer or caller",
    r"mend(s|ed|ing)?": "fix",
    r"hence|anew|amidst?|midst|in vain|by turns|for ever|whoever|but for": "modern words",
    r"lets? us in": "accepts our credentials",
}
_PHRASE: Final = re.compile(rf"\b({'|'.join(PHRASES)})\b", re.IGNORECASE)
_LITERAL: Final = re.compile(r"``.+?``")
_OPENING: Final = re.compile(r"(What|Whether|How|Who|That|Which|Where)\b")


def python_files() -> list[Path]:
    return sorted(
        path
        for folder in ("enterprise_catalog", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and path != Path(__file__)
    )


def pages() -> list[Path]:
    built = ROOT / "docs" / "_build"
    fragments = (ROOT / "changelog.d").glob("*.rst")
    return [
        *ROOT.glob("*.rst"),
        *fragments,
        *(path for path in (ROOT / "docs").rglob("*.rst") if built not in path.parents),
    ]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each line of a page that is not part of a code block."""
    code = {line.strip() for block in blocks_of(path) for line in block.text.splitlines()}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() not in code:
            yield number, line


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            text := ast.get_docstring(node)
        ):
            yield node.body[0].lineno, text


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each string that is not a docstring, including the parts of f-strings."""
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


def complaints(texts: Iterator[tuple[int, str]], path: Path) -> list[str]:
    """Return a line for each phrase found outside of ``literals``: file, line number, phrase."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {found[0]}"
        for line, text in texts
        for found in _PHRASE.finditer(_LITERAL.sub("", text))
    ]


@pytest.mark.parametrize("text", ["The learning system", "It is none.", "to mend it", "told by nobody", "But for one"])
def test_a_phrase_is_found_in_any_case(text: str) -> None:
    assert complaints(iter([(1, text)]), ROOT / "a.py")


def test_docstrings_and_comments_are_in_plain_english() -> None:
    found = []
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        found += complaints(docstrings(source), path) + complaints(comments(source), path)

    assert found == []


def test_messages_of_the_programs_are_in_plain_english() -> None:
    found = []
    for path in python_files():
        if "tests" not in path.relative_to(ROOT).parts:
            found += complaints(messages(path.read_text(encoding="utf-8")), path)

    assert found == []


def test_templates_are_in_plain_english() -> None:
    found = []
    for path in sorted((ROOT / "enterprise_catalog").rglob("templates/**/*.html")):
        found += complaints(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1), path)

    assert found == []


def test_docstrings_open_with_the_noun_or_verb_that_readers_look_for() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for path in python_files()
        for line, text in docstrings(path.read_text(encoding="utf-8"))
        if _OPENING.match(text)
    ]

    assert found == []


def test_pages_and_pictures_are_in_plain_english() -> None:
    found = []
    for path in [*pages(), *(ROOT / "docs" / "images").glob("*.svg")]:
        found += complaints(prose(path), path)

    assert found == []
