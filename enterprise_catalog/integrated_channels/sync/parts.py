"""One part of a chunk: as many items as one call carries, and all calls that bring them to the LMS.

Rules for all LMSs:

* An item that may already exist is looked up before it is created.
* A create of an existing item becomes an update; an update of a missing item becomes a create.
* A delete of a missing item is done.
* A rejected call is split in halves until the rejected item is alone.
* After a call that timed out, the engine waits until the LMS has finished it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels.base import PushChannel, UpsertChannel
from enterprise_catalog.integrated_channels.channels.results import failed
from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outcome
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    DeadlineExceededError,
    LMSUnavailableError,
    RejectedError,
    RejectedForNowError,
    RejectedInDoubtError,
    RetryableError,
    ThrottledError,
    TimedOutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import Outgoing
    from enterprise_catalog.integrated_channels.exceptions import StopSyncError, SyncError
    from enterprise_catalog.integrated_channels.sync.timing import TimedCall, Timing

    Send = Callable[[Sequence[Outgoing]], Sequence[ItemResult]]

_NO_RESULT: Final = "The LMS's response does not contain this item."
#: Errors that mean that an atomic call was not applied, except for ``RejectedInDoubtError``.
_NOT_APPLIED: Final = (RejectedError, CredentialsError, ConfigurationError, ThrottledError)
#: Consecutive calls that were rejected for now, and took this long together, were waiting for a lock; in seconds.
LOCK_SECONDS: Final = 30.0
#: The kind of a call that carries several actions. Every other kind is named after its action.
APPLY: Final = "apply"


@dataclass(slots=True)
class Transmission:
    """The results of a chunk's items."""

    results: dict[str, ItemResult] = field(default_factory=dict)  #: By content key; one per item.
    splits: Counter[str] = field(default_factory=Counter)  #: By content key; see ``ItemResult``.
    begun: set[str] = field(default_factory=set)  #: Keys of items for which a create was started.
    stopped_by: StopSyncError | None = None  #: Set when nothing else in this run will work.

    def complete(self, redacted: Callable[[str], str]) -> None:
        """Add ``may_have_been_created`` and ``splits`` to results that are not done, and redact their texts."""
        for key, result in self.results.items():
            if result.outcome is not Outcome.DONE:
                self.results[key] = replace(
                    result,
                    vendor_code=redacted(result.vendor_code),
                    message=redacted(result.message),
                    may_have_been_created=key in self.begun,
                    splits=self.splits[key],
                )


def part_of(channel: Channel, transmission: Transmission, timing: Timing) -> _Part:
    """Return the handler of a chunk's parts for ``channel``."""
    match channel:
        case PushChannel():
            return _PushedPart(channel, transmission, timing)
        case UpsertChannel():
            return _UpsertedPart(channel, transmission, timing)
    raise AssertionError(f"{channel.label} does not make calls")


@dataclass(frozen=True, slots=True)
class _Part(ABC):
    """Handler of a part: as many items as one call carries."""

    channel: object
    transmission: Transmission
    timing: Timing
    #: Durations of the consecutive calls that were rejected for now, in seconds.
    refused_seconds: list[float] = field(default_factory=list, init=False)

    @abstractmethod
    def carry_out(self, items: Sequence[Outgoing]) -> None:
        """Send ``items`` to the LMS and record the results."""

    def _send(self, kind: str, call: Send, items: Sequence[Outgoing]) -> None:
        """Send ``items`` in batches and record the result of each item."""
        for part in self.timing.pacer.parts(kind, items):
            self._in_halves(self._recording(kind, call), part)

    def _pop_gone(self, items: Iterable[Outgoing]) -> list[Outgoing]:
        """Return the items that the LMS no longer has, and remove their results."""
        results = self.transmission.results
        gone = [item for item in items if results[item.content_key].outcome is Outcome.GONE]
        for item in gone:
            del results[item.content_key]
        return [replace(item, remote_id="") for item in gone]

    def note_split(self, items: Sequence[Outgoing]) -> None:
        """Count a split for each of ``items``, if there are several: the call with all of them had no result."""
        if len(items) > 1:
            self.transmission.splits.update(item.content_key for item in items)

    def _note_begun(self, items: Sequence[Outgoing]) -> None:
        self.transmission.begun.update(item.content_key for item in items)

    def _recording(self, kind: str, call: Send) -> Callable[[Sequence[Outgoing]], None]:
        def send(items: Sequence[Outgoing]) -> None:
            results = {result.content_key: result for result in self._time_call(kind, call, items)}
            for item in items:
                no_result = ItemResult(item.content_key, Outcome.RETRY, message=_NO_RESULT)
                result = results.get(item.content_key, no_result)
                known = replace(result, remote_id=result.remote_id or item.remote_id)
                self.transmission.results[item.content_key] = known

        return send

    def _time_call(self, kind: str, call: Send, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Make one call, and adapt the batch size to its duration."""
        timed = self.timing.start(kind, items=len(items))
        try:
            results = call(items)
        except TimedOutError as error:
            timed.end(has_response=False)
            if self.timing.pacer.most == 1:  # No need to wait: the next call has another item.
                raise
            return self._after_timeout(timed, items, error)
        except DeadlineExceededError as error:
            if not error.is_of_run:
                timed.end(has_response=False)
            raise
        except RejectedForNowError as error:
            self._note_refused_for_now(timed.seconds, error)
            raise
        timed.end()
        self.refused_seconds.clear()
        return results

    def _note_refused_for_now(self, seconds: float, error: RejectedForNowError) -> None:
        """Record the duration of a call that an invalid item or a database lock caused to fail.

        An invalid item is rejected at once; a lock, after the database has waited for it (InnoDB: 50 seconds).

        Raises:
            RetryableError: it was a lock; halves would only wait again.
        """
        self.refused_seconds.append(seconds)
        if sum(self.refused_seconds) >= LOCK_SECONDS:
            raise RetryableError(error.message, status_code=error.status_code, vendor_code=error.vendor_code) from error

    def _after_timeout(self, timed: TimedCall, items: Sequence[Outgoing], error: TimedOutError) -> Sequence[ItemResult]:
        """Return the results of a call that timed out, once the LMS should have finished it.

        Without a look-up, the engine waits as long again as the call has taken so far.

        Raises:
            TimedOutError: the given error; the results are unknown.
        """
        del items
        self.timing.pause(timed.seconds)
        raise error

    def _in_halves(self, call: Callable[[Sequence[Outgoing]], None], items: Sequence[Outgoing]) -> list[Outgoing]:
        """Call with ``items``; split rejected calls until each rejected item is alone, and record its result.

        Return the items that were not rejected.
        """
        if not items:
            return []
        try:
            call(items)
        except RejectedError as error:
            self.note_split(items)
            if len(items) == 1:
                self.transmission.results[items[0].content_key] = failed(items[0], error)
                return []
            middle = len(items) // 2
            return self._in_halves(call, items[:middle]) + self._in_halves(call, items[middle:])
        return list(items)


@dataclass(frozen=True, slots=True)
class _UpsertedPart(_Part):
    """Handler for an LMS that overwrites existing items and needs no look-up."""

    channel: UpsertChannel

    def carry_out(self, items: Sequence[Outgoing]) -> None:
        self._note_begun([item for item in items if item.action is Action.CREATE])
        self._send(APPLY, self.channel.apply, items)
        for item in self._pop_gone(items):
            self.transmission.results[item.content_key] = _gone_already(item)


@dataclass(frozen=True, slots=True)
class _PushedPart(_Part):
    """Handler for an LMS with one call per action."""

    channel: PushChannel

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
        """Create items that the LMS does not have; adopt items that it already has under their keys."""
        unseen = [item for item in items if not item.may_be_there]
        refusal = self._create_unseen(unseen)
        if isinstance(refusal, RejectedForNowError):  # Not caused by existing items, so no look-up is needed.
            self._create_halves(unseen, refusal)
        absent = self._adopt_existing([item for item in items if item.content_key not in self.transmission.results])
        if refusal is not None and absent == unseen:
            self._create_halves(absent, refusal)
        else:
            self._create_absent(absent)

    def _adopt_existing(self, items: Sequence[Outgoing]) -> list[Outgoing]:
        """Look up ``items`` and update the existing ones; return the missing ones."""
        present, absent = self._locate(items)
        self._note_begun(present)
        self._send(Action.UPDATE, self.channel.update, present)
        return absent + self._pop_gone(present)

    def _create_absent(self, items: list[Outgoing]) -> None:
        """Create items that the LMS does not have; split rejected calls until each rejected item is alone.

        Items that may have been created by a rejected call are looked up before they are created in halves.
        """
        for part in self.timing.pacer.parts(Action.CREATE, items):
            self._create_part(list(part))

    def _create_part(self, items: list[Outgoing]) -> None:
        if (error := self._try_create(items)) is not None:
            is_in_doubt = isinstance(error, RejectedInDoubtError) and len(items) > 1
            absent = self._adopt_existing(items) if is_in_doubt else items
            if len(absent) == len(items):
                self._create_halves(absent, error)
            else:
                self._create_absent(absent)

    def _create_halves(self, items: list[Outgoing], error: RejectedError) -> None:
        """Continue after a create of all ``items`` was rejected. That call is not repeated."""
        if len(items) == 1:
            self.transmission.results[items[0].content_key] = failed(items[0], error)
            return
        middle = len(items) // 2
        self._create_absent(items[:middle])
        self._create_absent(items[middle:])

    def _try_create(self, items: Sequence[Outgoing]) -> RejectedError | None:
        """Create ``items`` in one call; return the error if the call was rejected."""
        try:
            self._recording(Action.CREATE, self._create_and_note)(items)
        except RejectedError as error:
            self.note_split(items)
            return error
        return None

    def _create_and_note(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create ``items``, and record which of them the LMS may have now."""
        unknown_before = {item.content_key for item in items if item.content_key in self.transmission.begun}
        self._note_begun(items)
        try:
            results: Sequence[ItemResult] = self.channel.create(items)
        except _NOT_APPLIED as error:
            if self.channel.is_atomic and not isinstance(error, RejectedInDoubtError):
                self._note_not_begun(items, but=unknown_before)
            raise
        if self.channel.is_atomic:
            refused = {result.content_key for result in results if result.outcome is Outcome.REJECTED}
            self._note_not_begun([item for item in items if item.content_key in refused], but=unknown_before)
        return results

    def _note_not_begun(self, items: Iterable[Outgoing], *, but: set[str]) -> None:
        """Record that a call with ``items`` created nothing. Items of ``but``, from earlier calls, stay in doubt."""
        self.transmission.begun.difference_update({item.content_key for item in items} - but)

    def _after_timeout(self, timed: TimedCall, items: Sequence[Outgoing], error: TimedOutError) -> Sequence[ItemResult]:
        """Wait until the LMS has finished a create that timed out, and adopt the items that it has created.

        The look-up asks for the last item, because an LMS creates the items of a call in order, or all at once.

        Raises:
            LMSUnavailableError: the LMS has not finished in time; the next runs retry the items.
            TimedOutError: the given error, if the call was not a create.
        """
        if timed.kind != Action.CREATE:
            self.timing.pause(timed.seconds)
            raise error
        results, last = self.transmission.results, items[-1].content_key
        fill(results, items, Outcome.RETRY, error)
        if not self.timing.has_finished(lambda: last in self.channel.find([last]), timed_out_after=timed.seconds):
            waited = f"{timed.seconds:,.0f} seconds"
            carried = f"{len(items):,} items" if len(items) > 1 else "1 item"
            message = f"A call with {carried} timed out, and the LMS did not complete it within {waited}."
            raise LMSUnavailableError(message) from error
        timed.end()
        present, absent = self._locate(items)
        self._send(Action.UPDATE, self.channel.update, present)
        for item in absent + self._pop_gone(present):
            results[item.content_key] = failed(item, error)
        return [results[item.content_key] for item in items]

    def _create_unseen(self, items: Sequence[Outgoing]) -> RejectedError | None:
        """Create items that no earlier call of ours can have created, in one call; return the error if it was rejected.

        Afterwards, an item that was neither done nor rejected individually has no result. Neither has any item of a
        call that was rejected as a whole. Such items must be looked up, because another client may have created them.
        """
        if not items:
            return None
        results = self.transmission.results
        if (error := self._try_create(items)) is not None:
            return error
        for item in items:
            if results[item.content_key].outcome not in (Outcome.DONE, Outcome.REJECTED):
                del results[item.content_key]
        return None

    def _update(self, items: Sequence[Outgoing]) -> None:
        """Update existing items; create missing items again."""
        known = [item for item in items if item.remote_id]
        self._send(Action.UPDATE, self.channel.update, known)
        lost = [item for item in items if not item.remote_id] + self._pop_gone(known)
        self._create([replace(item, may_be_there=True) for item in lost])

    def _delete(self, items: Sequence[Outgoing]) -> None:
        """Delete existing items. An item that the LMS finds neither by id nor by key is already deleted."""
        known = [item for item in items if item.remote_id]
        self._send(Action.DELETE, self.channel.delete, known)
        lost = [item for item in items if not item.remote_id] + self._pop_gone(known)
        present, absent = self._locate(lost)
        self._send(Action.DELETE, self.channel.delete, present)
        for item in absent + self._pop_gone(present):
            self.transmission.results[item.content_key] = _gone_already(item)

    def _locate(self, items: Sequence[Outgoing]) -> tuple[list[Outgoing], list[Outgoing]]:
        """Return the items that the LMS has, with its ids, and the items that it does not have."""
        found: dict[str, str] = {}

        def find(part: Sequence[Outgoing]) -> None:
            found.update(self.channel.find([item.content_key for item in part]))

        looked_up = self._in_halves(find, items)
        present = [replace(item, remote_id=found[item.content_key]) for item in looked_up if item.content_key in found]
        return present, [replace(item, remote_id="") for item in looked_up if item.content_key not in found]


def _gone_already(item: Outgoing) -> ItemResult:
    return ItemResult(item.content_key, Outcome.DONE, message="The item no longer existed in the LMS.")


def fill(results: dict[str, ItemResult], items: Iterable[Outgoing], outcome: Outcome, error: SyncError) -> None:
    """Give ``outcome`` to each item that has no result yet, or was gone and has not been created again."""
    for item in items:
        result = results.get(item.content_key)
        if result is None or result.outcome is Outcome.GONE:
            results[item.content_key] = failed(item, error, outcome=outcome)
