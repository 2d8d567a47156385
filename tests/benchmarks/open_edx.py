"""Times and statements of the Open edX channels for the same work, for comparison with ours.

Measured with the integrated channels of edx-enterprise on similar hardware, against an LMS that responds to each call
in 1 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Known:
    """One run of the Open edX channels."""

    seconds: float
    statements: int


#: Items in the catalog of those runs.
ITEMS: Final = 5_000

#: The raw floor of a diff (``90/10``) on that machine, to compare its speed with this machine's.
FLOOR_SECONDS: Final = 0.014
FLOOR_ITEMS: Final = 10_000

#: Kind of run, as in ``syncs.py`` -> Open edX's values. Open edX always computes a diff, so both kinds of unchanged
#: runs have the same values.
KNOWN: Final[Mapping[str, Known]] = {
    "first": Known(49, 45_105),
    "changed": Known(20, 18_028),
    "unchanged, other ETag": Known(16.5, 10_005),
    "unchanged": Known(16.5, 10_005),
}
