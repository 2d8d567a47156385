"""History, diff over HTTP and metadata -> work to send. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from enterprise_catalog.integrated_channels.catalog_client import read_moment
from enterprise_catalog.integrated_channels.channels.text import payload_hash
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RejectedError
from enterprise_catalog.integrated_channels.types import (
    Action,
    Desired,
    DesiredItem,
    Exported,
    ItemResult,
    Outcome,
    Outgoing,
    Presence,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from enterprise_catalog.integrated_channels.catalog_client import CatalogClient, MetadataAnswer
    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.fetching import Documents
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
    from enterprise_catalog.integrated_channels.types import Chunk, History, PlannedItem


@dataclass(slots=True)
class Export:
    """One chunk's items, ready to be sent, and those that need no call or cannot have one."""

    outgoing: list[Outgoing] = field(default_factory=list)
    exported: dict[str, Exported] = field(default_factory=dict)  #: By content key; deletes have none.
    settled: list[ItemResult] = field(default_factory=list)  #: Unchanged, rejected, or gone from the catalog meanwhile.


def catalogs_to_send(configuration: ChannelConfiguration, of_customer: Sequence[UUID]) -> Sequence[UUID]:
    """Return the catalogs to send, ascending; never another customer's, whatever was entered.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        ConfigurationError: the configuration names a catalog that is not the customer's.
    """
    named = sorted(UUID(catalog_uuid) for catalog_uuid in configuration.catalog_uuids)
    if strangers := [str(catalog_uuid) for catalog_uuid in named if catalog_uuid not in of_customer]:
        customer = configuration.enterprise_customer_uuid
        raise ConfigurationError(f"Customer {customer} has no catalog {', '.join(strangers)}.")
    return named or of_customer


def desired_items(catalog_uuids: Sequence[UUID], history: History, catalog: CatalogClient) -> Desired:
    """Return what belongs in the LMS.

    An item that is in several catalogs keeps the one it was last sent from, else the first of ``catalog_uuids``.

    Raises:
        CatalogUnavailableError: one of the catalogs could not be read; nothing is known then, least of all that an item
            left.
    """
    known_keys, records = history.live_keys(), history.records
    matched: dict[str, UUID] = {}
    desired: dict[str, DesiredItem] = {}
    versions: dict[UUID, str] = {}
    for catalog_uuid in catalog_uuids:
        answer = catalog.diff(catalog_uuid, known_keys)
        versions[catalog_uuid] = answer.version
        settled = history.settled.get(catalog_uuid, {})
        if answer.existing == settled and records.keys().isdisjoint(settled.keys()):  # As on most days.
            matched |= dict.fromkeys(settled, catalog_uuid)
        else:
            for key, version in answer.existing.items():
                record = records.get(key)
                if record is None and (held := settled.get(key)) and held == version:
                    matched[key] = catalog_uuid
                elif key not in desired or (record.catalog_uuid == catalog_uuid if record else key in settled):
                    desired[key] = DesiredItem(catalog_uuid, read_moment(version))
        new = DesiredItem(catalog_uuid, None)
        for key in answer.to_create:
            desired.setdefault(key, new)
    others = {key: item for key, item in desired.items() if key not in matched}
    return Desired(matched, others, versions)


def export_chunk(
    chunk: Chunk,
    rows: Mapping[str, ContentMetadataItemTransmission],
    documents: Documents,
    channel: Channel[Any, Any],
) -> Export:
    """Translate the chunk's creates and updates for the LMS; one item harms no other.

    Args:
        rows: the chunk's transmission rows by content key.
        documents: those of the chunk's creates and updates; may hold others.
    """
    export = Export()
    for item in chunk.items:
        row = rows[item.content_key]
        if item.action is Action.DELETE:
            gone = Outgoing(item.content_key, {}, row.remote_id, action=item.action, title=row.content_title)
            export.outgoing.append(gone)
        else:
            assert item.catalog_uuid is not None  # only deletes have none
            _export_item(item, row, documents[item.catalog_uuid], channel, export)
    return export


def _export_item(
    planned: PlannedItem,
    row: ContentMetadataItemTransmission,
    answer: MetadataAnswer,
    channel: Channel[Any, Any],
    export: Export,
) -> None:
    key = planned.content_key
    if key in answer.missing:
        reason = f"The catalog no longer has it ({answer.missing[key]}); the next run decides."
        export.settled.append(ItemResult(key, Outcome.SKIPPED, message=reason))
        return
    if key in answer.unreadable:
        unreadable = answer.unreadable[key]
        export.exported[key] = Exported(updated_at=unreadable.updated_at)
        export.settled.append(ItemResult(key, Outcome.REJECTED, message=unreadable.reason))
        return
    item = answer.items[key]
    export.exported[key] = Exported(item.title, item.updated_at)
    try:
        payload = channel.transform(item)
    except RejectedError as error:
        export.settled.append(ItemResult(key, Outcome.REJECTED, message=error.message))
        return
    digest = payload_hash(payload)
    export.exported[key] = Exported(item.title, item.updated_at, digest)
    if planned.action is Action.UPDATE and row.state == State.TRANSMITTED and row.payload_hash == digest:
        export.settled.append(ItemResult(key, Outcome.UNCHANGED))
    else:
        may_be_there = row.presence != Presence.ABSENT or bool(row.remote_id)
        export.outgoing.append(Outgoing(key, payload, row.remote_id, may_be_there, planned.action, item.title))
