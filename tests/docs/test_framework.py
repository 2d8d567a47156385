"""The document tests detect errors: blocks that are not run, invalid markers, and output that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from unittest.mock import create_autospec

import pytest

from tests.docs.block_runner import Run
from tests.docs.blocks import Command, MarkerError, blocks_of
from tests.docs.output_matching import agrees
from tests.docs.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT: Final = """\
Title
=====

Some text, and a block::

   plain

.. test: file data.jsonl

.. code-block:: json

   {"a": 1}

Section
-------

* A list item:

  .. test: setup
     echo one
     echo two

  .. code-block:: console
     :force:

     $ echo \\
         hello
     hello
     $ true
     $ curl -d '{"a":
       1}' x
"""


def test_blocks_have_their_section_place_and_markers(tmp_path: Path) -> None:
    path = tmp_path / "a.rst"
    path.write_text(DOCUMENT)

    plain, data, console = blocks_of(path)

    assert (plain.place, plain.language, plain.text, plain.section) == ("a.rst:4", "", "plain", "Title")
    assert (data.language, data.markers) == ("json", {"file": "data.jsonl"})
    assert (console.section, console.markers) == ("Section", {"setup": "echo one\necho two"})
    assert console.commands() == [
        Command("echo \\\n    hello", "hello"),
        Command("true"),
        Command("curl -d '{\"a\":\n  1}' x"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".. test: run\n\n::\n\n   x\n", "unknown marker 'run'"),
        (".. test: skip why\n\nText.\n", "no code block follows"),
    ],
)
def test_a_wrong_marker_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "a.rst").write_text(text)

    with pytest.raises(MarkerError, match=problem):
        [*blocks_of(tmp_path / "a.rst")]


@pytest.mark.parametrize("begin", [".. code-block:: json", ".. code-block:: text", "Text::"])
def test_a_block_that_is_neither_run_nor_marked_is_a_problem(tmp_path: Path, begin: str) -> None:
    (tmp_path / "a.rst").write_text(f"{begin}\n\n   x\n\n.. test: skip why\n\n{begin}\n\n   x\n")
    run = Run(create_autospec(Shell, instance=True))

    run.document(blocks_of(tmp_path / "a.rst"))

    assert run.problems == ["a.rst:1: neither run nor marked; see tests/docs/blocks.py for the markers"]
    assert (run.skipped, run.executed) == (["a.rst:7: why"], 0)


def test_a_synopsis_has_exactly_the_options_of_its_command(tmp_path: Path) -> None:
    (tmp_path / "a.rst").write_text(".. code-block:: text\n\n   test_channel --configurations ID\n")
    run = Run(create_autospec(Shell, instance=True))

    run.document(blocks_of(tmp_path / "a.rst"))

    [problem] = run.problems
    assert "shown but not there: ['--configurations']; there but not shown: ['--configuration']" in problem


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ("a b", "a\n  b\n"),
        ("[1, …, 9]", "[1,2,3,9]"),
        ('{"at": "2026-11-24T00:35:58.598512Z"}', '{"at":"2027-01-01T10:00:00.000000Z"}'),
        ('ETag: "660faad6ef622-1-660faad6ef622"', 'ETag: "7777777777777-2-7777777777777"'),
        ("done", "2026-11-29T00:05:11.839428Z [info     ] sync_started [x] run_id=1\ndone"),
        ("HTTP/1.1 200 OK\nB: 2\n\n{}", "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n{}"),
        ("HTTP/1.1 304 Not Modified", "HTTP/1.1 304 Not Modified\r\nA: 1\r\n\r\n"),
    ],
)
def test_output_agrees_with_what_is_shown(shown: str, real: str) -> None:
    assert agrees(shown, real)


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ("a", "a b"),
        ("[1, …, 9]", "[1,2,3]"),
        ("a.c", "abc"),
        ('{"at": "2026-11-24T00:35:58.598512Z"}', '{"at":null}'),
        ("HTTP/1.1 200 OK\nB: 2\n\n{}", "HTTP/1.1 200 OK\r\nB: 3\r\n\r\n{}"),
        ("HTTP/1.1 200 OK\n\n{}", "HTTP/1.1 200 OK\r\n\r\n[]"),
    ],
)
def test_other_output_does_not_agree(shown: str, real: str) -> None:
    assert not agrees(shown, real)
