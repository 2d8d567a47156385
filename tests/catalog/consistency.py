"""The record of a writer's changes and the readers' responses, and the check that each response was correct.

A response is correct if it was true at some moment during its request. No database and no HTTP here. Times are seconds
of the machine's monotonic clock, which all its processes share. There is one writer, so changes never overlap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Item(NamedTuple):
    """An item of a catalog, as a reader sees it."""

    updated_at: str
    title: str
    enrollment_url: str


Items: TypeAlias = "Mapping[str, Item]"  #: All items of a catalog, by key.


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One transaction of the writer; it took effect between the two times."""

    what: str
    started_at: float
    committed_at: float
    catalogs: Mapping[str, Items]  #: Catalog UUID -> its items after the change.

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Change:
        """Return the change from the writer process's JSON."""
        held = {
            uuid: {key: Item(*values) for key, values in items.items()} for uuid, items in fields["catalogs"].items()
        }
        return cls(**{**fields, "catalogs": held})


class Kind(Enum):
    """The kinds of requests for a catalog."""

    DIFF = "content-diff"
    DOCUMENTS = "content-metadata by keys"
    LISTING = "content-metadata, all"
    CATALOG = "the catalog"


class Question(NamedTuple):
    """A request for a catalog (UUID)."""

    catalog: str
    kind: Kind
    keys: tuple[str, ...] = ()  #: In the request body, for kinds that have one.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """A response to a reader; for a 304, with the content of the earlier response."""

    question: Question
    sent_at: float
    received_at: float
    version: str
    content: object  #: In the form of :func:`true_answer`.
    is_cached: bool = False

    def __str__(self) -> str:
        name = f"{self.question.kind.value} of {self.question.catalog} for {len(self.question.keys)} keys"
        return f"{name}, version {self.version}{', by a 304' if self.is_cached else ''}"


def true_answer(question: Question, items: Items) -> object:
    """Return the correct response for a catalog that holds ``items``, without its version."""
    match question.kind:
        case Kind.DIFF:
            known = set(question.keys)
            return {
                "existing": [(key, items[key].updated_at) for key in sorted(known & items.keys())],
                "to_create": sorted(items.keys() - known),
                "to_delete": sorted(known - items.keys()),
            }
        case Kind.DOCUMENTS:
            asked = set(question.keys)
            return {
                "results": [(key, *items[key]) for key in sorted(asked & items.keys())],
                "missing": sorted(asked - items.keys()),
            }
        case Kind.LISTING:
            return {"results": [(key, *items[key]) for key in sorted(items)]}
        case Kind.CATALOG:
            return {}


@dataclass(frozen=True)
class RecordedRun:
    """The changes in order; the first one created the catalogs, before any request."""

    changes: Sequence[Change]

    def faults(self, answers: Sequence[Answer]) -> list[str]:
        """Return the errors in ``answers``; empty if some order of responses and changes makes all of them correct.

        In that order, each response errors within its request, and each change within its transaction. A response shows
        one complete state, and two responses with the same version show the same state.
        """
        in_order = sorted(answers, key=lambda each: each.received_at)
        states = {answer: self._states_of(answer) for answer in in_order}
        errors = [f"{answer}: {self._error(answer)}" for answer, positions in states.items() if not positions]
        return errors or [*self._versions_with_two_contents(states)] or [*self._steps_back(states)]

    def overlapping(self, answers: Sequence[Answer]) -> list[Answer]:
        """Return the answers whose requests overlapped a change."""
        return [answer for answer in answers if len(self._current_during(answer)) > 1]

    @cached_property
    def _starts(self) -> list[float]:
        return [change.started_at for change in self.changes]

    @cached_property
    def _commits(self) -> list[float]:
        return [change.committed_at for change in self.changes]

    def _current_during(self, answer: Answer) -> range:
        """Return the positions of the changes whose state may have been current during the request."""
        first = max(bisect_left(self._commits, answer.sent_at) - 1, 0)
        return range(first, bisect_right(self._starts, answer.received_at))

    def _states_of(self, answer: Answer) -> list[int]:
        return [position for position in self._current_during(answer) if self._is_true(answer, position)]

    def _is_true(self, answer: Answer, position: int) -> bool:
        items = self.changes[position].catalogs[answer.question.catalog]
        return answer.content == true_answer(answer.question, items)

    def _error(self, answer: Answer) -> str:
        """Return the error in an answer that matches no state of its time."""
        true = [position for position in range(len(self.changes)) if self._is_true(answer, position)]
        if not true:
            return f"matches no state that ever existed: {answer.content}"
        current = self._current_during(answer)
        if past := [position for position in true if position < current.start]:
            after = self.changes[past[-1] + 1]
            age_seconds = answer.sent_at - after.committed_at
            return f"is stale: {after.what} had been committed {age_seconds:.6f} s before it was asked for"
        return f"shows the future: {self.changes[true[0]].what} had not been started when it came"

    @cached_property
    def _contents(self) -> list[dict[str, frozenset[tuple[str, Item]]]]:
        """The content after each change, by catalog, as comparable sets."""
        return [{uuid: frozenset(items.items()) for uuid, items in each.catalogs.items()} for each in self.changes]

    def _versions_with_two_contents(self, states: dict[Answer, list[int]]) -> Iterator[str]:
        """Narrow ``states`` to the states common to all answers of a version; yield the answers without one."""
        common: dict[tuple[str, str], set[frozenset[tuple[str, Item]]]] = {}
        for answer, positions in states.items():
            uuid, version = answer.question.catalog, answer.version
            contents = {self._contents[position][uuid] for position in positions}
            common[uuid, version] = common.get((uuid, version), contents) & contents
            if not common[uuid, version]:
                yield f"{answer}: an earlier answer of this version had other content"
        for answer, positions in states.items():
            uuid, version = answer.question.catalog, answer.version
            states[answer] = [each for each in positions if self._contents[each][uuid] in common[uuid, version]]

    def _steps_back(self, states: Mapping[Answer, Sequence[int]]) -> Iterator[str]:
        """Yield the answers that are older than an answer received before their request was sent."""
        received: list[float] = []
        newest: list[int] = []
        for answer, positions in states.items():
            before = bisect_left(received, answer.sent_at)
            floor = newest[before - 1] if before else 0
            position = next((each for each in positions if each >= floor), None)
            if position is None:
                yield f"{answer}: is older than an answer that was there before it was asked for"
                continue
            received.append(answer.received_at)
            newest.append(max(position, newest[-1] if newest else 0))
