"""The seeds of the resilience tests, and the lines that they add to the summary of a run.

A pytest plugin (``-p tests.summary``): with pytest-xdist, the main process prints the summary, but loads no conftest.py
of a subfolder. The tests pass their lines in ``user_properties``, which pytest-xdist sends to the main process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

#: Names in ``user_properties``: the test's random seed, and a line of text. A test may add many lines.
SEED: Final = "seed"
LINE: Final = "line"


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the seed and the lines of each test, including failed tests."""
    reports = [report for report in _finished(terminalreporter) if SEED in dict(report.user_properties)]
    if reports:
        terminalreporter.section("seeds of the resilience tests")
    for report in reports:
        terminalreporter.write_line(f"{dict(report.user_properties)[SEED]:10}  {report.nodeid}")
        for name, line in report.user_properties:
            if name == LINE:
                terminalreporter.write_line(f"{'':10}    {line}")


def _finished(terminalreporter: TerminalReporter) -> Iterator[pytest.TestReport]:
    """Yield one report for each finished test, with all its properties."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                yield report
