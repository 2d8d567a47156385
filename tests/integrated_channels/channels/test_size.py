"""Size limits: channels stay small, and code shared by two channels exists only once."""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

import enterprise_catalog
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(enterprise_catalog.__file__).parent.parent

#: Most lines of code that a sync needs, without blank lines, comments and docstrings.
MOST_LINES: Final = 400
MOST_LINES_OF_THE_MEDIAN: Final = 300
#: ``checks.py`` diagnoses a setup for ``test_channel`` and takes no part in a sync. It has its own limit.
CHECKS: Final = "checks.py"
MOST_LINES_OF_CHECKS: Final = 150
#: This many identical consecutive lines in two channels, not counting imports, are a copy.
COPY: Final = 6

_SILENT: Final = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def files_of(code: str) -> list[Path]:
    """Return the Python files in a channel's folder, sorted."""
    module = CHANNELS[code].__module__
    return sorted((ROOT / module.replace(".", "/")).parent.glob("*.py"))


def code_lines(source: str, *, with_imports: bool = True) -> list[str]:
    """Return the lines of code in ``source``, with white space collapsed."""
    numbers: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _SILENT:
            numbers.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if _is_docstring(node) or (not with_imports and isinstance(node, ast.Import | ast.ImportFrom)):
            assert isinstance(node, ast.stmt)
            numbers -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = source.splitlines()
    return [" ".join(lines[number - 1].split()) for number in sorted(numbers)]


def _is_docstring(node: ast.AST) -> bool:
    """Return True if ``node`` is a string expression statement."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def size_of(code: str, *, of_checks: bool = False) -> int:
    """Return the lines of code of what a channel's sync needs, or those of its checks."""
    files = [path for path in files_of(code) if (path.name == CHECKS) is of_checks]
    return sum(len(code_lines(path.read_text(encoding="utf-8"))) for path in files)


def runs_of(code: str) -> dict[tuple[str, ...], str]:
    """Return every run of ``COPY`` consecutive lines of code -> name of its file."""
    return {
        run: path.name
        for path in files_of(code)
        for run in _runs(code_lines(path.read_text(encoding="utf-8"), with_imports=False))
    }


def _runs(lines: list[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(lines[start : start + COPY]) for start in range(len(lines) - COPY + 1))


def test_only_code_counts() -> None:
    source = '"""A docstring,\nof two lines."""\n\n#: A comment.\nimport os\n\nX = 7  # seven\ny = """a\nb"""\n'

    assert code_lines(source) == ["import os", "X = 7 # seven", 'y = """a', 'b"""']
    assert code_lines(source, with_imports=False)[0] == "X = 7 # seven"


def test_no_channel_is_large() -> None:
    sizes = {code: size_of(code) for code in CHANNELS}

    assert {code: size for code, size in sizes.items() if size > MOST_LINES} == {}
    assert statistics.median(sizes.values()) < MOST_LINES_OF_THE_MEDIAN, sizes
    assert {code: size for code in CHANNELS if (size := size_of(code, of_checks=True)) > MOST_LINES_OF_CHECKS} == {}


def test_no_two_channels_share_a_copy() -> None:
    runs = {code: runs_of(code) for code in CHANNELS}

    copies = [
        (one, runs[one][run], other, runs[other][run], run)
        for one, other in combinations(CHANNELS, 2)
        for run in runs[one].keys() & runs[other].keys()
    ]

    assert copies == []
