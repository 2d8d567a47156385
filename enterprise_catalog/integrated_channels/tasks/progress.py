"""The progress of an operation, written by its worker. A worker that has lost its operation writes nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from django.db import transaction
from django.db.models import Q

from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, insert
from enterprise_catalog.integrated_channels.lms.stopping import check_stop
from enterprise_catalog.integrated_channels.models import Operation, OperationItem, OperationState
from enterprise_catalog.integrated_channels.models.operations import MAX_SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

#: Shortest time between two writes that only report progress.
REPORT_INTERVAL: Final = timedelta(seconds=1)


class OperationLostError(Exception):
    """Another worker has taken over the operation, or it was removed."""


@dataclass(slots=True)
class Progress:
    """A worker's right to carry out an operation, and to write its progress."""

    operation: Operation
    clock: Callable[[], datetime]
    reported_at: datetime

    @classmethod
    def begin(cls, operation_id: int, *, clock: Callable[[], datetime]) -> Self | None:
        """Take an operation that waits, or whose worker stopped; return ``None`` if there is nothing to take."""
        now = clock()
        free = Q(state=OperationState.WAITING) | Q(state=OperationState.RUNNING, seen_at__lt=now - MAX_SILENCE)
        taken = Operation.objects.filter(free, pk=operation_id)
        if not taken.update(state=OperationState.RUNNING, started_at=now, seen_at=now):
            return None
        operation = Operation.objects.select_related("configuration", "decision").get(pk=operation_id)
        return cls(operation, clock, reported_at=now)

    def report(self, done: int | None = None) -> None:
        """Report a sign of life, and the number of items that are done; at most once a second.

        Raises:
            StopRequestedError: the worker is shutting down.
            OperationLostError: another worker has taken over.
        """
        check_stop()
        if self.clock() - self.reported_at >= REPORT_INTERVAL:
            self.write(**({} if done is None else {"done": done}))

    def write(self, **changes: object) -> None:
        """Change columns of the operation. In a transaction, this also keeps other workers out until its end.

        Raises:
            OperationLostError: another worker has taken over.
        """
        self.reported_at = now = self.clock()
        held = Operation.objects.filter(
            pk=self.operation.pk, state=OperationState.RUNNING, started_at=self.operation.started_at
        )
        if not held.update(seen_at=now, **changes):
            raise OperationLostError
        for name, value in changes.items():
            setattr(self.operation, name, value)

    def store(self, items: Sequence[OperationItem]) -> None:
        """Replace the operation's items, in batches of 1,000, one transaction each."""
        self.operation.found.all().delete()
        self.write(done=0, total=len(items))
        for start in range(0, len(items), ROWS_PER_STATEMENT):
            batch = items[start : start + ROWS_PER_STATEMENT]
            with transaction.atomic():
                self.write(done=start + len(batch))
                insert(batch)

    def end(self, state: OperationState, message: str = "") -> None:
        """End the operation.

        Raises:
            OperationLostError: another worker has taken over.
        """
        self.write(state=state, message=message, finished_at=self.clock())

    def release(self) -> None:
        """Let another worker begin the operation: this one is shutting down."""
        self.write(state=OperationState.WAITING, started_at=None)
