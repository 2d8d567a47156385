"""Claims: the due configurations that have a message in a Celery queue, each at most one.

All due configurations wait in their table, the oldest first. Each queue holds few messages at a time: up to
``SYNC_QUEUE_SIZE``. A scheduler claims configurations in bulk by compare-and-set, and then sends their messages. The
worker that receives a message ends the claim, and starts the run. A message whose claim has ended or was replaced is
void. See ADR 0032.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, Value, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.db.models.lookups import LessThanOrEqual

from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncLease, SyncQueue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models.querysets import ConfigurationQuerySet

#: Queues that share their places, the most urgent first.
LANES: Final = ((SyncQueue.INTERACTIVE, SyncQueue.CHANGES), (SyncQueue.SWEEP,))
#: Age of a claim without a run at which its message is lost, if the queue is empty.
LOST_AFTER: Final = timedelta(minutes=5)
#: Age at which it is lost in any case. Slow workers may need long for a full queue.
LOST_IN_ANY_CASE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Claim:
    """One message that has to be sent."""

    configuration_id: int
    queue: str
    token: int


@dataclass(slots=True)
class Load:
    """The configurations that are queued or running."""

    queued: Counter[str] = field(default_factory=Counter)  #: Queue -> number of claims.
    oldest: dict[str, datetime] = field(default_factory=dict)  #: Queue -> time of its oldest claim.
    hosts: Counter[str] = field(default_factory=Counter)  #: LMS host -> number of claims and runs.

    def free_places(self, lane: Iterable[str]) -> int:
        """Return the number of messages that may be added to the queues of a lane."""
        return int(settings.SYNC_QUEUE_SIZE) - sum(self.queued[queue] for queue in lane)

    def with_old_claims(self, now: datetime) -> dict[str, datetime]:
        """Return the queues that may have lost messages, with the time of the oldest claim."""
        return {queue: oldest for queue, oldest in self.oldest.items() if oldest < now - LOST_AFTER}


def read_load(now: datetime) -> Load:
    """Return the present load, in one statement."""
    columns = ("queue", "queued_at", "lms_host")
    queued = ChannelConfiguration.objects.filter(queued_at__isnull=False).values_list(*columns)
    running = ChannelConfiguration.objects.filter(queued_at=None, lease__expires_at__gt=now).values_list(*columns)
    load = Load()
    for queue, queued_at, host in queued.union(running, all=True):
        load.hosts[host] += 1
        if queued_at is not None:
            load.queued[queue] += 1
            load.oldest[queue] = min(queued_at, load.oldest.get(queue, queued_at))
    return load


def claim_due(load: Load, *, now: datetime, least: int = 1) -> list[Claim]:
    """Claim due configurations for the free places, and return their claims; their messages are still to be sent.

    Takes at most four statements. Safe on several schedulers at once.

    Args:
        least: skip queues with fewer free places.
    """
    token, due = _new_token(), dict[int, str]()
    for lane in LANES:
        if (free := load.free_places(lane)) >= max(least, 1):
            due |= _longest_due(lane, free, load, now=now)
    if not due:
        return []
    # Compare-and-set: another scheduler may have claimed some of them, and a run may have ended meanwhile.
    is_due = LessThanOrEqual(Coalesce("next_sync_at", Value(now)), now)
    free_rows = with_keys(ChannelConfiguration.objects.all(), due, is_due, active=True, queued_at=None)
    if free_rows.update(queued_at=now, queue_token=token) < len(due):
        ours = ChannelConfiguration.objects.filter(pk__in=due, queue_token=token)
        won = set(ours.values_list("pk", flat=True))
        due = {pk: queue for pk, queue in due.items() if pk in won}
    return [Claim(pk, queue, token) for pk, queue in due.items()]


def _longest_due(lane: Collection[str], free: int, load: Load, *, now: datetime) -> dict[int, str]:
    """Return ID -> queue of at most ``free`` due configurations, in the order of sending.

    Customers take turns: first the oldest configuration of each customer, then the second oldest of each.
    """
    most = settings.SYNCS_PER_LMS_HOST
    full = [host for host, number in load.hosts.items() if number >= most]
    waiting = _waiting(now).filter(queue__in=lane).exclude(lms_host__in=full)
    oldest_first = ("next_sync_at", "pk")
    ranked = waiting.annotate(
        turn=Window(RowNumber(), partition_by="enterprise_customer_uuid", order_by=oldest_first),
        turn_of_host=Window(RowNumber(), partition_by="lms_host", order_by=oldest_first),
        urgency=Case(When(queue=SyncQueue.INTERACTIVE, then=Value(0)), default=Value(1)),
    )
    rows = ranked.filter(turn_of_host__lte=most).order_by("urgency", "turn", *oldest_first)
    chosen = dict[int, str]()
    for pk, queue, host in rows.values_list("pk", "queue", "lms_host")[:free]:
        if load.hosts[host] < most:
            load.hosts[host] += 1
            chosen[pk] = queue
    return chosen


def _waiting(now: datetime) -> ConfigurationQuerySet:
    """Return the due configurations that are neither queued nor running."""
    running = SyncLease.objects.filter(configuration=OuterRef("pk"), expires_at__gt=now)
    return ChannelConfiguration.objects.due(now).filter(~Exists(running), queued_at=None)


def claim_now(configuration_id: int, *, now: datetime) -> Claim | None:
    """Claim an active configuration for the interactive queue, also if it waits in another queue.

    Returns ``None`` if its message is in the interactive queue already, or if the configuration is inactive.
    """
    token = _new_token()
    queued = Q(queue=SyncQueue.INTERACTIVE, queued_at__gt=now - LOST_AFTER)
    active = with_keys(ChannelConfiguration.objects.all(), [configuration_id], active=True)
    rows = active.filter(~queued | Q(queued_at=None))
    if not rows.update(queue=SyncQueue.INTERACTIVE, queued_at=now, queue_token=token):
        return None
    return Claim(configuration_id, SyncQueue.INTERACTIVE, token)


def take(configuration_id: int, token: int) -> bool:
    """End the claim of a message that a worker has received; return False if the message is void."""
    rows = ChannelConfiguration.objects.all()
    claimed = with_keys(rows, [configuration_id], queue_token=token, queued_at__isnull=False)
    return bool(claimed.update(queued_at=None))


def release(claims: Iterable[Claim]) -> None:
    """End claims whose messages were not sent. The configurations stay due."""
    by_token: dict[int, list[int]] = defaultdict(list)
    for claim in claims:
        by_token[claim.token].append(claim.configuration_id)
    for token, ids in by_token.items():
        ChannelConfiguration.objects.filter(pk__in=ids, queue_token=token).update(queued_at=None)


def release_lost(queue: str, *, is_empty: bool, now: datetime) -> int:
    """End the claims of a queue whose messages are lost; return their number. The configurations stay due.

    Args:
        is_empty: the queue contains no message. So a claim that is older than a few minutes has lost its message.
            A queue that is not empty keeps its claims for hours: its workers may be slow, or stopped.
    """
    age = LOST_AFTER if is_empty else LOST_IN_ANY_CASE
    return ChannelConfiguration.objects.filter(queue=queue, queued_at__lt=now - age).update(queued_at=None)


def _new_token() -> int:
    """Return a token that no other claim has: a random number of 63 bits."""
    return secrets.randbits(63)
