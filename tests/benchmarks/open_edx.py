"""What the Open edX channels take for the same work, to be printed beside what ours take.

Measured with the integrated channels of edx-enterprise on a machine of the same kind, against a learning system that
answers each call in a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Known:
    """One run of theirs."""

    seconds: float
    statements: int


#: Of how many items their catalog is.
ITEMS: Final = 5_000

#: What the raw floor of a diff (``90/10``) took on that machine, which tells how fast it is beside another one.
FLOOR_SECONDS: Final = 0.014
FLOOR_ITEMS: Final = 10_000

#: As in ``syncs.py`` -> theirs. They have no run that asks for no difference: both of ours stand beside the same one.
KNOWN: Final[Mapping[str, Known]] = {
    "first": Known(49, 45_105),
    "changed": Known(20, 18_028),
    "unchanged, other ETag": Known(16.5, 10_005),
    "unchanged": Known(16.5, 10_005),
}
