"""Counts of what happened over all examples of a test. A test proves nothing about events that never happened."""

from __future__ import annotations

from collections import Counter
from typing import Final

from hypothesis import event

#: Event -> count.
OCCURRENCES: Final[Counter[str]] = Counter()


def note(what: str) -> None:
    """Count the event ``what``, and report it to hypothesis' statistics."""
    OCCURRENCES[what] += 1
    event(what)
