"""What an LMS really has, compared with what it should have: to look at, or to take over what is there already.

Looking changes nothing, here or there. Taking over (``adopt``) writes rows, so that the next run updates what it finds
instead of creating it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels import audit
from enterprise_catalog.integrated_channels.catalog_client import CatalogClient
from enterprise_catalog.integrated_channels.channels.duplicates import one_of_each
from enterprise_catalog.integrated_channels.connections import connected
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RejectedError
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.plans import know

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.channels.duplicates import Duplicates
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.plans import Knowledge
    from enterprise_catalog.integrated_channels.run import LeaseKeeper
    from enterprise_catalog.integrated_channels.types import RemoteItem

_DOCUMENTS_AT_ONCE: Final = 500


class Difference(StrEnum):
    """How an item differs."""

    MISSING = "missing"  #: It belongs in the LMS and was sent, and learners do not see it there.
    CHANGED = "changed"  #: The LMS has something else than what it was sent.
    LEFT = "left"  #: It left the catalogs, and learners still see it.
    DUPLICATE = "duplicate"  #: Several items of the LMS have its key.


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference."""

    content_key: str
    difference: Difference
    details: str  #: A sentence for people.


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How an LMS differs from the catalogs."""

    differences: Sequence[Drift]  #: Ascending by key.
    others: int  #: How many items of the LMS have a key that no row and no catalog has: they are not ours.


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was taken over."""

    items: int
    duplicates: Sequence[Duplicates]  #: Keys of what was taken over that several items of the LMS have.


def check_drift(configuration: ChannelConfiguration, *, clock: Callable[[], datetime]) -> DriftReport:
    """Return how the LMS differs from the catalogs; nothing is changed anywhere.

    What waits for its turn, failed or is held is not told: the rows tell that.

    Raises:
        SyncError: catalogs or LMS could not be read; the channel cannot list; a run is under way.
    """
    with connected(configuration, clock=clock) as (channel, keeper), CatalogClient() as catalog:
        known, there, duplicates = _both_sides(configuration, channel, keeper, catalog, clock)
        others = {key for key in there if key not in known.desired and key not in known.records}
        found = [*_wrongly_there(known, there), *_wrongly_absent(known, there)]
        found += _changed(known, there, channel, catalog)
        found += [Drift(d.content_key, Difference.DUPLICATE, str(d)) for d in duplicates if d.content_key not in others]
    return DriftReport(sorted(found, key=lambda drift: drift.content_key), len(others))


def adopt(configuration: ChannelConfiguration, *, clock: Callable[[], datetime]) -> Adoption:
    """Link what the LMS has under keys of the catalogs, and that no run has sent, to rows.

    The next run makes them what they should be. Where several items have one key, the oldest is taken over, as a sync
    does.

    Raises:
        SyncError: catalogs or LMS could not be read; the channel cannot list; a run is under way.
    """
    with connected(configuration, clock=clock) as (channel, keeper), CatalogClient() as catalog:
        known, there, duplicates = _both_sides(configuration, channel, keeper, catalog, clock)
        theirs = {key: item.remote_id for key, item in there.items() if _is_unsent(known, item)}
        number = audit.adopt(configuration, theirs, lease=keeper.lease, now=clock())
    return Adoption(number, [each for each in duplicates if each.content_key in theirs])


def _both_sides(
    configuration: ChannelConfiguration,
    channel: Channel[Any, Any],
    keeper: LeaseKeeper,
    catalog: CatalogClient,
    clock: Callable[[], datetime],
) -> tuple[Knowledge, Mapping[str, RemoteItem], Sequence[Duplicates]]:
    """Return what the LMS should have, what it has by content key, and which keys several of its items have."""
    _require_list(channel)
    known = _knowledge(configuration, catalog, clock)

    def listed() -> Iterator[RemoteItem]:
        for item in channel.list_items():
            keeper.keep_lease()
            yield item

    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return known, *one_of_each(listed(), linked_ids=rows.remote_ids_of)


def _require_list(channel: Channel[Any, Any]) -> None:
    if not channel.can_list:
        raise ConfigurationError(f"{channel.label} cannot be asked what it has.")


def _knowledge(configuration: ChannelConfiguration, catalog: CatalogClient, clock: Callable[[], datetime]) -> Knowledge:
    of_customer = catalog.catalogs_of(configuration.enterprise_customer_uuid).uuids
    return know(configuration, catalog, of_customer=of_customer, now=clock())


def _is_unsent(known: Knowledge, item: RemoteItem) -> bool:
    record = known.records.get(item.content_key)
    return item.content_key in known.desired.items and (record is None or record.is_never_sent)


def _wrongly_there(known: Knowledge, there: Mapping[str, RemoteItem]) -> Iterator[Drift]:
    for key, item in there.items():
        if key in known.desired or not item.is_offered:
            continue
        record = known.records.get(key)
        if record is not None and record.is_deleted:
            yield Drift(key, Difference.LEFT, f"It was taken away, and is offered (id {item.remote_id}).")


def _wrongly_absent(known: Knowledge, there: Mapping[str, RemoteItem]) -> Iterator[Drift]:
    for key in _held(known):
        item = there.get(key)
        if item is None:
            yield Drift(key, Difference.MISSING, "The learning system does not have it.")
        elif not item.is_offered:
            yield Drift(key, Difference.MISSING, f"Learners do not see it (id {item.remote_id}).")


def _changed(
    known: Knowledge, there: Mapping[str, RemoteItem], channel: Channel[Any, Any], catalog: CatalogClient
) -> Iterator[Drift]:
    comparable = [key for key in _held(known) if key in there and there[key].fields and there[key].is_offered]
    for start in range(0, len(comparable), _DOCUMENTS_AT_ONCE):
        yield from _changed_among(comparable[start : start + _DOCUMENTS_AT_ONCE], known, there, channel, catalog)


def _changed_among(
    keys: Sequence[str],
    known: Knowledge,
    there: Mapping[str, RemoteItem],
    channel: Channel[Any, Any],
    catalog: CatalogClient,
) -> Iterator[Drift]:
    for catalog_uuid in known.desired.versions:
        of_catalog = [key for key in keys if known.desired.catalog_of(key) == catalog_uuid]
        items = catalog.metadata(catalog_uuid, of_catalog).items if of_catalog else {}
        for key, item in items.items():
            try:
                payload = channel.transform(item)
            except RejectedError:
                continue  # The next run says so, and why.
            theirs = there[key].fields
            names = sorted(name for name, value in theirs.items() if name in payload and payload[name] != value)
            if names:
                yield Drift(key, Difference.CHANGED, f"It differs in {', '.join(names)}.")


def _held(known: Knowledge) -> list[str]:
    """Return the keys of what the LMS has in its newest version, as far as we know."""
    skipped = [key for key, item in known.desired.items.items() if (r := known.records.get(key)) and r.holds(item)]
    return [*known.desired.matched, *skipped]
