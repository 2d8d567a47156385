"""The content of the demonstration, before and after the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.sandbox.demonstration.documents import read_documents, split, titles_of
from enterprise_catalog.sandbox.demonstration.processes import DemonstrationError
from enterprise_catalog.sandbox.open_edx.documents import name_of
from tests.open_edx import course, pathway, program

if TYPE_CHECKING:
    from pathlib import Path


def test_the_change_adds_changes_and_removes_items() -> None:
    documents = [course(f"A+{number}") for number in range(38)] + [program("P"), program("Q")]

    contents = split(documents)

    before, after = (titles_of(each, contents.kinds) for each in (contents.before, contents.after))
    assert contents.kinds == ["course", "program"]
    assert (len(before), len(after)) == (40, 40)
    assert after.keys() - before.keys() == {"A+0", "A+1"}
    assert len(before.keys() - after.keys()) == 2
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} == {"A+2", "A+3"}


def test_a_retired_item_is_content_of_its_own() -> None:
    documents = [course("A+1", aggregation_key="course:A+1"), program("P", aggregation_key="program:p"), pathway("W")]

    retired = [document for document in split(documents).before if "(retires)" in document["title"]]

    kind, key = name_of(retired[0])
    assert retired[0]["aggregation_key"] == f"{kind}:{key}"
    assert key != "A+1"


@pytest.mark.parametrize(
    ("documents", "kinds"),
    [
        ([course("A+1"), {"content_type": "courserun", "key": "r"}], ["course"]),
        ([{"content_type": "courserun", "key": "r"}], ["courserun"]),
        ([pathway("W"), program("P")], ["learnerpathway", "program"]),
    ],
)
def test_the_filter_asks_for_the_kinds_of_the_data(documents: list[dict[str, Any]], kinds: list[str]) -> None:
    assert split(documents).kinds == kinds


def test_a_single_item_is_changed_but_not_removed() -> None:
    contents = split([course("A+1")])

    assert [each["title"] for each in contents.before] == ["Title of A+1 (old title)"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n", "contains no content document"),
        ('{"content_type": "course", "key": "A+1"}\n[]\n', "line 2: not a JSON object"),
        ('{"content_type": "course"}\n', "line 1: a document of the kind course has no key"),
    ],
)
def test_invalid_data_is_named_with_line_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text(text)

    with pytest.raises(DemonstrationError, match=reason):
        read_documents(file)
