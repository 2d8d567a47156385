"""Tests of the checker in ``consistency.py``: it finds each kind of wrong answer and accepts every correct one."""

from __future__ import annotations

import pytest

from tests.catalog.consistency import Answer, Change, Item, Kind, Question, RecordedRun, true_answer

FIRST = {"a": Item("t1", "A", "u/a"), "b": Item("t1", "B", "u/b")}
SECOND = {"a": Item("t2", "A2", "u/a"), "b": Item("t2", "B2", "u/b")}
THIRD = {"b": Item("t2", "B2", "u/b"), "c": Item("t3", "C", "u/c")}

#: Two changes: one between 10 and 11, one between 20 and 21.
RUN = RecordedRun(
    [
        Change(what="the beginning", started_at=0, committed_at=1, catalogs={"x": FIRST}),
        Change(what="the second", started_at=10, committed_at=11, catalogs={"x": SECOND}),
        Change(what="the third", started_at=20, committed_at=21, catalogs={"x": THIRD}),
    ]
)
DIFF = Question("x", Kind.DIFF, ("a", "b", "gone"))


def an_answer(
    sent_at: float, received_at: float, content: object, *, version: str = "v", question: Question = DIFF
) -> Answer:
    return Answer(question=question, sent_at=sent_at, received_at=received_at, version=version, content=content)


def a_true_answer(sent_at: float, received_at: float, position: int, *, question: Question = DIFF) -> Answer:
    """Return the correct answer for the state after the change at ``position``."""
    content = true_answer(question, RUN.changes[position].catalogs["x"])
    return an_answer(sent_at, received_at, content, version=f"v{position}", question=question)


def test_the_correct_response_is_derived_from_the_items() -> None:
    keys = ("c", "gone", "b", "b")

    assert true_answer(Question("x", Kind.DIFF, keys), SECOND) == {
        "existing": [("b", "t2")],
        "to_create": ["a"],
        "to_delete": ["c", "gone"],
    }
    assert true_answer(Question("x", Kind.DOCUMENTS, keys), SECOND) == {
        "results": [("b", "t2", "B2", "u/b")],
        "missing": ["c", "gone"],
    }
    assert true_answer(Question("x", Kind.LISTING), SECOND) == {
        "results": [("a", "t2", "A2", "u/a"), ("b", "t2", "B2", "u/b")]
    }


@pytest.mark.parametrize(
    ("sent_at", "received_at", "position"),
    [(2, 3, 0), (12, 13, 1), (22, 23, 2), (9, 12, 0), (9, 12, 1), (10.2, 10.8, 0), (10.2, 10.8, 1), (2, 22, 1)],
)
def test_it_passes_what_was_true_at_a_moment_of_the_request(sent_at: float, received_at: float, position: int) -> None:
    assert RUN.faults([a_true_answer(sent_at, received_at, position)]) == []


@pytest.mark.parametrize("kind", [Kind.DIFF, Kind.DOCUMENTS, Kind.LISTING])
@pytest.mark.parametrize("sent_at", [11.000001, 15, 20.5])
def test_it_finds_a_stale_answer(sent_at: float, kind: Kind) -> None:
    question = Question("x", kind, () if kind is Kind.LISTING else ("a", "b"))

    [fault] = RUN.faults([a_true_answer(sent_at, 30, 0, question=question)])

    assert "is stale: the second had been committed" in fault


@pytest.mark.parametrize("received_at", [9.999999, 5])
def test_it_finds_an_answer_from_the_future(received_at: float) -> None:
    [fault] = RUN.faults([a_true_answer(4, received_at, 1)])

    assert "shows the future: the second" in fault


@pytest.mark.parametrize(
    "content",
    [
        {"existing": [("a", "t2"), ("b", "t1")], "to_create": [], "to_delete": ["gone"]},
        {"existing": [("a", "t1"), ("b", "t1")], "to_create": [], "to_delete": []},
        {"existing": [("b", "t1")], "to_create": [], "to_delete": ["a", "gone"]},
        {"existing": [("b", "t1"), ("a", "t1")], "to_create": [], "to_delete": ["gone"]},
    ],
    ids=["half of each state", "an unknown key left out", "members of another state", "out of order"],
)
def test_it_finds_an_answer_that_is_of_no_state(content: object) -> None:
    [fault] = RUN.faults([an_answer(9, 12, content)])

    assert "matches no state that ever existed" in fault


def test_it_finds_a_version_with_two_contents() -> None:
    answers = [an_answer(12, 13, a_true_answer(12, 13, 1).content), an_answer(22, 23, a_true_answer(22, 23, 2).content)]

    [fault] = RUN.faults(answers)

    assert "an earlier answer of this version had other content" in fault


def test_it_finds_a_304_for_what_has_changed() -> None:
    catalog = Question("x", Kind.CATALOG)
    answers = [an_answer(12, 13, {}, question=catalog), an_answer(22, 23, {}, question=catalog)]

    [fault] = RUN.faults(answers)

    assert "an earlier answer of this version had other content" in fault


def test_it_finds_an_answer_that_is_older_than_one_before_it() -> None:
    new, old = a_true_answer(10.1, 10.2, 1), a_true_answer(10.3, 10.4, 0)

    [fault] = RUN.faults([old, new])

    assert "is older than an answer that was there before it was asked for" in fault


def test_concurrent_responses_may_show_either_state() -> None:
    assert RUN.faults([a_true_answer(10.1, 10.3, 1), a_true_answer(10.2, 10.4, 0)]) == []


def test_a_state_may_come_back_with_its_version() -> None:
    back = Change(what="back", started_at=30, committed_at=31, catalogs={"x": FIRST})

    assert RecordedRun([*RUN.changes, back]).faults([a_true_answer(2, 3, 0), a_true_answer(32, 33, 0)]) == []


def test_requests_that_overlap_a_change_are_counted() -> None:
    during, between = a_true_answer(10.9, 12, 1), a_true_answer(12, 19, 1)

    assert RUN.overlapping([during, between]) == [during]
