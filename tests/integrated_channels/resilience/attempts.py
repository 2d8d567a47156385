"""Invariants of the attempts recorded by a configuration's runs. They hold after any failure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count

from enterprise_catalog.integrated_channels.audit.transitions import (
    LAST_REJECTED_RETRY_SECONDS,
    MAX_FAILURES,
    REJECTED_RETRY_SECONDS,
    retry_delay_seconds,
)
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.models import TransmissionAttempt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun

#: Outcomes of items that were counted without a call to the LMS.
_WITHOUT_A_CALL: Final = frozenset({Outcome.UNCHANGED, Outcome.WITHDRAWN})
_FAILED: Final = frozenset({Outcome.RETRY, Outcome.REJECTED})
#: The greatest jitter value. Jitter shortens a retry delay.
_LONGEST_JITTER: Final = 1.0


def check_accounts(run: SyncRun) -> None:
    """Check that each attempt of a finished run has an outcome, and that the run's counts match its attempts."""
    assert run.finished_at is not None
    by_outcome = run.attempts.values_list("action", "outcome").annotate(number=Count("pk"))
    made = {(action, outcome): number for action, outcome, number in by_outcome}
    counted = {
        (action, outcome): number
        for action, outcomes in run.counts.items()
        for outcome, number in outcomes.items()
        if outcome not in _WITHOUT_A_CALL
    }
    assert made == counted


def check_back_off(
    configuration: ChannelConfiguration, *, asked_for: Mapping[str, int], left_at: Mapping[int, Collection[datetime]]
) -> int:
    """Check that no item was retried before its back-off ended. Return the number of retries.

    The back-off starts again when an item's task changes (another action, or another version of its content). It also
    starts again when the item left the catalogs and came back, because the item has to be shown again.

    Args:
        asked_for: text of an error message -> the pause in seconds that the LMS asked for with it.
        left_at: ID of a transmission -> times at which runs found that its item had left. Withdrawing an item that was
            never sent records no attempt.
    """
    attempts = TransmissionAttempt.objects.filter(transmission__configuration=configuration).order_by("pk")
    by_transmission: dict[int, list[TransmissionAttempt]] = defaultdict(list)
    for attempt in attempts:
        by_transmission[attempt.transmission_id].append(attempt)
    again = 0
    for transmission, in_order in by_transmission.items():
        for failure in _failures_tried_again(in_order, left_at.get(transmission, ())):
            assert failure.attempt.finished_at is not None
            earliest = failure.attempt.finished_at + failure.rest(asked_for)
            assert failure.next_one.started_at >= earliest, f"{failure} was tried again too soon"
            again += 1
    return again


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failed attempt, its number in a row of failures, and the next attempt of the same task."""

    attempt: TransmissionAttempt
    number: int
    next_one: TransmissionAttempt

    def rest(self, asked_for: Mapping[str, int]) -> timedelta:
        """Return the minimum time before the next attempt."""
        is_last = self.number >= MAX_FAILURES
        if self.attempt.outcome == Outcome.REJECTED:
            longest = LAST_REJECTED_RETRY_SECONDS if is_last else REJECTED_RETRY_SECONDS
            return timedelta(seconds=longest * (1 - _LONGEST_JITTER / 4))
        if is_last:
            return timedelta(days=36_500)  # A dead letter is never retried automatically.
        asked = max((seconds for text, seconds in asked_for.items() if text in self.attempt.message), default=None)
        return timedelta(seconds=retry_delay_seconds(self.number, jitter=_LONGEST_JITTER, retry_after_seconds=asked))


def _failures_tried_again(attempts: Iterable[TransmissionAttempt], left_at: Collection[datetime]) -> Iterable[_Failure]:
    """Yield each failure of one item that was followed by another attempt of the same task."""
    failure: TransmissionAttempt | None = None
    number = 0
    for attempt in attempts:
        if failure is None or _task(failure) != _task(attempt) or _is_between(left_at, failure, attempt):
            failure, number = None, 0
        else:
            yield _Failure(failure, number, attempt)
        if attempt.outcome in _FAILED:
            failure, number = attempt, number + 1
        elif attempt.outcome == Outcome.DONE:
            failure, number = None, 0


def _is_between(moments: Iterable[datetime], earlier: TransmissionAttempt, later: TransmissionAttempt) -> bool:
    return any(earlier.started_at <= moment <= later.started_at for moment in moments)


def _task(attempt: TransmissionAttempt) -> tuple[object, ...]:
    return attempt.action, attempt.content_updated_at
