"""Exports chunks: from history, catalog diff and metadata to the items to send. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.channels.content.text import payload_hash
from enterprise_catalog.integrated_channels.domain import (
    Action,
    Exported,
    ItemResult,
    Outcome,
    Outgoing,
    Presence,
    State,
)
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from enterprise_catalog.integrated_channels.models.payloads import pack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient, MetadataResponse
    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import Chunk, Payload, PlannedItem
    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission


@dataclass(slots=True)
class Export:
    """One chunk, split into items to send and items that are already settled."""

    outgoing: list[Outgoing] = field(default_factory=list)
    exported: dict[str, Exported] = field(default_factory=dict)  #: By content key; deletes have none.
    settled: list[ItemResult] = field(default_factory=list)  #: Unchanged, rejected, or no longer in the catalog.


@dataclass(frozen=True, slots=True)
class Translation:
    """One item in the LMS's schema, or the reason why there is nothing to send."""

    exported: Exported | None  #: ``None`` if the catalog no longer has it.
    payload: Payload = field(default_factory=dict)
    refusal: ItemResult | None = None  #: Instead of a payload.


@dataclass(slots=True)
class Translations:
    """The creates and updates of a chunk."""

    by_key: dict[str, Translation] = field(default_factory=dict)  #: By content key.
    versions: dict[UUID, str] = field(default_factory=dict)  #: Catalog -> its version, when the content was read.


def translate_chunk(chunk: Chunk, catalog: CatalogClient, channel: Channel) -> Translations:
    """Fetch the chunk's creates and updates and translate them for the LMS. An invalid item does not affect the others.

    Raises:
        CatalogUnavailableError: the metadata could not be fetched.
    """
    keys: dict[UUID, list[str]] = defaultdict(list)
    for item in chunk.items:
        if item.action is not Action.DELETE:
            assert item.catalog_uuid is not None  # only deletes have none
            keys[item.catalog_uuid].append(item.content_key)
    translations = Translations()
    for catalog_uuid, of_catalog in keys.items():
        response = catalog.fetch_metadata(catalog_uuid, of_catalog)
        translations.versions[catalog_uuid] = response.version
        translations.by_key |= {key: translate(key, response, channel) for key in of_catalog}
    return translations


def translate(key: str, response: MetadataResponse, channel: Channel) -> Translation:
    """Translate one item of the catalog's response, or return the reason why it cannot be sent."""
    if key in response.missing:
        reason = f"The catalog no longer contains this item ({response.missing[key]}). The next run decides what to do."
        return Translation(None, refusal=ItemResult(key, Outcome.SKIPPED, message=reason))
    if key in response.unreadable:
        unreadable = response.unreadable[key]
        return Translation(
            Exported(updated_at=unreadable.updated_at),
            refusal=ItemResult(key, Outcome.REJECTED, message=unreadable.reason),
        )
    item = response.items[key]
    try:
        payload = channel.transform(item)
    except RejectedError as error:
        return Translation(
            Exported(item.title, item.updated_at), refusal=ItemResult(key, Outcome.REJECTED, message=error.message)
        )
    # Packed here, because the next chunk is translated while the LMS processes the current one.
    packed = pack(payload, redacted=channel.client.redacted)
    return Translation(Exported(item.title, item.updated_at, payload_hash(payload), packed), payload)


def export_chunk(
    chunk: Chunk, rows: Mapping[str, ContentMetadataItemTransmission], translations: Translations
) -> Export:
    """Split the chunk into items to send and items that are already settled.

    Args:
        rows: the chunk's transmission rows by content key.
        translations: the chunk's creates and updates; may contain other items.
    """
    export = Export()
    for item in chunk.items:
        row = rows[item.content_key]
        if item.action is Action.DELETE:
            gone = Outgoing(item.content_key, {}, row.remote_id, action=item.action, title=row.content_title)
            export.outgoing.append(gone)
        else:
            _export_item(item, row, translations.by_key[item.content_key], export)
    return export


def _export_item(
    planned: PlannedItem, row: ContentMetadataItemTransmission, translation: Translation, export: Export
) -> None:
    key, exported = planned.content_key, translation.exported
    if exported is not None:
        export.exported[key] = exported
    if translation.refusal is not None:
        export.settled.append(translation.refusal)
        return
    assert exported is not None  # only items that were found have a payload
    if planned.action is Action.UPDATE and row.state == State.TRANSMITTED and row.payload_hash == exported.payload_hash:
        export.settled.append(ItemResult(key, Outcome.UNCHANGED))
    else:
        may_be_there = row.presence != Presence.ABSENT or bool(row.remote_id)
        outgoing = Outgoing(key, translation.payload, row.remote_id, may_be_there, planned.action, exported.title)
        export.outgoing.append(outgoing)
