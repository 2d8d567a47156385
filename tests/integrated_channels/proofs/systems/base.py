"""What a proof has to know of a learning system. No Django here: some of it runs in processes without it."""

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
    from tests.integrated_channels.proofs.ledger import Course, Item


class LearningSystem(ABC):
    """One vendor's learning system, played by its sandbox."""

    code: ClassVar[str]  #: Of its channel.
    visits: ClassVar[bool] = False  #: Whether it comes to us for what has changed, instead of being called.
    changes: ClassVar[Sequence[str]]  #: Its operations that change courses.
    look_ups: ClassVar[Sequence[str]]  #: Patterns of its other operations that faults may strike.
    faults: ClassVar[Mapping[str, Fault]]  #: All that goes wrong with it, by name.
    #: How much more often than others' its calls meet one of them, since it makes fewer.
    times_as_often: ClassVar[int] = 1
    #: What goes wrong while its processes and ours are killed.
    mishaps: ClassVar[Sequence[FaultKind]] = (FaultKind.DROP, FaultKind.TRUNCATE, FaultKind.REPLACE, FaultKind.REFUSE)
    #: Two of these faults that leave most in doubt, one after the other. Where calls are made, one is carried out and
    #: refused all the same, and the next is not taken, so that the run ends in the midst of what was refused.
    cutting_short: ClassVar[tuple[str, str]]
    #: Attributes of its sandbox that hold what a real one has on disk.
    kept: ClassVar[Sequence[str]]
    #: How long it takes to change courses, for each call; a real one takes longer.
    work_seconds: ClassVar[float] = 0.02
    #: How many runs it takes at most until all is well, once nothing fails any more and all rests are over.
    runs_to_mend: ClassVar[int] = 2
    chunk_size: ClassVar[int | None] = 8  #: Of a configuration with many items.
    #: Columns of the configurations of two such systems that one customer has.
    columns: ClassVar[tuple[Mapping[str, Any], Mapping[str, Any]]] = ({"chunk_size": 3}, {"chunk_size": 2})
    #: Settings of its channel beside those that the sandbox announces.
    settings: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def make(
        self, *, name: str = "", clock: Callable[[], float] = time.time, takes_twins: bool = False
    ) -> SandboxApplication:
        """Return a new one.

        Args:
            name: tells those of one customer apart.
            clock: returns epoch seconds.
            takes_twins: whether it takes a second course under a key that it has, which a real one refuses: whoever
                creates a course twice is then found out.
        """

    def visit(self, sandbox: Any, client: httpx.Client, customer: str) -> None:
        """Let one that comes to us do so, unless a fault keeps it from it.

        Args:
            client: with the address of our programs as its base URL.
            customer: UUID.
        """
        raise NotImplementedError(f"{self.code} waits to be called.")

    @abstractmethod
    def course(self, record: Mapping[str, Any]) -> Course:
        """Return a record of the sandbox's page ``content``."""

    @abstractmethod
    def texts(self, key: str, item: Item) -> tuple[str, ...]:
        """Return all texts of the course that stands for ``item``."""
