"""Deletes any number of old rows in short transactions, within a time limit (docs/decisions/0035)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from enterprise_catalog.db.contention import retry
from enterprise_catalog.db.keyset import keyset_pages

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: Rows deleted by one transaction.
ROWS_PER_TRANSACTION: Final = 1_000
#: Time limit of a task that deletes rows. It then queues itself again, behind the tasks that are waiting.
SLICE_SECONDS: Final = 300.0


@dataclass
class BatchedDeletes:
    """Deletes batches of rows until a time limit. The next object continues where it ended.

    After each transaction it pauses as long as the transaction took: for other transactions, for the purge of the
    deleted rows, and for replicas.
    """

    seconds: float  #: Time limit of all deletes together, counted from the creation of this object.
    removed: int = 0  #: Number of deleted rows so far.
    is_complete: bool = True  #: False if the time limit left old rows for the next time.
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    def delete(
        self, old: QuerySet[Any], *, only: Q | None = None, parts: tuple[QuerySet[Any], str] | None = None
    ) -> None:
        """Delete rows, the oldest first; each statement reads and deletes a batch. Safe to repeat.

        Args:
            old: in the order of an index, whose last column is the primary key. The condition is a range of this index.
            only: condition of the rows to delete, for conditions that are in no index; ``None`` for all.
            parts: rows that belong to the others, and the name of their foreign key. They are deleted before them.

        Raises:
            ContentionError: other transactions blocked a batch for too long; earlier batches are deleted.
        """
        for page in keyset_pages(old, "pk", size=ROWS_PER_TRANSACTION):
            if self._is_over():
                return
            batch = old.model._default_manager.filter(only or Q(), pk__in=[row["pk"] for row in page])
            if ids := list(batch.values_list("pk", flat=True)):
                if parts and not self._delete_parts(parts[0].filter(**{f"{parts[1]}__in": ids})):
                    return
                self.delete_batch(old.model._default_manager.filter(pk__in=ids))

    def _delete_parts(self, parts: QuerySet[Any]) -> bool:
        """Delete all rows; return False if there was no time for all."""
        while ids := list(parts.values_list("pk", flat=True)[:ROWS_PER_TRANSACTION]):
            if not self.delete_batch(parts.model._default_manager.filter(pk__in=ids)):
                return False
        return True

    def delete_batch(self, rows: QuerySet[Any]) -> bool:
        """Delete all rows in one transaction, and pause; return False, without a change, if the time is over.

        Raises:
            ContentionError: other transactions blocked this one for too long; it has deleted nothing.
        """
        if self._is_over():
            return False
        began = time.monotonic()
        self.removed += retry(partial(rows.delete))[0]
        time.sleep(time.monotonic() - began)
        return True

    def _is_over(self) -> bool:
        if time.monotonic() >= self._end:
            self.is_complete = False
        return not self.is_complete
