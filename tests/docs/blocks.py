"""The code blocks of a document in order, with the markers that control how the tests run them.

A marker is a comment directly before a block, which readers do not see::

    .. test: skip takes minutes; the gate runs it

``skip REASON``
    Do not run the block.
``file NAME``
    The block is the content of this file; later commands use it.
``setup``
    The indented lines of the comment are commands to run before the block.
``token``
    The block holds the claims of a token that the API must accept.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A block begins with a directive, or after a paragraph that ends with two colons.
_BEGIN: Final = re.compile(r"\s*(?:\.\. (?:code-block|code|sourcecode)::\s*(?P<language>\S*)|(?!\.\. ).*::)\s*$")
#: The options of a directive, and the empty line after them.
_OPTIONS: Final = re.compile(r"\A(?: *:[a-z-]+:.*\n)+\n+")
_MARKER: Final = re.compile(r"\s*\.\. test: *(?P<verb>\S+) *(?P<argument>.*)$")
_UNDERLINE: Final = re.compile(r"([=\-~^\"])\1{2,}$")
VERBS: Final = frozenset({"skip", "file", "setup", "token"})


class MarkerError(Exception):
    """A marker is invalid, or no block follows it; the message includes file and line."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a console block, with the output shown in the block."""

    text: str  #: As entered in a shell, with its continuation lines.
    output: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A code block."""

    place: str  #: File and line.
    language: str  #: Empty for a block that begins with ``::``.
    text: str
    section: str  #: The title of its section.
    markers: dict[str, str] = field(default_factory=dict)  #: Verb -> argument.

    def commands(self) -> list[Command]:
        """Return the commands of a console block: each begins with ``$``, and its output follows."""
        commands: list[list[str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                commands.append([line.removeprefix("$ ")])
            else:
                commands[-1].append(line)
        return [_command(lines) for lines in commands]


def _command(lines: list[str]) -> Command:
    """Split a command from its output. A line that ends with a backslash or within quotes continues."""
    count = 1
    while count < len(lines) and (lines[count - 1].endswith("\\") or _is_open("\n".join(lines[:count]))):
        count += 1
    return Command("\n".join(lines[:count]), "\n".join(lines[count:]).strip("\n"))


def _is_open(text: str) -> bool:
    return text.count("'") % 2 == 1


def blocks_of(path: Path) -> Iterator[Block]:
    """Yield the code blocks of a document.

    Raises:
        MarkerError: a marker has an unknown verb, or no block follows it.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    section, number = "", 0
    markers: dict[str, str] = {}
    while number < len(lines):
        line, place = lines[number], f"{path.name}:{number + 1}"
        number += 1
        if _UNDERLINE.match(line) and lines[number - 2].strip():
            section = lines[number - 2]
        elif marker := _MARKER.match(line):
            more, number = _indented(lines, number, _indent(line))
            if marker["verb"] not in VERBS:
                raise MarkerError(f"{place}: unknown marker {marker['verb']!r}")
            markers[marker["verb"]] = f"{marker['argument']}\n{more}".strip()
        elif begin := _BEGIN.match(line):
            text, number = _indented(lines, number, _indent(line))
            text = _OPTIONS.sub("", text) if begin["language"] else text
            yield Block(place, begin["language"] or "", text, section, markers)
            markers = {}
        elif line.strip() and markers:
            raise MarkerError(f"{place}: no code block follows the marker {[*markers]}")


def _indented(lines: list[str], number: int, indent: int) -> tuple[str, int]:
    """Return the text that is indented deeper than ``indent``, and the number of the line after it."""
    end = number
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    return textwrap.dedent("\n".join(lines[number:end])).strip("\n"), end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
