"""Sends one chunk through the channel; exactly one result per item, also after errors.

A chunk is cut into parts of the batch size that currently suits the LMS (``pacing.py``). Parts are independent, and the
channel may send several at the same time (``parallel_calls``). ``parts.py`` makes the calls of one part.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.audit.pacing import Pacer
from enterprise_catalog.integrated_channels.channels.base import PushChannel
from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome
from enterprise_catalog.integrated_channels.exceptions import (
    BudgetSpentError,
    DeadlineExceededError,
    LMSTooSlowError,
    LMSUnavailableError,
    RetryableError,
    RunDeadlineError,
    StopSyncError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.sync.parts import APPLY, Transmission, fill, part_of
from enterprise_catalog.integrated_channels.sync.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import Outgoing, PlannedItem

#: After this many parts in a row with only temporary failures, the LMS counts as unreachable.
MAX_CONSECUTIVE_FAILURES: Final = 3
#: Interval at which the lease is checked while parallel calls are in progress, in seconds.
_HEARTBEAT_SECONDS: Final = 1.0


class Transmitter:
    """Sends one run's chunks to one LMS."""

    def __init__(
        self,
        channel: Channel,
        *,
        renew_if_due: Callable[[], None] = lambda: None,
        timing: Timing | None = None,
    ) -> None:
        """Create a transmitter. Makes no call yet.

        Args:
            renew_if_due: called once a second while parallel calls are in progress, in the thread that started them.
            timing: adapts batch sizes to the LMS; without it, each call is as large as the channel allows.
        """
        self._channel = channel
        self._keep_lease = renew_if_due
        self._timing = timing or Timing(Pacer(most=channel.items_per_call, first=channel.items_per_call))
        self._lock = threading.Lock()
        self._silent_parts = 0  #: In a row.

    def items_per_call(self, items: Sequence[PlannedItem]) -> int:
        """Return the maximum number of ``items`` in the next call, at the current batch size."""
        return self._timing.pacer.size(self._kind_of(items))

    def is_parallel(self, items: Sequence[Outgoing]) -> bool:
        """Return True if :meth:`transmit` sends ``items`` in threads."""
        return self._channel.parallel_calls > 1 and len(items) > 1

    def transmit(self, items: Sequence[Outgoing], *, meanwhile: Callable[[], None] = lambda: None) -> Transmission:
        """Send ``items`` to the LMS and return one result for each. Errors of the LMS become results.

        Args:
            meanwhile: called once if the items are sent in threads, after the first calls have started.
        """
        transmission = Transmission()
        try:
            self._transmit_parts(items, transmission, meanwhile)
        except StopSyncError as error:
            error.redact(self._channel.client.redacted)
            transmission.stopped_by = error
            outcome = Outcome.THROTTLED if isinstance(error, ThrottledError) else Outcome.SKIPPED
            fill(transmission.results, items, outcome, error)
        transmission.complete(self._channel.client.redacted)
        return transmission

    def _kind_of(self, items: Sequence[Outgoing] | Sequence[PlannedItem]) -> str:
        return items[0].action if items and isinstance(self._channel, PushChannel) else APPLY

    def _transmit_parts(
        self, items: Sequence[Outgoing], transmission: Transmission, meanwhile: Callable[[], None]
    ) -> None:
        parts = self._timing.pacer.parts(self._kind_of(items), items)
        if not self.is_parallel(items):
            for part in parts:
                self._transmit_part(part, transmission)
            return
        with ThreadPoolExecutor(self._channel.parallel_calls) as pool:
            under_way = [pool.submit(self._transmit_part, part, transmission) for part in parts]
            try:
                meanwhile()
                self._wait_for(under_way)
            finally:
                # After an error, no further part starts. Parts that have started end, and their results count.
                pool.shutdown(cancel_futures=True)

    def _wait_for(self, parts: Iterable[Future[None]]) -> None:
        pending = set(parts)
        while pending:
            done, pending = wait(pending, timeout=_HEARTBEAT_SECONDS, return_when=FIRST_EXCEPTION)
            for part in done:
                part.result()
            self._keep_lease()

    def _transmit_part(self, items: Sequence[Outgoing], transmission: Transmission) -> None:
        # A part can start between an error in another thread and the shutdown of the pool.
        if transmission.stopped_by is not None:
            raise transmission.stopped_by
        try:
            self._carry_out(items, transmission)
        except StopSyncError as error:
            transmission.stopped_by = error
            raise

    def _carry_out(self, items: Sequence[Outgoing], transmission: Transmission) -> None:
        part = part_of(self._channel, transmission, self._timing)
        try:
            part.carry_out(items)
        except BudgetSpentError:
            # Otherwise these items would need as many calls again in the next run.
            part.note_split([item for item in items if item.content_key not in transmission.results])
            raise
        except RetryableError as error:
            is_silent = not any(item.content_key in transmission.results for item in items)
            fill(transmission.results, items, Outcome.RETRY, error)
            if isinstance(error, DeadlineExceededError):
                raise RunDeadlineError if error.is_of_run else LMSTooSlowError(error.message) from error
            if self._count_silence(is_silent=is_silent) >= MAX_CONSECUTIVE_FAILURES:
                reason = f"{MAX_CONSECUTIVE_FAILURES} calls in a row failed. Last error: {error.message}"
                raise LMSUnavailableError(reason) from error
        else:
            self._count_silence(is_silent=False)

    def _count_silence(self, *, is_silent: bool) -> int:
        """Return the number of silent parts in a row, with one that has just ended. Parts may end at the same time."""
        with self._lock:
            self._silent_parts = self._silent_parts + 1 if is_silent else 0
            return self._silent_parts


def staged(items: Sequence[Outgoing], *, in_feed: Collection[str]) -> Transmission:
    """Return the results of items that were put into the feed. Nothing is sent: the LMS fetches them.

    Args:
        in_feed: content keys of the items; deletes of items that were never in the feed are missing.
    """
    there = "In the feed, waiting for the LMS to fetch it."
    results = (
        ItemResult(item.content_key, Outcome.STAGED, message=there)
        if item.content_key in in_feed
        else ItemResult(item.content_key, Outcome.DONE, message="The item was never in the feed.")
        for item in items
    )
    return Transmission({result.content_key: result for result in results})
