"""Duplicates: several LMS items with the same content key, and the rule that selects the one to use.

The rule selects the item whose id is stored in our row, or else the oldest item. Syncs, drift reports and ``adopt``
share this rule, so they always select the same item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from enterprise_catalog.integrated_channels.domain import RemoteItem

_NUMBER: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Duplicates:
    """LMS items that share one content key."""

    content_key: str
    used: str  #: LMS id of the selected item.
    unused: Sequence[str]  #: LMS ids of the remaining items, oldest first.

    def __str__(self) -> str:
        """Return the warning for operators: all ids, and how to resolve the duplicates."""
        others = ", ".join(self.unused)
        return (
            f"The LMS has {1 + len(self.unused)} items with the key {self.content_key!r}: {self.used} is used, {others}"
            f" {'is' if len(self.unused) == 1 else 'are'} not. Remove the key from the unused items, or"
            " delete them in the LMS."
        )


def oldest_first(remote_ids: Collection[str]) -> list[str]:
    """Return the distinct ids, lowest first. Numbers in ids compare as numbers (9 before 10).

    LMSs assign ascending ids, so the lowest id belongs to the oldest item. For ids without numbers, the order is
    arbitrary but always the same.
    """
    return sorted(set(remote_ids), key=_age)


def duplicates_among(content_key: str, remote_ids: Collection[str], *, linked: str = "") -> Duplicates | None:
    """Return the duplicates, or ``None`` if there is only one distinct id.

    Args:
        linked: the id stored in our row, or empty. It is selected for as long as the LMS has an item with this id.
    """
    ids = oldest_first(remote_ids)
    if len(ids) == 1:
        return None
    used = linked if linked in ids else ids[0]
    return Duplicates(content_key, used, [remote_id for remote_id in ids if remote_id != used])


def one_of_each(
    items: Iterable[RemoteItem], *, linked_ids: Callable[[Collection[str]], Mapping[str, str]]
) -> tuple[dict[str, RemoteItem], list[Duplicates]]:
    """Select one item per content key.

    Args:
        linked_ids: maps content keys to the ids stored in our rows. Called at most once, with the keys that have
            several items.

    Returns:
        The selected items by content key, and the duplicates in ascending order of their keys.
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
    """Return a sort key that compares numbers as numbers and the rest as text. Numbers sort before text."""
    parts = (part for part in _NUMBER.split(remote_id) if part)
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts]
