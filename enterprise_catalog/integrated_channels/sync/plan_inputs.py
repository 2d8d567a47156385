"""The inputs of a plan: all items of the catalogs, or only changed and unsettled items.

Both give the same plan. An item that is settled, and that no catalog has changed since the versions that the rows
record, is as it should be. It needs no look at its row and no question to the catalogs; it is only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from enterprise_catalog.integrated_channels.catalog_api.changes import Changes, read_moment
from enterprise_catalog.integrated_channels.domain import DeleteLimit, Desired, DesiredItem
from enterprise_catalog.integrated_channels.exceptions import (
    ChangesUnavailableError,
    ConfigurationError,
    NoChangesReason,
)
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync.plan import plan
from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan

if TYPE_CHECKING:
    from collections.abc import Collection

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
    from enterprise_catalog.integrated_channels.domain import History, Record, SyncPlan
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.models.querysets import TouchedRows

#: Largest number of unsettled items that the catalogs are asked for one by one, instead of all items. Items that are
#: only planned do not count.
MAX_UNSETTLED: Final = 1_000
#: Returns content key -> version, for those of the keys that are in the catalog now.
FetchVersions: TypeAlias = Callable[[UUID, Sequence[str]], Mapping[str, datetime]]


@dataclass(frozen=True, slots=True)
class Synced:
    """The state of the catalogs that the rows record: items that are settled in it need no comparison."""

    versions: Mapping[UUID, str]  #: Catalog -> version.
    items: int  #: Number of items; an item in several catalogs counts once.


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """The inputs of a plan: catalogs, rows, and the time at which they were read."""

    configuration: ChannelConfiguration
    desired: Desired
    records: Mapping[str, Record]  #: By content key; without items that matched.
    at: datetime
    untouched: int = 0  #: Number of further items that match, and that were not read.
    postponed: int = 0  #: Number of further items that an earlier run planned to create, and that were not read.
    #: Whole rows, by content key; few or none. The first chunks of the plan need not read them again.
    rows: dict[str, ContentMetadataItemTransmission] = field(default_factory=dict)

    def plan(self, *, saved: SavedPlan | None = None) -> SyncPlan:
        """Return the actions of a run.

        Raises:
            StalePlanError: the inputs are no longer those of ``saved``.
        """
        if saved is not None:
            saved.check(self.to_save())
        limit = DeleteLimit(self.configuration.delete_limit_items, self.configuration.delete_limit_percent)
        matched = len(self.desired.matched) + self.untouched
        # The plan is carried out as shown: exactly the items that were due at its time are due now.
        now = saved.planned_at if saved else self.at
        return plan(
            self.desired.items,
            self.records,
            matched=matched,
            postponed=self.postponed,
            now=now,
            delete_limit=limit,
        )

    def to_save(self) -> SavedPlan:
        """Return the saved form, which later shows if the plan is still valid."""
        return SavedPlan.of(self.configuration, desired=self.desired, records=self.records, planned_at=self.at)

    @property
    def synced(self) -> Synced:
        """The state that the rows record after a run has carried out, or marked, the whole plan."""
        read = len(self.desired.matched) + len(self.desired.items)
        return Synced(self.desired.versions, read + self.untouched + self.postponed)


def load_plan_inputs(
    configuration: ChannelConfiguration, catalog: CatalogClient, *, of_customer: Sequence[UUID], now: datetime
) -> PlanInputs:
    """Return the inputs of a plan, from a comparison of all items. Writes nothing, here or elsewhere.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        CatalogUnavailableError: the catalogs could not be read.
        ConfigurationError: the configuration names a catalog that does not belong to the customer.
    """
    catalog_uuids = catalogs_to_send(configuration, of_customer)
    history = ContentMetadataItemTransmission.objects.of(configuration).history()
    desired = load_desired_items(catalog_uuids, history, catalog)
    return PlanInputs(configuration, desired, history.records_but_of(desired.matched), now)


def load_changed_inputs(
    configuration: ChannelConfiguration,
    catalog: CatalogClient,
    *,
    synced: Synced,
    current: Mapping[UUID, str],
    unsettled: int,
    most_planned: int,
    now: datetime,
) -> PlanInputs:
    """Return the inputs of the same plan, from the changes since ``synced`` and the rows that are not settled.

    Reads and requests only these items. Writes nothing, here or elsewhere. If many items are only planned, as in a
    large first sync that takes several runs, the plan contains those that have waited longest, and counts the others.

    Args:
        unsettled: number of items that are not settled, as last counted.
        most_planned: largest number of planned items in the plan, if many items are not settled.
        synced: of the last run.
        current: catalog -> current version, for exactly the catalogs of ``synced``.

    Raises:
        ChangesUnavailableError: only a comparison of all items can tell the difference.
        CatalogUnavailableError: the catalogs could not be read.
    """
    changes = {
        catalog_uuid: catalog.fetch_changes(catalog_uuid, synced.versions[catalog_uuid])
        for catalog_uuid, version in current.items()
        if version != synced.versions[catalog_uuid]
    }
    versions = {**current, **{catalog_uuid: found.version for catalog_uuid, found in changes.items()}}
    keys = set[str]().union(*(found.keys for found in changes.values()))
    found_rows = _read_rows(configuration, keys, unsettled=unsettled, most_planned=most_planned)

    def fetch_versions(catalog_uuid: UUID, keys: Sequence[str]) -> Mapping[str, datetime]:
        return catalog.fetch_versions(catalog_uuid, keys, at=versions[catalog_uuid])

    touched = find_touched(sorted(current), changes, found_rows.records, fetch_versions)
    untouched = synced.items - touched.desired_before - found_rows.postponed
    if untouched < 0:
        raise ChangesUnavailableError(NoChangesReason.MISCOUNTED)
    desired = Desired({}, touched.desired, versions)
    return PlanInputs(configuration, desired, found_rows.records, now, untouched, found_rows.postponed, found_rows.rows)


def _read_rows(
    configuration: ChannelConfiguration, keys: Collection[str], *, unsettled: int, most_planned: int
) -> TouchedRows:
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    if unsettled <= MAX_UNSETTLED:
        return rows.touched(keys)
    found = rows.touched_in_part(keys, planned=most_planned, others=MAX_UNSETTLED)
    if found is None:
        raise ChangesUnavailableError(NoChangesReason.MANY)
    return found


def catalogs_to_send(configuration: ChannelConfiguration, of_customer: Sequence[UUID]) -> Sequence[UUID]:
    """Return the catalogs to send, ascending. Never returns another customer's catalog.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        ConfigurationError: the configuration names a catalog that does not belong to the customer.
    """
    named = sorted(UUID(catalog_uuid) for catalog_uuid in configuration.catalog_uuids)
    if strangers := [str(catalog_uuid) for catalog_uuid in named if catalog_uuid not in of_customer]:
        customer = configuration.enterprise_customer_uuid
        message = f"Customer {customer} has no catalog {', '.join(strangers)}. Check the configuration's catalogs."
        raise ConfigurationError(message)
    return named or of_customer


def load_desired_items(catalog_uuids: Sequence[UUID], history: History, catalog: CatalogClient) -> Desired:
    """Return the items that belong in the LMS.

    An item in several catalogs keeps the catalog that it was last sent from, else gets the first in ``catalog_uuids``.

    Raises:
        CatalogUnavailableError: a catalog could not be read. Without it, no item can be treated as having left.
    """
    known_keys, records = history.live_keys(), history.records
    matched: dict[str, UUID] = {}
    desired: dict[str, DesiredItem] = {}
    versions: dict[UUID, str] = {}
    for catalog_uuid in catalog_uuids:
        response = catalog.fetch_diff(catalog_uuid, known_keys)
        versions[catalog_uuid] = response.version
        settled = history.settled.get(catalog_uuid, {})
        if response.existing == settled and records.keys().isdisjoint(settled.keys()):  # The usual case.
            matched |= dict.fromkeys(settled, catalog_uuid)
        else:
            for key, version in response.existing.items():
                record = records.get(key)
                if record is None and (held := settled.get(key)) and held == version:
                    matched[key] = catalog_uuid
                elif key not in desired or (record.catalog_uuid == catalog_uuid if record else key in settled):
                    desired[key] = DesiredItem(catalog_uuid, read_moment(version, of="existing"))
        new = DesiredItem(catalog_uuid, None)
        for key in response.to_create:
            desired.setdefault(key, new)
    others = {key: item for key, item in desired.items() if key not in matched}
    return Desired(matched, others, versions)


@dataclass(frozen=True, slots=True)
class Touched:
    """The items that changed or are not settled."""

    desired: dict[str, DesiredItem]  #: Content key -> catalog and version, for items that belong in the LMS.
    desired_before: int  #: How many of the items belonged in the LMS before the changes.


def find_touched(
    catalog_uuids: Sequence[UUID],
    changes: Mapping[UUID, Changes],
    records: Mapping[str, Record],
    fetch_versions: FetchVersions,
) -> Touched:
    """Return what the catalogs want of the items with changes or records. Same choice as :func:`load_desired_items`.

    A catalog is asked for an item only if neither its changes nor the item's row contain the answer.

    Args:
        catalog_uuids: all catalogs, in order of preference.
        changes: catalog -> its changes; without the catalogs that have not changed.
        records: content key -> record, for all items that are not settled, and for all changed items with a row.
    """
    keys = sorted(records.keys() | set[str]().union(*(found.keys for found in changes.values())))
    items = {key: _known_items(key, catalog_uuids, changes, records.get(key)) for key in keys}
    for catalog_uuid in catalog_uuids:
        if asked := [key for key in keys if catalog_uuid not in items[key]]:
            found = fetch_versions(catalog_uuid, asked)
            for key in asked:
                items[key][catalog_uuid] = DesiredItem(catalog_uuid, found[key]) if key in found else None
    desired: dict[str, DesiredItem] = {}
    for key in keys:
        record = records.get(key)
        held = [item for catalog_uuid in catalog_uuids if (item := items[key][catalog_uuid])]
        own = None if record is None or record.is_deleted else record.catalog_uuid
        item = next((item for item in held if item.catalog_uuid == own), next(iter(held), None))
        if item is not None:
            desired[key] = item
    return Touched(desired, desired_before=sum(_was_desired(key, items[key], changes) for key in keys))


def _known_items(
    key: str, catalog_uuids: Sequence[UUID], changes: Mapping[UUID, Changes], record: Record | None
) -> dict[UUID, DesiredItem | None]:
    """Return catalog -> its item, ``None`` if it does not have the item. Other catalogs must be asked."""
    known: dict[UUID, DesiredItem | None] = {
        catalog_uuid: DesiredItem(catalog_uuid, found.present[key]) if key in found.present else None
        for catalog_uuid, found in changes.items()
        if key in found
    }
    nowhere: dict[UUID, DesiredItem | None] = dict.fromkeys(catalog_uuids)
    if record is None or record.is_settled_as_deleted:
        return nowhere | known
    own = record.catalog_uuid
    if (record.is_settled or record.is_planned) and own in nowhere and (own not in known or known[own]):
        # Still in the catalog of the row, so the others do not count. Nothing depends on the version of a planned item.
        return nowhere | {own: DesiredItem(own, record.content_updated_at)} | known
    return known


def _was_desired(key: str, items: Mapping[UUID, DesiredItem | None], changes: Mapping[UUID, Changes]) -> bool:
    """Return True if the item belonged in the LMS before the changes."""

    def was_in(catalog_uuid: UUID) -> bool:
        found = changes.get(catalog_uuid)
        return items[catalog_uuid] is not None if found is None or key not in found else key not in found.joined

    return any(map(was_in, items))
