"""Several items of an LMS under one content key: one rule decides which of them is ours.

It is the item whose id our row has, else the oldest. Syncs, drift reports and ``adopt`` use the same rule, so that
they never mean different items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from enterprise_catalog.integrated_channels.types import RemoteItem

_NUMBER: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Items of the LMS that have the same content key."""

    content_key: str
    used: str  #: The LMS's id of the item that is ours.
    unused: Sequence[str]  #: The LMS's ids of the others, oldest first.

    def __str__(self) -> str:
        """Return the warning, with all ids and what to do."""
        others = ", ".join(self.unused)
        return (
            f"The LMS has {1 + len(self.unused)} items with the key {self.content_key!r}: {self.used} is used, {others}"
            f" {'is' if len(self.unused) == 1 else 'are'} not. Remove the key from the items that are not used, or"
            " delete them in the LMS."
        )


def oldest_first(remote_ids: Collection[str]) -> list[str]:
    """Return the distinct ids, lowest first; numbers in them are compared as numbers (9 before 10).

    The oldest item is ours. LMSs count their ids up, so it has the lowest id; of ids that are no numbers the order is
    at least always the same.
    """
    return sorted(set(remote_ids), key=_age)


def duplicates_among(content_key: str, remote_ids: Collection[str], *, linked: str = "") -> Duplicates | None:
    """Return the duplicates if there is more than one id; else ``None``.

    Args:
        linked: the id that our row has, which syncs go on using while the LMS has it; empty if it has none.
    """
    ids = oldest_first(remote_ids)
    if len(ids) == 1:
        return None
    used = linked if linked in ids else ids[0]
    return Duplicates(content_key, used, [remote_id for remote_id in ids if remote_id != used])


def one_of_each(
    items: Iterable[RemoteItem], *, linked_ids: Callable[[Collection[str]], Mapping[str, str]]
) -> tuple[dict[str, RemoteItem], list[Duplicates]]:
    """Return content key -> the item that is ours, and what has duplicates, ascending by key.

    Args:
        linked_ids: returns, of some content keys, the ids that our rows have; called at most once.
    """
    ours: dict[str, RemoteItem] = {}
    several: dict[str, dict[str, RemoteItem]] = {}
    for item in items:
        first = ours.setdefault(item.content_key, item)
        if first.remote_id != item.remote_id:
            several.setdefault(item.content_key, {first.remote_id: first})[item.remote_id] = item
    linked = linked_ids(several) if several else {}
    found = (duplicates_among(key, several[key], linked=linked.get(key, "")) for key in sorted(several))
    duplicates = [each for each in found if each]
    return ours | {each.content_key: several[each.content_key][each.used] for each in duplicates}, duplicates


def _age(remote_id: str) -> list[tuple[bool, int, str]]:
    """Return a key that sorts numbers as numbers and all else as text; a number comes before a text."""
    parts = (part for part in _NUMBER.split(remote_id) if part)
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts]
