"""Call the channel for one chunk; exactly one outcome per item, whatever happens.

A chunk is cut into parts, each of the batch size that suits the LMS at that moment (``pacing.py``). Parts are
independent of each other, and as many of them as the channel allows are under way at the same time. The calls of one
part are in ``parts.py``.
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels.channels.base import PushChannel
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
from enterprise_catalog.integrated_channels.pacing import Pacer
from enterprise_catalog.integrated_channels.parts import APPLY, Transmission, fill, part_of
from enterprise_catalog.integrated_channels.timing import Timing
from enterprise_catalog.integrated_channels.types import ItemResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.types import Outgoing, PlannedItem

#: So many parts in a row that got nothing but a passing failure say that the LMS is away, not that the items are bad.
SILENT_PARTS: Final = 3
#: How often the lease is looked after while parts are under way at the same time.
_HEARTBEAT_SECONDS: Final = 1.0


class Transmitter:
    """Brings one run's chunks to one LMS."""

    def __init__(
        self,
        channel: Channel[Any, Any],
        *,
        keep_lease: Callable[[], None] = lambda: None,
        timing: Timing | None = None,
    ) -> None:
        """Prepare calls; none is made yet.

        Args:
            keep_lease: called now and then while calls are under way at the same time, in the thread that sent them.
            timing: adapts batch sizes to the LMS; without it, each call is as large as the channel allows.
        """
        self._channel = channel
        self._keep_lease = keep_lease
        self._timing = timing or Timing(Pacer(most=channel.items_per_call, first=channel.items_per_call))
        self._silent_parts = 0  #: In a row.

    def items_per_call(self, items: Sequence[PlannedItem]) -> int:
        """Return how many of ``items`` the next call carries at most, as far as is known now."""
        return self._timing.pacer.size(self._kind_of(items))

    def transmit(self, items: Sequence[Outgoing]) -> Transmission:
        """Bring ``items`` to the LMS and return one result for each; what an LMS does never raises."""
        transmission = Transmission()
        try:
            self._transmit_parts(items, transmission)
        except StopSyncError as error:
            error.redact(self._channel.client.redacted)
            transmission.stopped_by = error
            outcome = Outcome.THROTTLED if isinstance(error, ThrottledError) else Outcome.SKIPPED
            fill(transmission.results, items, outcome, error)
        transmission.complete(self._channel.client.redacted)
        return transmission

    def _kind_of(self, items: Sequence[Outgoing] | Sequence[PlannedItem]) -> str:
        return items[0].action if items and isinstance(self._channel, PushChannel) else APPLY

    def _transmit_parts(self, items: Sequence[Outgoing], transmission: Transmission) -> None:
        parts = self._timing.pacer.parts(self._kind_of(items), items)
        if self._channel.parallel_calls == 1 or len(items) == 1:
            for part in parts:
                self._transmit_part(part, transmission)
            return
        with ThreadPoolExecutor(self._channel.parallel_calls) as pool:
            under_way = [pool.submit(self._transmit_part, part, transmission) for part in parts]
            try:
                self._wait_for(under_way)
            finally:
                # After an error none of the others begins; what has begun ends, and its results count.
                pool.shutdown(cancel_futures=True)

    def _wait_for(self, parts: Iterable[Future[None]]) -> None:
        pending = set(parts)
        while pending:
            done, pending = wait(pending, timeout=_HEARTBEAT_SECONDS, return_when=FIRST_EXCEPTION)
            for part in done:
                part.result()
            self._keep_lease()

    def _transmit_part(self, items: Sequence[Outgoing], transmission: Transmission) -> None:
        part = part_of(self._channel, transmission, self._timing)
        try:
            part.carry_out(items)
        except BudgetSpentError:
            # What takes more calls than there are would take as many the next time.
            part.note_halving([item for item in items if item.content_key not in transmission.results])
            raise
        except RetryableError as error:
            is_silent = not any(item.content_key in transmission.results for item in items)
            fill(transmission.results, items, Outcome.RETRY, error)
            if isinstance(error, DeadlineExceededError):
                raise RunDeadlineError if error.is_of_run else LMSTooSlowError(error.message) from error
            self._silent_parts = self._silent_parts + 1 if is_silent else 0
            if self._silent_parts >= SILENT_PARTS:
                reason = f"{self._silent_parts} calls in a row failed; the last reason: {error.message}"
                raise LMSUnavailableError(reason) from error
        else:
            self._silent_parts = 0


def staged(items: Sequence[Outgoing], *, in_feed: Collection[str]) -> Transmission:
    """Return what becomes of ``items`` where nothing is called: the LMS comes for them.

    Args:
        in_feed: their content keys, but for deletes of what the feed never had.
    """
    there = "In the feed; done when the learning system has fetched it."
    results = (
        ItemResult(item.content_key, Outcome.STAGED, message=there)
        if item.content_key in in_feed
        else ItemResult(item.content_key, Outcome.DONE, message="It was never in the feed.")
        for item in items
    )
    return Transmission({result.content_key: result for result in results})
