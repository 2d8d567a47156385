"""Call the channel for one chunk; exactly one outcome per item, whatever happens.

What holds for every LMS is said here once: look before you create, a create of what exists is an update, an update of
what is gone is a create, a delete of what is gone is done, and a refused call is halved until the culprit stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels.exceptions import (
    RejectedError,
    RetryableError,
    StopSyncError,
    SyncError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.types import Action, ItemResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.types import Outgoing

    Send = Callable[[Sequence[Outgoing]], Sequence[ItemResult]]

_NO_ANSWER: Final = "The learning system's answer leaves it out."


@dataclass(slots=True)
class Transmission:
    """What became of a chunk's items."""

    results: dict[str, ItemResult] = field(default_factory=dict)  #: By content key; one per item.
    stopped_by: StopSyncError | None = None  #: Set when nothing else of this run will work.
    lms_is_silent: bool = False  #: Whether a passing failure was all that the LMS had to say.


def transmit(action: Action, items: Sequence[Outgoing], channel: Channel[Any, Any]) -> Transmission:
    """Bring ``items`` to the LMS and return one result for each; what an LMS does never raises."""
    transmission = Transmission()
    try:
        match action:
            case Action.CREATE:
                _create(items, channel, transmission.results)
            case Action.UPDATE:
                _update(items, channel, transmission.results)
            case Action.DELETE:
                _delete(items, channel, transmission.results)
    except StopSyncError as error:
        transmission.stopped_by = error
        outcome = Outcome.THROTTLED if isinstance(error, ThrottledError) else Outcome.SKIPPED
        _fill(transmission.results, items, outcome, error)
    except RetryableError as error:
        transmission.lms_is_silent = not transmission.results
        _fill(transmission.results, items, Outcome.RETRY, error)
    return transmission


def _create(items: Sequence[Outgoing], channel: Channel[Any, Any], results: dict[str, ItemResult]) -> None:
    """Create what the LMS does not have; adopt what it has already under our keys."""
    present, absent = _located(items, channel, results)
    _send(channel.update, present, results)
    _send(channel.create, absent + _gone(present, results), results)


def _update(items: Sequence[Outgoing], channel: Channel[Any, Any], results: dict[str, ItemResult]) -> None:
    """Update what the LMS has; create again what it lost."""
    known = [item for item in items if item.remote_id]
    _send(channel.update, known, results)
    _create([item for item in items if not item.remote_id] + _gone(known, results), channel, results)


def _delete(items: Sequence[Outgoing], channel: Channel[Any, Any], results: dict[str, ItemResult]) -> None:
    """Delete what the LMS has; what it does not have, neither under our id nor under our key, is deleted already."""
    known = [item for item in items if item.remote_id]
    _send(channel.delete, known, results)
    lost = [item for item in items if not item.remote_id] + _gone(known, results)
    present, absent = _located(lost, channel, results)
    _send(channel.delete, present, results)
    for item in absent + _gone(present, results):
        results[item.content_key] = ItemResult(item.content_key, Outcome.DONE, message="It was not there any more.")


def _located(
    items: Sequence[Outgoing], channel: Channel[Any, Any], results: dict[str, ItemResult]
) -> tuple[list[Outgoing], list[Outgoing]]:
    """Return the items that the LMS has, with its ids, and those that it does not have."""
    found: dict[str, str] = {}

    def find(part: Sequence[Outgoing]) -> None:
        found.update(channel.find([item.content_key for item in part]))

    answered = _in_halves(find, items, results)
    present = [replace(item, remote_id=found[item.content_key]) for item in answered if item.content_key in found]
    return present, [replace(item, remote_id="") for item in answered if item.content_key not in found]


def _gone(items: Iterable[Outgoing], results: dict[str, ItemResult]) -> list[Outgoing]:
    """Return those of ``items`` that the LMS turned out not to have any more."""
    return [replace(item, remote_id="") for item in items if results[item.content_key].outcome is Outcome.GONE]


def _send(call: Send, items: Sequence[Outgoing], results: dict[str, ItemResult]) -> None:
    """Send ``items`` and note what the LMS says of each."""

    def send(part: Sequence[Outgoing]) -> None:
        answered = {result.content_key: result for result in call(part)}
        for item in part:
            no_answer = ItemResult(item.content_key, Outcome.RETRY, message=_NO_ANSWER)
            result = answered.get(item.content_key, no_answer)
            results[item.content_key] = replace(result, remote_id=result.remote_id or item.remote_id)

    _in_halves(send, items, results)


def _in_halves(
    call: Callable[[Sequence[Outgoing]], None], items: Sequence[Outgoing], results: dict[str, ItemResult]
) -> list[Outgoing]:
    """Call with ``items``, or with halves of what is refused until the culprits stand alone, and note these.

    Return the items that were not refused.
    """
    if not items:
        return []
    try:
        call(items)
    except RejectedError as error:
        if len(items) == 1:
            results[items[0].content_key] = _failure(items[0], Outcome.REJECTED, error)
            return []
    else:
        return list(items)
    middle = len(items) // 2
    return _in_halves(call, items[:middle], results) + _in_halves(call, items[middle:], results)


def _fill(results: dict[str, ItemResult], items: Iterable[Outgoing], outcome: Outcome, error: SyncError) -> None:
    """Give ``outcome`` to each item that has no final result yet."""
    for item in items:
        result = results.get(item.content_key)
        if result is None or result.outcome is Outcome.GONE:
            results[item.content_key] = _failure(item, outcome, error)


def _failure(item: Outgoing, outcome: Outcome, error: SyncError) -> ItemResult:
    return ItemResult(
        item.content_key,
        outcome,
        status_code=error.status_code,
        vendor_code=error.vendor_code,
        message=error.message,
        retry_after_seconds=error.retry_after_seconds if isinstance(error, RetryableError) else None,
    )
