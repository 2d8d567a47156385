"""Call the channel for one chunk; exactly one outcome per item, whatever happens.

What holds for every LMS is said here once: what may be there already is looked for before it is created, a create of
what exists is an update, an update of what is gone is a create, a delete of what is gone is done, and a refused call is
halved until the culprit stands alone.

A chunk is cut into as many parts as the channel's calls need. Parts know nothing of each other, and so many of them as
the channel allows are under way at the same time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels.channels.base import PushChannel, UpsertChannel
from enterprise_catalog.integrated_channels.channels.results import failed
from enterprise_catalog.integrated_channels.exceptions import (
    BudgetSpentError,
    DeadlineExceededError,
    LMSTooSlowError,
    LMSUnavailableError,
    RejectedError,
    RejectedInDoubtError,
    RetryableError,
    RunDeadlineError,
    StopSyncError,
    SyncError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.types import Action, ItemResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.types import Outgoing

    Send = Callable[[Sequence[Outgoing]], Sequence[ItemResult]]

#: So many parts in a row that got nothing but a passing failure say that the LMS is away, not that the items are bad.
SILENT_PARTS: Final = 3
#: How often the lease is looked after while parts are under way at the same time.
_HEARTBEAT_SECONDS: Final = 1.0
_NO_ANSWER: Final = "The learning system's answer leaves it out."


@dataclass(slots=True)
class Transmission:
    """What became of a chunk's items."""

    results: dict[str, ItemResult] = field(default_factory=dict)  #: By content key; one per item.
    halvings: Counter[str] = field(default_factory=Counter)  #: By content key; see ``ItemResult``.
    begun: set[str] = field(default_factory=set)  #: Keys of creates that a call was begun for.
    stopped_by: StopSyncError | None = None  #: Set when nothing else of this run will work.

    def complete(self, redacted: Callable[[str], str]) -> None:
        """Say in the results of what is not done all that is known of it, and no secret, whatever a channel quotes."""
        for key, result in self.results.items():
            if result.outcome is not Outcome.DONE:
                self.results[key] = replace(
                    result,
                    vendor_code=redacted(result.vendor_code),
                    message=redacted(result.message),
                    may_have_been_created=key in self.begun,
                    halvings=self.halvings[key],
                )


class Transmitter:
    """Brings one run's chunks to one LMS."""

    def __init__(self, channel: Channel[Any, Any], *, keep_lease: Callable[[], None] = lambda: None) -> None:
        """Prepare calls; none is made yet.

        Args:
            keep_lease: called now and then while calls are under way at the same time, in the thread that sent them.
        """
        self._channel = channel
        self._keep_lease = keep_lease
        self._silent_parts = 0  #: In a row.

    def transmit(self, items: Sequence[Outgoing]) -> Transmission:
        """Bring ``items`` to the LMS and return one result for each; what an LMS does never raises."""
        transmission = Transmission()
        size = self._channel.items_per_call
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        try:
            self._transmit_parts(parts, transmission)
        except StopSyncError as error:
            error.redact(self._channel.client.redacted)
            transmission.stopped_by = error
            outcome = Outcome.THROTTLED if isinstance(error, ThrottledError) else Outcome.SKIPPED
            _fill(transmission.results, items, outcome, error)
        transmission.complete(self._channel.client.redacted)
        return transmission

    def _transmit_parts(self, parts: Sequence[Sequence[Outgoing]], transmission: Transmission) -> None:
        if len(parts) == 1 or self._channel.parallel_calls == 1:
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
        part = _part(self._channel, transmission)
        try:
            part.carry_out(items)
        except BudgetSpentError:
            # What takes more calls than there are would take as many the next time.
            part.note_halving([item for item in items if item.content_key not in transmission.results])
            raise
        except RetryableError as error:
            is_silent = not any(item.content_key in transmission.results for item in items)
            _fill(transmission.results, items, Outcome.RETRY, error)
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


def _part(channel: Channel[Any, Any], transmission: Transmission) -> _Part:
    match channel:
        case PushChannel():
            return _PushedPart(channel, transmission)
        case UpsertChannel():
            return _UpsertedPart(channel, transmission)
    raise AssertionError(f"{channel.label} is no channel that is called")


@dataclass(frozen=True, slots=True)
class _Part(ABC):
    """So many items as one call carries."""

    channel: Any
    transmission: Transmission

    @abstractmethod
    def carry_out(self, items: Sequence[Outgoing]) -> None:
        """Bring ``items`` to the LMS and note the results."""

    def _send(self, call: Send, items: Sequence[Outgoing]) -> None:
        """Send ``items`` and note what the LMS says of each."""
        self._in_halves(self._noting(call), items)

    def _gone(self, items: Iterable[Outgoing]) -> list[Outgoing]:
        """Return those of ``items`` that the LMS turned out not to have any more; they have no result then."""
        results = self.transmission.results
        gone = [item for item in items if results[item.content_key].outcome is Outcome.GONE]
        for item in gone:
            del results[item.content_key]
        return [replace(item, remote_id="") for item in gone]

    def note_halving(self, items: Sequence[Outgoing]) -> None:
        """Note that a call with all of ``items`` led to nothing."""
        if len(items) > 1:
            self.transmission.halvings.update(item.content_key for item in items)

    def _note_begun(self, items: Sequence[Outgoing]) -> None:
        self.transmission.begun.update(item.content_key for item in items)

    def _noting(self, call: Send) -> Callable[[Sequence[Outgoing]], None]:
        def send(items: Sequence[Outgoing]) -> None:
            answered = {result.content_key: result for result in call(items)}
            for item in items:
                no_answer = ItemResult(item.content_key, Outcome.RETRY, message=_NO_ANSWER)
                result = answered.get(item.content_key, no_answer)
                known = replace(result, remote_id=result.remote_id or item.remote_id)
                self.transmission.results[item.content_key] = known

        return send

    def _in_halves(self, call: Callable[[Sequence[Outgoing]], None], items: Sequence[Outgoing]) -> list[Outgoing]:
        """Call with ``items``, or with halves of what is refused until the culprits stand alone, and note these.

        Return the items that were not refused.
        """
        if not items:
            return []
        try:
            call(items)
        except RejectedError as error:
            self.note_halving(items)
            if len(items) == 1:
                self.transmission.results[items[0].content_key] = failed(items[0], error)
                return []
            middle = len(items) // 2
            return self._in_halves(call, items[:middle]) + self._in_halves(call, items[middle:])
        return list(items)


@dataclass(frozen=True, slots=True)
class _UpsertedPart(_Part):
    """Of an LMS that overwrites what it has, and needs no look."""

    channel: UpsertChannel[Any, Any]

    def carry_out(self, items: Sequence[Outgoing]) -> None:
        self._note_begun([item for item in items if item.action is Action.CREATE])
        self._send(self.channel.apply, items)
        for item in self._gone(items):
            self.transmission.results[item.content_key] = _gone_already(item)


@dataclass(frozen=True, slots=True)
class _PushedPart(_Part):
    """Of an LMS with a call for each action."""

    channel: PushChannel[Any, Any]

    def carry_out(self, items: Sequence[Outgoing]) -> None:
        [action] = {item.action for item in items}
        match action:
            case Action.CREATE:
                self._create(items)
            case Action.UPDATE:
                self._update(items)
            case Action.DELETE:
                self._delete(items)

    def _create(self, items: Sequence[Outgoing]) -> None:
        """Create what the LMS does not have; adopt what it has already under our keys."""
        unseen = [item for item in items if not item.may_be_there]
        refusal = self._create_unseen(unseen)
        absent = self._not_adopted([item for item in items if item.content_key not in self.transmission.results])
        if refusal is not None and absent == unseen:
            self._create_halves(absent, refusal)
        else:
            self._create_absent(absent)

    def _not_adopted(self, items: Sequence[Outgoing]) -> list[Outgoing]:
        """Look for ``items`` and update those that the LMS has; return those that it does not have."""
        present, absent = self._located(items)
        self._note_begun(present)
        self._send(self.channel.update, present)
        return absent + self._gone(present)

    def _create_absent(self, items: list[Outgoing]) -> None:
        """Create what was looked for in vain, or halves of it until those that are refused stand alone.

        What may have been made though it was refused is looked for once more before it is created in halves.
        """
        if not items:
            return
        try:
            self._noting(self._begin)(items)
        except RejectedError as error:
            self.note_halving(items)
            is_in_doubt = isinstance(error, RejectedInDoubtError) and len(items) > 1
            absent = self._not_adopted(items) if is_in_doubt else items
            if len(absent) == len(items):
                self._create_halves(absent, error)
            else:
                self._create_absent(absent)

    def _create_halves(self, items: list[Outgoing], error: RejectedError) -> None:
        """Go on after a create of all of ``items`` was refused, which is not made again."""
        if len(items) == 1:
            self.transmission.results[items[0].content_key] = failed(items[0], error)
            return
        middle = len(items) // 2
        self._create_absent(items[:middle])
        self._create_absent(items[middle:])

    def _begin(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        self._note_begun(items)
        results: Sequence[ItemResult] = self.channel.create(items)
        return results

    def _create_unseen(self, items: Sequence[Outgoing]) -> RejectedError | None:
        """Create what no earlier call of ours can have put there, in one call; return the error if it was refused.

        What is neither done nor refused by itself then has no result, and neither has any item of a call that was
        refused as a whole: it is to be looked for, since somebody else may have put it there.
        """
        if not items:
            return None
        results = self.transmission.results
        try:
            self._noting(self._begin)(items)
        except RejectedError as error:
            self.note_halving(items)
            return error
        for item in items:
            if results[item.content_key].outcome not in (Outcome.DONE, Outcome.REJECTED):
                del results[item.content_key]
        return None

    def _update(self, items: Sequence[Outgoing]) -> None:
        """Update what the LMS has; create again what it lost."""
        known = [item for item in items if item.remote_id]
        self._send(self.channel.update, known)
        lost = [item for item in items if not item.remote_id] + self._gone(known)
        self._create([replace(item, may_be_there=True) for item in lost])

    def _delete(self, items: Sequence[Outgoing]) -> None:
        """Delete what the LMS has; what it has neither under our id nor under our key is deleted already."""
        known = [item for item in items if item.remote_id]
        self._send(self.channel.delete, known)
        lost = [item for item in items if not item.remote_id] + self._gone(known)
        present, absent = self._located(lost)
        self._send(self.channel.delete, present)
        for item in absent + self._gone(present):
            self.transmission.results[item.content_key] = _gone_already(item)

    def _located(self, items: Sequence[Outgoing]) -> tuple[list[Outgoing], list[Outgoing]]:
        """Return the items that the LMS has, with its ids, and those that it does not have."""
        found: dict[str, str] = {}

        def find(part: Sequence[Outgoing]) -> None:
            found.update(self.channel.find([item.content_key for item in part]))

        answered = self._in_halves(find, items)
        present = [replace(item, remote_id=found[item.content_key]) for item in answered if item.content_key in found]
        return present, [replace(item, remote_id="") for item in answered if item.content_key not in found]


def _gone_already(item: Outgoing) -> ItemResult:
    return ItemResult(item.content_key, Outcome.DONE, message="It was not there any more.")


def _fill(results: dict[str, ItemResult], items: Iterable[Outgoing], outcome: Outcome, error: SyncError) -> None:
    """Give ``outcome`` to each item that has no result yet."""
    for item in items:
        if item.content_key not in results:
            results[item.content_key] = failed(item, error, outcome=outcome)
