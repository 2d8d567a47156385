"""Events that users are notified of: opened and resolved by runs, and by a periodic check.

A run writes the events that it causes in its last transaction. The check finds what the end of a run does not show: a
configuration that is late, decisions about held deletes, and paused configurations. Both only write rows;
``reporting/notifications`` reads ``next_step_at`` and notifies the subscribers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce

from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.db.time_arithmetic import MinutesBefore
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import StopCause
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    EventKind,
    Notification,
    Resolution,
    RunState,
    Status,
)
from enterprise_catalog.integrated_channels.models.configurations import MIN_GOAL_MINUTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

#: Causes that end only with an action of an operator or the customer.
_NEEDS_ACTION: Final = (StopCause.CREDENTIALS, StopCause.CONFIGURATION)
#: Causes that do not show whether the LMS accepts calls.
_PROVES_NOTHING: Final = (StopCause.REQUESTED, StopCause.THROTTLED)
#: Outcomes that show that the LMS is working.
_RESPONSES: Final = frozenset({Outcome.DONE, Outcome.STAGED, Outcome.REJECTED})
#: The kinds that mean that runs stop.
STOPS: Final = (EventKind.STOPPED, EventKind.UNREACHABLE)
_CONFIGURATIONS_PER_TRANSACTION: Final = 100
#: States of a configuration with items that are due.
_WITH_DUE_ITEMS: Final = [Status.FAILING.rank, Status.NEEDS_DECISION.rank, Status.BEHIND.rank]


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The part of a run's result that events follow from."""

    state: str
    stop_cause: str
    reason: str
    outcomes: Collection[str]  #: The outcomes of the run's items.
    failing: int  #: Items that failed temporarily, in this run or an earlier one.
    held: int  #: Items whose deletes are held.
    due_since: datetime | None  #: See ``ConfigurationStatus.due_since``.

    @property
    def stop(self) -> EventKind | None:
        """The event that the end of the run means; ``None`` if the LMS accepted calls, or the run proves nothing."""
        if self.stop_cause in _PROVES_NOTHING:
            return None
        if self.stop_cause in _NEEDS_ACTION:
            return EventKind.STOPPED
        # A run with few items reaches its end even if all of them failed.
        has_only_failures = Outcome.RETRY in self.outcomes and not self._has_response
        return EventKind.UNREACHABLE if self.state == RunState.STOPPED or has_only_failures else None

    @property
    def has_gone_on(self) -> bool:
        """True if the run proves that syncs continue. A run without calls does if no item waits for a retry."""
        is_at_end = self.stop is None and self.stop_cause not in _PROVES_NOTHING
        return is_at_end and (self._has_response or not self.failing)

    @property
    def _has_response(self) -> bool:
        return not _RESPONSES.isdisjoint(self.outcomes)


def record_run(configuration_id: int, end: RunEnd, *, now: datetime) -> None:
    """Open and resolve events at the end of a run, in its last transaction. Safe to repeat."""
    rows = Notification.objects.filter(configuration=configuration_id, is_open=True)
    opened = list(rows.values_list("kind", "pk", "configuration__freshness_goal_minutes"))
    found = {kind: pk for kind, pk, _ in opened}
    goal = opened[0][2] if opened else None
    stop = end.stop
    # A run that stops for another cause does not repeat the message. But lost credentials need an action.
    if stop is not None and stop not in found and EventKind.STOPPED not in found:
        grace = timedelta(0) if stop is EventKind.STOPPED else timedelta(minutes=settings.NOTIFY_OUTAGE_MINUTES)
        _event(configuration_id, stop, now=now, announce_at=now + grace, reason=end.reason).save()
    if end.held and EventKind.HELD not in found:
        _event(configuration_id, EventKind.HELD, now=now, announce_at=now, items=end.held).save()
    if stop is EventKind.STOPPED and EventKind.UNREACHABLE in found:
        resolve([found[EventKind.UNREACHABLE]], Resolution.REPLACED, now=now)
    is_late = end.due_since is not None and end.due_since < now - freshness_goal(goal)
    over = {
        EventKind.STOPPED: end.has_gone_on,
        EventKind.UNREACHABLE: end.has_gone_on,
        EventKind.HELD: not end.held,
        EventKind.LATE: end.has_gone_on and not is_late,
    }
    resolve([pk for kind, pk in found.items() if over[EventKind(kind)]], Resolution.RECOVERED, now=now)


def _event(
    configuration_id: int, kind: EventKind, *, now: datetime, announce_at: datetime, reason: str = "", items: int = 0
) -> Notification:
    return Notification(
        configuration_id=configuration_id,
        kind=kind,
        opened_at=now,
        next_step_at=announce_at,
        reason=reason,
        items=items,
    )


def resolve(ids: Collection[int], resolution: Resolution, *, now: datetime) -> None:
    """End open events. Subscribers are notified of a recovery, if the beginning of the event was announced."""
    if not ids:
        return
    is_silent = resolution is not Resolution.RECOVERED
    next_step = None if is_silent else Case(When(announced_at__isnull=False, then=Value(now)), default=None)
    with_keys(Notification.objects.all(), ids, is_open=True).update(
        next_step_at=next_step, resolved_at=now, resolution=resolution
    )


def freshness_goal(minutes: int | None) -> timedelta:
    """Return the time within which a change is to reach the LMS.

    Args:
        minutes: ``freshness_goal_minutes`` of the configuration; ``None`` for the site's goal.
    """
    return timedelta(minutes=settings.FRESHNESS_GOAL_MINUTES if minutes is None else minutes)


def _late_before(now: datetime, column: str = "freshness_goal_minutes") -> MinutesBefore:
    """Return the time before which a change misses the freshness goal if it has not reached the LMS yet."""
    return MinutesBefore(now, Coalesce(F(column), settings.FRESHNESS_GOAL_MINUTES))


def check(*, now: datetime) -> None:
    """Find events that begin or end between runs. Safe to repeat, and safe on several workers at once.

    Late configurations, held deletes that were decided on, and paused configurations.
    """
    found = sorted({*_late(now), *_possibly_over(now)})
    for start in range(0, len(found), _CONFIGURATIONS_PER_TRANSACTION):
        with transaction.atomic():
            _check(found[start : start + _CONFIGURATIONS_PER_TRANSACTION], now)


def _late(now: datetime) -> Iterator[int]:
    """Yield configurations that miss the freshness goal, unless they have an event that explains it."""
    # The same for all configurations, so that an index serves it; then each is compared with its own goal.
    shortest = now - min(freshness_goal(None), freshness_goal(MIN_GOAL_MINUTES))
    before = _late_before(now)
    explained = Exists(
        Notification.objects.filter(configuration=OuterRef("pk"), is_open=True, kind__in=(*STOPS, EventKind.LATE))
    )
    overdue = ChannelConfiguration.objects.filter(
        Q(next_sync_at__lt=shortest) | Q(next_sync_at=None),
        Q(next_sync_at__lt=before) | Q(next_sync_at=None, created_at__lt=before),
        ~explained,
        active=True,
    )
    yield from overdue.order_by("next_sync_at").values_list("pk", flat=True)[:ROWS_PER_STATEMENT]
    waiting = ChannelConfiguration.objects.filter(
        Q(status__due_since__lt=shortest),
        ~explained,
        active=True,
        status__rank__in=_WITH_DUE_ITEMS,
        status__due_since__lt=before,
    )
    yield from waiting.order_by("status__due_since").values_list("pk", flat=True)[:ROWS_PER_STATEMENT]


def _possibly_over(now: datetime) -> QuerySet[Notification, int]:
    """Return the configurations with an open event that may have ended since."""
    before = _late_before(now, "configuration__freshness_goal_minutes")
    is_on_time = Q(configuration__next_sync_at__gte=before) & (
        Q(configuration__status__due_since=None) | Q(configuration__status__due_since__gte=before)
    )
    is_over = (
        Q(configuration__active=False)
        | Q(kind=EventKind.HELD, configuration__status__held=0)
        | Q(is_on_time, kind=EventKind.LATE)
    )
    rows = Notification.objects.filter(is_over, is_open=True)
    return rows.values_list("configuration_id", flat=True)[:ROWS_PER_STATEMENT]


def _check(ids: Sequence[int], now: datetime) -> None:
    # Locked, as at the end of a run: of a run and this check, the later one sees what the earlier one wrote.
    configurations = ChannelConfiguration.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    existing = list(configurations)
    statuses = ConfigurationStatus.objects.in_bulk([configuration.pk for configuration in existing])
    opened: dict[int, dict[str, int]] = {configuration.pk: {} for configuration in existing}
    rows = Notification.objects.filter(configuration__in=existing, is_open=True)
    for pk, kind, event in rows.values_list("configuration_id", "kind", "pk"):
        opened[pk][kind] = event
    late, over, paused = [], list[int](), list[int]()
    for configuration in existing:
        status, found = statuses.get(configuration.pk), opened[configuration.pk]
        is_late = _is_late(configuration, status, now)
        if not configuration.active:
            paused += found.values()
        elif is_late and not {*STOPS, EventKind.LATE}.intersection(found):
            late.append(_event(configuration.pk, EventKind.LATE, now=now, announce_at=now))
        if configuration.active and not is_late:
            over += [pk for kind, pk in found.items() if kind == EventKind.LATE]
        if configuration.active and status is not None and not status.held:
            over += [pk for kind, pk in found.items() if kind == EventKind.HELD]
    Notification.objects.bulk_create(late)
    resolve(paused, Resolution.PAUSED, now=now)
    resolve(over, Resolution.RECOVERED, now=now)


def _is_late(configuration: ChannelConfiguration, status: ConfigurationStatus | None, now: datetime) -> bool:
    due_since = [configuration.next_sync_at or configuration.created_at, status.due_since if status else None]
    before = now - freshness_goal(configuration.freshness_goal_minutes)
    return any(since is not None and since < before for since in due_since)
