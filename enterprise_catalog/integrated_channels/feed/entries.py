"""Entries of a feed: staged by a run, served to a poll, acknowledged by a later poll.

A run only stages; it sends nothing. A poll returns all entries that are not acknowledged. An entry is recorded as
served when its response was written completely. A later poll acknowledges it (``FeedQuerySet.acknowledged_by``). Until
then the entry is served again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest

from enterprise_catalog.db import contention
from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.domain import Action, Presence, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    FeedResponse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import PullChannel
    from enterprise_catalog.integrated_channels.domain import Outgoing
    from enterprise_catalog.integrated_channels.models.querysets import FeedQuerySet

_ITEMS_AT_ONCE: Final = 1_000


def make_entries(
    configuration: ChannelConfiguration,
    rows: Mapping[str, ContentMetadataItemTransmission],
    outgoing: Sequence[Outgoing],
    channel: PullChannel,
    *,
    now: datetime,
) -> list[FeedItem]:
    """Return the feed entries for ``outgoing``. Writes nothing.

    A delete of an item that was never in the feed has no entry.

    Args:
        rows: content key -> transmission.
    """
    before = FeedItem.objects.in_bulk([rows[item.content_key].pk for item in outgoing])
    return [
        _entry(configuration, row, item, channel, before.get(row.pk), now)
        for item in outgoing
        if (row := rows[item.content_key]).pk in before or item.action is not Action.DELETE
    ]


def _entry(
    configuration: ChannelConfiguration,
    row: ContentMetadataItemTransmission,
    item: Outgoing,
    channel: PullChannel,
    before: FeedItem | None,
    now: datetime,
) -> FeedItem:
    earliest = FeedItem.visible_from(now)
    return FeedItem(
        transmission=row,
        configuration=configuration,
        feed_key=before.feed_key if before else feed_key(configuration, item.content_key, channel),
        payload=channel.retired(before.payload) if before and item.action is Action.DELETE else item.payload,
        modified_at=max(earliest, before.modified_at + FeedItem.RESOLUTION) if before else earliest,
    )


def feed_key(configuration: ChannelConfiguration, content_key: str, channel: PullChannel) -> str:
    """Return an item's key in the feed: its content key if the LMS accepts it, else a stable UUID."""
    if channel.takes_key(content_key):
        return content_key
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{configuration.pk}:{content_key}"))


def note_served(
    configuration: ChannelConfiguration, page: Sequence[FeedItem], *, since: datetime | None, now: datetime
) -> None:
    """Record that ``page`` was served completely. Does not apply to entries that were staged again since.

    ``served_since`` never moves back: a repeated or delayed request must not make an acknowledgment easier. A request
    with an earlier ``since`` than an earlier poll comes from another client, or from a poller that lost its time. It
    counts as one with the latest ``since``, which the poller may repeat until it has received its own page.
    """
    if page or since is not None:
        contention.retry(partial(_note_served, configuration, page, since, now), seconds=contention.REQUEST_SECONDS)


def _note_served(
    configuration: ChannelConfiguration, page: Sequence[FeedItem], since: datetime | None, now: datetime
) -> None:
    with transaction.atomic():
        if since is not None:
            last = FeedResponse.objects.select_for_update().get(pk=configuration.pk)
        leases.lock([configuration.pk])
        if since is not None:
            since = max(since, _latest_since(configuration) or since)
            page = _received_by_each_poll(page, last, since)
            last.since = since
            last.save(update_fields=["since"])
        by_time: dict[datetime, list[int]] = defaultdict(list)
        for entry in page:
            by_time[entry.modified_at].append(entry.pk)
        for modified_at, ids in by_time.items():
            served = FeedItem.objects.filter(pk__in=ids, modified_at=modified_at)
            if since is None:
                served.update(served_at=now)
            else:
                latest = Greatest(Coalesce("served_since", Value(since)), Value(since))
                served.update(served_at=now, served_since=latest)


def _latest_since(configuration: ChannelConfiguration) -> datetime | None:
    return ChannelConfiguration.objects.values_list("polled_since", flat=True).get(pk=configuration.pk)


def _received_by_each_poll(page: Sequence[FeedItem], last: FeedResponse, since: datetime) -> Sequence[FeedItem]:
    """Return the entries of ``page`` that all polls with this ``since`` have received; forget all other entries.

    A poll that overlaps another one, or repeats it, has the same ``since``. A later ``since`` proves that one of them
    succeeded, but not which. It proves nothing about entries that only an earlier request has received.
    """
    unconfirmed = FeedItem.objects.filter(configuration=last.pk, is_confirmed=False)
    served = list(unconfirmed.filter(served_since__lte=since).values_list("pk", "modified_at", "served_since"))
    of_page = {(entry.pk, entry.modified_at) for entry in page}
    unproven = [pk for pk, modified_at, _ in served if (pk, modified_at) not in of_page]
    FeedItem.objects.filter(pk__in=unproven).update(served_at=None, served_since=None)
    if since != last.since:  # The first of these polls.
        return page
    by_same_since = {(pk, modified_at) for pk, modified_at, earlier in served if earlier == since}
    return [entry for entry in page if (entry.pk, entry.modified_at) in by_same_since]


def confirm(configuration: ChannelConfiguration, *, since: datetime | None, by_any_poll: bool, now: datetime) -> int:
    """Settle the items that a poll acknowledges, and make the next run due; return the number of items.

    Safe during a run and during other polls. For the arguments, see ``FeedQuerySet.acknowledged_by``.
    """
    if since is not None:
        _note_poll(configuration, since=since, now=now)
    proven = FeedItem.objects.acknowledged_by(configuration, since=since, by_any_poll=by_any_poll)
    settled = 0
    while ids := list(proven.values_list("pk", flat=True)[:_ITEMS_AT_ONCE]):
        settle = partial(_settle_proven, configuration, proven.filter(pk__in=ids), now)
        settled += contention.retry(settle, seconds=contention.REQUEST_SECONDS)
    if settled:
        ChannelConfiguration.objects.filter(pk=configuration.pk).make_due(now)
    return settled


def _settle_proven(configuration: ChannelConfiguration, proven: FeedQuerySet, now: datetime) -> int:
    """Settle the items of ``proven``; return their number. Entries that a run has staged again are not proven."""
    with transaction.atomic():
        leases.lock([configuration.pk])
        ids = list(proven.values_list("pk", flat=True))
        FeedItem.objects.filter(pk__in=ids).update(is_confirmed=True)
        _settle(ids, now)
    return len(ids)


def _note_poll(configuration: ChannelConfiguration, *, since: datetime, now: datetime) -> None:
    FeedResponse.objects.get_or_create(configuration=configuration)
    if since <= now:  # A clock that is ahead, and then set right, must not delay later polls.
        latest = Greatest(Coalesce("polled_since", Value(since)), Value(since))
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(polled_since=latest)


def _settle(ids: Sequence[int], now: datetime) -> None:
    staged = with_keys(ContentMetadataItemTransmission.objects.all(), ids, state=State.STAGED)
    staged.filter(action=Action.DELETE).update(
        state=State.DELETED,
        presence=Presence.ABSENT,
        reason="",
        deleted_at=now,
        remote_deleted_at=now,
        due_since=None,
    )
    staged.exclude(action=Action.DELETE).update(
        state=State.TRANSMITTED,
        presence=Presence.PRESENT,
        reason="",
        content_updated_at=F("attempted_updated_at"),
        remote_updated_at=now,
        deleted_at=None,
        remote_deleted_at=None,
        due_since=None,
    )
