"""Request bodies for the diff, and the check of its responses."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from tests.benchmarks.results import WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: 90 % of the catalog's keys and 10 % unknown keys: a catalog that has changed since the last sync.
MOSTLY_KNOWN: Final = "90/10"
#: No keys: a first sync, where every item is new.
EMPTY: Final = "empty"
CASES: Final = (MOSTLY_KNOWN, EMPTY)


@dataclass(frozen=True, slots=True)
class Case:
    """A request for a diff."""

    name: str
    body: bytes

    @classmethod
    def make(cls, name: str, catalog_keys: Sequence[str]) -> Case:
        """Return the case ``name`` for a catalog that holds ``catalog_keys``; the same body in every run."""
        keys: list[str] = []
        if name == MOSTLY_KNOWN:
            chosen = random.Random(len(catalog_keys))
            unknown = len(catalog_keys) // 10
            keys = chosen.sample(catalog_keys, len(catalog_keys) - unknown)
            keys += [f"Org{number % 40}X+RETIRED{number:06}" for number in range(unknown)]
            chosen.shuffle(keys)
        return cls(name, orjson.dumps({"content_keys": keys}))

    def fresh_keys(self) -> list[str]:
        """Return newly parsed keys: new ``str`` objects without cached hashes, as a request delivers them."""
        keys: list[str] = orjson.loads(self.body)["content_keys"]
        return keys


def check_diff(body: bytes, expected: bytes) -> None:
    """Check that two diffs of one catalog are equal; UUID and version are ignored.

    Raises:
        WrongAnswerError: they differ.
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
