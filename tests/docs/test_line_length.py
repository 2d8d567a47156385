"""Lines of the documentation have at most 120 columns, like those of the code."""

from __future__ import annotations

import pytest

from tests.docs.list_tables import MAX_COLUMNS, wrapped
from tests.processes import PROJECT


def test_no_line_of_the_documentation_is_too_long() -> None:
    built = PROJECT / "docs" / "_build"
    pages = [*PROJECT.glob("*.rst"), *(PROJECT / "docs").rglob("*.rst"), *(PROJECT / "docs").rglob("*.inc")]

    assert [
        f"{page.relative_to(PROJECT)}:{number}"
        for page in pages
        if built not in page.parents
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > MAX_COLUMNS
    ] == []


@pytest.mark.parametrize("number", [1, 40])
def test_generated_lines_are_wrapped_and_keep_their_words(number: int) -> None:
    text = "     - " + ", ".join(["``a_field``"] * number)

    lines = wrapped(text, indent=7)

    assert " ".join(line.strip() for line in lines) == text.strip()
    assert all(len(line) <= MAX_COLUMNS for line in lines)
    assert all(line.startswith(" " * 7) for line in lines[1:])
