"""How often what happened, over all examples of a proof: that of which nothing happened was not proven."""

from __future__ import annotations

from collections import Counter
from typing import Final

from hypothesis import event

#: What happened -> how often.
OCCURRENCES: Final[Counter[str]] = Counter()


def note(what: str) -> None:
    """Count that ``what`` happened; hypothesis tells it in its statistics, too."""
    OCCURRENCES[what] += 1
    event(what)
