"""Types of command line options."""

from __future__ import annotations

import argparse


def sizes(text: str) -> list[int]:
    """Parse numbers above 0, separated by commas; return them ascending, each once."""
    return sorted({positive(part) for part in text.split(",")})


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
