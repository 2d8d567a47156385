"""What a caller of the diff sends, and what a right answer is."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from tests.benchmarks.results import WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: 90 % of the catalog's keys and 10 % that it does not hold: a catalog that has moved on since the last sync.
MOSTLY_KNOWN: Final = "90/10"
#: Nothing was sent before: all is new.
EMPTY: Final = "empty"
CASES: Final = (MOSTLY_KNOWN, EMPTY)


@dataclass(frozen=True, slots=True)
class Case:
    """A request for a diff."""

    name: str
    body: bytes

    @classmethod
    def make(cls, name: str, catalog_keys: Sequence[str]) -> Case:
        """Return the case ``name`` of a catalog that holds ``catalog_keys``; the same one in every run."""
        keys: list[str] = []
        if name == MOSTLY_KNOWN:
            chosen = random.Random(len(catalog_keys))
            unknown = len(catalog_keys) // 10
            keys = chosen.sample(catalog_keys, len(catalog_keys) - unknown)
            keys += [f"Org{number % 40}X+RETIRED{number:06}" for number in range(unknown)]
            chosen.shuffle(keys)
        return cls(name, orjson.dumps({"content_keys": keys}))

    def fresh_keys(self) -> list[str]:
        """Return the keys as a parser gives them: new texts, whose hashes nobody has computed yet."""
        keys: list[str] = orjson.loads(self.body)["content_keys"]
        return keys


def check_diff(body: bytes, expected: bytes) -> None:
    """Check that two answers say the same of the same catalog, whatever its version.

    Raises:
        WrongAnswerError: they do not.
    """
    answer, right = _parts(body), _parts(expected)
    for name, value in right.items():
        if answer.get(name) != value:
            raise WrongAnswerError(f"{name} of a diff is not what the bare driver finds")
    if answer.keys() != right.keys():
        raise WrongAnswerError(f"a diff has the parts {sorted(answer)}, not {sorted(right)}")


def _parts(body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(body)
    return {name: value for name, value in answer.items() if name not in {"catalog_uuid", "catalog_version"}}
