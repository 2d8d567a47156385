"""Times and statements of the Open edX channels for the same work, for comparison with ours.

``open_edx_runs.py`` measures them in the same run (``--open-edx``). Without that option, the comparison uses fixed
figures: the integrated channels of edx-enterprise on similar hardware, against an LMS that responds to each call in
1 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class OpenEdXRun:
    """One run of the Open edX channels."""

    seconds: float
    statements: int
    lms_seconds: float = 0.0  #: Time in the LMS; 0 if unknown.


@dataclass(frozen=True, slots=True)
class OpenEdXRuns:
    """One run of each kind."""

    items: int  #: In the catalog.
    #: Kind of run, as in ``synced.py``. Open edX always computes a diff, so both kinds of unchanged runs are equal.
    runs: Mapping[str, OpenEdXRun]
    is_measured: bool = True  #: In this run of the benchmark, with the same database server and LMS as ours.


#: The raw floor of a diff (``90/10``) on the machine of the fixed figures, to compare its speed with this machine's.
FLOOR_SECONDS: Final = 0.014
FLOOR_ITEMS: Final = 10_000

FIXED: Final = OpenEdXRuns(
    items=5_000,
    runs={
        "first": OpenEdXRun(49, 45_105),
        "changed": OpenEdXRun(20, 18_028),
        "unchanged, other ETag": OpenEdXRun(16.5, 10_005),
        "unchanged": OpenEdXRun(16.5, 10_005),
    },
    is_measured=False,
)
