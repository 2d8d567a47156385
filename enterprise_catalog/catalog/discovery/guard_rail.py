"""Guard rail of refreshes: changes of membership that an operator must approve; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

#: Changes of at most this many items are never held, except for an empty result.
ALWAYS_ALLOWED: Final = 10


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """The difference between a query's members and what its filter finds now."""

    member_count: int  #: Before the refresh.
    found_count: int
    added: AbstractSet[str] = frozenset()
    removed: AbstractSet[str] = frozenset()

    def without(self, approved: MembershipChange) -> MembershipChange:
        """Return the part of the change that ``approved`` does not contain."""
        return MembershipChange(
            self.member_count, self.found_count, self.added - approved.added, self.removed - approved.removed
        )


def find_objection(change: MembershipChange, *, limit_percent: int, is_expected: bool) -> str:
    """Return why an operator must approve the change, in one or two sentences; empty if no approval is needed.

    The size of a change is the number of items added and removed. A query that loses half of its items and gains as
    many others has changed completely, although it still has the same size.

    Args:
        limit_percent: of the members, above which a change is held.
        is_expected: the filter was edited since the last refresh, so that any result but an empty one is expected.
    """
    if not change.member_count:
        return ""
    if not change.found_count and change.removed:
        return f"The filter finds nothing, which would remove {_counted(len(change.removed))}. {_UNCHANGED}"
    size = len(change.added) + len(change.removed)
    is_large = size > ALWAYS_ALLOWED and size * 100 > limit_percent * change.member_count
    if is_expected or not is_large:
        return ""
    share = f"{round(size * 100 / change.member_count):,} %"
    return (
        f"The refresh would add {len(change.added):,} and remove {len(change.removed):,} of "
        f"{_counted(change.member_count)} ({share}; {limit_percent} % need no approval). {_UNCHANGED}"
    )


_UNCHANGED: Final = "Nothing was changed; approve or reject the refresh."


def _counted(number: int) -> str:
    return f"{number:,} item{'' if number == 1 else 's'}"
