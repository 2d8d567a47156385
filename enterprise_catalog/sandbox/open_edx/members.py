"""Members of course-discovery's JSON objects, with their values where a document does not give any."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def defaults(*, null: str = "", lists: str = "", false: str = "", **others: object) -> Mapping[str, object]:
    """Return member -> default.

    Args:
        null: members whose default is ``None``, separated by spaces.
        lists: members whose default is an empty list, separated by spaces.
        false: members whose default is ``False``, separated by spaces.
        others: members with other defaults.
    """
    return MappingProxyType(
        {
            **dict.fromkeys(null.split()),
            **{name: [] for name in lists.split()},
            **dict.fromkeys(false.split(), False),
            **others,
        }
    )
