"""Drift: the differences between an LMS and the catalogs, and adoption of items that the LMS already has.

``check_drift`` changes nothing, here or in the LMS. ``adopt`` writes rows: the next run then updates existing items
instead of creating them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.access.connections import connect
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.channels.duplicates import one_of_each
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RejectedError
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_plan_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.audit.lease_renewer import LeaseRenewer
    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.channels.duplicates import Duplicates
    from enterprise_catalog.integrated_channels.domain import RemoteItem
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.sync.plan_inputs import PlanInputs

_DOCUMENTS_AT_ONCE: Final = 500


class Difference(StrEnum):
    """Kinds of difference."""

    MISSING = "missing"  #: The item was sent and belongs in the LMS, but learners do not see it.
    CHANGED = "changed"  #: The LMS has other values than it was sent.
    LEFT = "left"  #: The item left the catalogs, but learners still see it.
    DUPLICATE = "duplicate"  #: Several items in the LMS have the same key.


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between the LMS and the catalogs."""

    content_key: str
    difference: Difference
    details: str  #: A sentence for people.


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All differences between an LMS and the catalogs."""

    differences: Sequence[Drift]  #: Ascending by key.
    others: int  #: Number of items in the LMS whose keys are in no row and no catalog.


@dataclass(frozen=True, slots=True)
class Adoption:
    """The items that were adopted."""

    items: int
    duplicates: Sequence[Duplicates]  #: Adopted keys that several items in the LMS have.


def check_drift(
    configuration: ChannelConfiguration, *, clock: Callable[[], datetime], on_item: Callable[[], None] | None = None
) -> DriftReport:
    """Return the differences between the LMS and the catalogs. Changes nothing.

    Items that are waiting, failed or held are not reported, because their rows already show their state.

    Args:
        on_item: called for each item that was read from the LMS.

    Raises:
        SyncError: the catalogs or the LMS could not be read, the channel cannot list items, or a run is in progress.
    """
    with connect(configuration, clock=clock) as (channel, renewer), CatalogClient() as catalog:
        inputs, there, duplicates = _read_both_sides(configuration, channel, renewer, catalog, clock, on_item)
        others = {key for key in there if key not in inputs.desired and key not in inputs.records}
        found = [*_wrongly_there(inputs, there), *_wrongly_absent(inputs, there)]
        found += _find_changed(inputs, there, channel, catalog)
        found += [Drift(d.content_key, Difference.DUPLICATE, str(d)) for d in duplicates if d.content_key not in others]
    return DriftReport(sorted(found, key=lambda drift: drift.content_key), len(others))


def adopt(
    configuration: ChannelConfiguration,
    *,
    by: str,
    clock: Callable[[], datetime],
    reason: str = "",
    on_item: Callable[[], None] | None = None,
) -> Adoption:
    """Link items that the LMS already has, but that no run has sent, to rows.

    The items' keys must be in the catalogs. The next run updates the items. If several items have the same key, the
    oldest is adopted, as in a sync.

    Args:
        by: name of the user or command, for the decision log.
        reason: the user's own text.
        on_item: called for each item that was read from the LMS.

    Raises:
        SyncError: the catalogs or the LMS could not be read, the channel cannot list items, or a run is in progress.
    """
    with connect(configuration, clock=clock) as (channel, renewer), CatalogClient() as catalog:
        inputs, there, duplicates = _read_both_sides(configuration, channel, renewer, catalog, clock, on_item)
        theirs = {key: item.remote_id for key, item in there.items() if _is_unsent(inputs, item)}
        number = decisions.adopt(configuration, theirs, by=by, reason=reason, lease=renewer.lease, now=clock())
    return Adoption(number, [each for each in duplicates if each.content_key in theirs])


def _read_both_sides(
    configuration: ChannelConfiguration,
    channel: Channel,
    renewer: LeaseRenewer,
    catalog: CatalogClient,
    clock: Callable[[], datetime],
    on_item: Callable[[], None] | None,
) -> tuple[PlanInputs, Mapping[str, RemoteItem], Sequence[Duplicates]]:
    """Return the inputs of a plan, the LMS's items by content key, and the keys that several of its items have."""
    _require_list(channel)
    inputs = _load_plan_inputs(configuration, catalog, clock)

    def list_items() -> Iterator[RemoteItem]:
        for item in channel.list_items():
            renewer.renew_if_due()
            if on_item is not None:
                on_item()
            yield item

    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return inputs, *one_of_each(list_items(), linked_ids=rows.remote_ids_of)


def _require_list(channel: Channel) -> None:
    if not channel.can_list:
        raise ConfigurationError(
            f"{channel.label} cannot list its items, so drift checks and adoption are not available."
        )


def _load_plan_inputs(
    configuration: ChannelConfiguration, catalog: CatalogClient, clock: Callable[[], datetime]
) -> PlanInputs:
    of_customer = catalog.list_catalogs(configuration.enterprise_customer_uuid).uuids
    return load_plan_inputs(configuration, catalog, of_customer=of_customer, now=clock())


def _is_unsent(inputs: PlanInputs, item: RemoteItem) -> bool:
    record = inputs.records.get(item.content_key)
    return item.content_key in inputs.desired.items and (record is None or record.is_never_sent)


def _wrongly_there(inputs: PlanInputs, there: Mapping[str, RemoteItem]) -> Iterator[Drift]:
    for key, item in there.items():
        if key in inputs.desired or not item.is_offered:
            continue
        record = inputs.records.get(key)
        if record is not None and record.is_deleted:
            yield Drift(key, Difference.LEFT, f"It was deleted, but the LMS offers it again (id {item.remote_id}).")


def _wrongly_absent(inputs: PlanInputs, there: Mapping[str, RemoteItem]) -> Iterator[Drift]:
    for key in _keys_held(inputs):
        item = there.get(key)
        if item is None:
            yield Drift(key, Difference.MISSING, "The LMS does not have this item.")
        elif not item.is_offered:
            yield Drift(key, Difference.MISSING, f"The LMS hides it from learners (id {item.remote_id}).")


def _find_changed(
    inputs: PlanInputs, there: Mapping[str, RemoteItem], channel: Channel, catalog: CatalogClient
) -> Iterator[Drift]:
    comparable = [key for key in _keys_held(inputs) if key in there and there[key].fields and there[key].is_offered]
    for start in range(0, len(comparable), _DOCUMENTS_AT_ONCE):
        yield from _compare_documents(comparable[start : start + _DOCUMENTS_AT_ONCE], inputs, there, channel, catalog)


def _compare_documents(
    keys: Sequence[str],
    inputs: PlanInputs,
    there: Mapping[str, RemoteItem],
    channel: Channel,
    catalog: CatalogClient,
) -> Iterator[Drift]:
    for catalog_uuid in inputs.desired.versions:
        of_catalog = [key for key in keys if inputs.desired.catalog_of(key) == catalog_uuid]
        items = catalog.fetch_metadata(catalog_uuid, of_catalog).items if of_catalog else {}
        for key, item in items.items():
            try:
                payload = channel.transform(item)
            except RejectedError:
                continue  # The next run records the reason.
            theirs = there[key].fields
            names = sorted(name for name, value in theirs.items() if name in payload and payload[name] != value)
            if names:
                yield Drift(key, Difference.CHANGED, f"Different in the LMS: {', '.join(names)}.")


def _keys_held(inputs: PlanInputs) -> list[str]:
    """Return the keys of items whose newest version the LMS has, according to the rows."""
    skipped = [key for key, item in inputs.desired.items.items() if (r := inputs.records.get(key)) and r.holds(item)]
    return [*inputs.desired.matched, *skipped]
