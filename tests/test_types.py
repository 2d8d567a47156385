"""``Any`` in production code: it switches the type checker off, so few lines may use it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import enterprise_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(enterprise_catalog.__file__).parent
MAX_LINES: Final = 90
ADVICE: Final = """
Use instead of Any:
- object, for a value that is only passed on, such as **kwargs;
- a TypedDict or a pydantic model, for JSON with known members;
- the alias of the program, for any other JSON object: JSONObject in integrated_channels/domain.py and in
  sandbox/json_objects.py, Values in web/rest/input.py for validated requests, Row in db/consistent_reads.py for SQL;
- a Protocol, for an object of a library without types;
- a TypeVar, for a type that the caller decides.
"""


def lines_with_any(source: str) -> Iterator[int]:
    """Yield the numbers of the lines that use ``Any``, ascending. Imports, comments and texts do not count."""
    yield from sorted(
        {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and node.id == "Any"}
    )


def test_lines_are_counted_once_and_without_texts() -> None:
    source = 'from typing import Any\n"""Any text."""\ndef read(x: Any) -> Any: ...\nRow = tuple[Any, ...]\n'

    assert [*lines_with_any(source)] == [3, 4]


def test_few_lines_of_production_code_use_any() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        for line in lines_with_any(path.read_text(encoding="utf-8"))
    ]

    assert len(found) <= MAX_LINES, ADVICE + "\n".join(found)
