"""The interface of an LMS in the resilience tests. Does not import Django: some processes run without it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from enterprise_catalog.sandbox.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx

    from enterprise_catalog.sandbox.application import SandboxApplication
    from enterprise_catalog.sandbox.faults import Fault
    from tests.integrated_channels.resilience.reconciliation import Course, Item


class VendorLMS(ABC):
    """One vendor's LMS, played by its sandbox."""

    code: ClassVar[str]  #: Channel code.
    polls: ClassVar[bool] = False  #: True if the LMS polls our feed, instead of being called.
    changes: ClassVar[Sequence[str]]  #: Operations that change courses.
    look_ups: ClassVar[Sequence[str]]  #: Patterns of other operations that faults may strike.
    faults: ClassVar[Mapping[str, Fault]]  #: All faults of this LMS, by name.
    #: Factor for the fault probability. Greater than 1 for an LMS with fewer calls.
    times_as_often: ClassVar[int] = 1
    #: Kinds of faults that strike while processes of the LMS and ours are killed.
    kill_faults: ClassVar[Sequence[FaultKind]] = (
        FaultKind.DROP,
        FaultKind.TRUNCATE,
        FaultKind.REPLACE,
        FaultKind.REFUSE,
    )
    #: Two of ``faults`` that leave the most in doubt, one after the other. With a called LMS, the first call is carried
    #: out but returns an error, and the next call gets a 429. The run then ends with the first call in doubt.
    cutting_short: ClassVar[tuple[str, str]]
    #: Attributes of the sandbox that a real LMS keeps on disk.
    kept: ClassVar[Sequence[str]]
    #: Delay of each call that changes courses, in seconds. A real LMS takes longer.
    work_seconds: ClassVar[float] = 0.02
    #: Most runs until everything is right, once failures stop and all retries are due.
    runs_to_recover: ClassVar[int] = 2
    chunk_size: ClassVar[int | None] = 8  #: For a configuration with many items.
    #: Columns of the configurations for the two LMSs of one customer.
    columns: ClassVar[tuple[Mapping[str, Any], Mapping[str, Any]]] = ({"chunk_size": 3}, {"chunk_size": 2})
    #: Channel settings in addition to the sandbox's settings.
    settings: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def make(
        self, *, name: str = "", clock: Callable[[], float] = time.time, takes_twins: bool = False
    ) -> SandboxApplication:
        """Return a new sandbox.

        Args:
            name: distinguishes the LMSs of one customer.
            clock: returns epoch seconds.
            takes_twins: accept a second course with an existing key, which a real LMS rejects. Duplicate creates then
                become visible.
        """

    def poll_feed(self, sandbox: Any, client: httpx.Client, customer: str) -> None:
        """Make a polling LMS poll the feed, unless a fault prevents it.

        Args:
            client: its base URL is the address of our web service.
            customer: UUID.
        """
        raise NotImplementedError(f"{self.code} waits to be called.")

    @abstractmethod
    def course(self, record: Mapping[str, Any]) -> Course:
        """Return the course for a record from the sandbox's ``content``."""

    @abstractmethod
    def texts(self, key: str, item: Item) -> tuple[str, ...]:
        """Return all texts of the course for ``item``."""
