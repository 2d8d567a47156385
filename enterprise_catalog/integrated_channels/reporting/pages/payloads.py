"""The payloads of an item: last accepted, last sent, and the one that would be sent now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Action, Chunk, PlannedItem, State
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError, SyncError
from enterprise_catalog.integrated_channels.models import TransmissionPayload
from enterprise_catalog.integrated_channels.models.payloads import unpack
from enterprise_catalog.integrated_channels.sync.export import translate_chunk

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.domain import Payload
    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
    from enterprise_catalog.integrated_channels.sync.export import Translation

#: Maximum duration of a request for the current content, in seconds: a user is waiting.
PATIENCE_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True)
class SentPayload:
    """A payload that was sent."""

    payload: Payload
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPayloads:
    """The stored payloads of one item. Items that were adopted, or last sent by an old release, have none."""

    accepted: SentPayload | None  #: Last accepted by the LMS.
    sent: SentPayload | None  #: Last sent; the same object as ``accepted`` if the LMS accepted it.


@dataclass(frozen=True, slots=True)
class CurrentPayload:
    """The payload that would be sent now, or the reason why nothing can be sent."""

    payload: Payload | None
    problem: str = ""  #: A sentence; empty if there is a payload.


def stored_payloads(row: ContentMetadataItemTransmission) -> StoredPayloads:
    """Return the stored payloads of ``row``."""
    stored = TransmissionPayload.objects.filter(pk=row.pk).first()
    if stored is None:
        return StoredPayloads(None, None)
    sent = SentPayload(unpack(stored.sent), stored.sent_at)
    if stored.sent_hash == row.payload_hash and row.state != State.STAGED:
        return StoredPayloads(sent, sent)
    if stored.accepted is None or stored.accepted_at is None:
        return StoredPayloads(None, sent)
    return StoredPayloads(SentPayload(unpack(stored.accepted), stored.accepted_at), sent)


def current_payload(row: ContentMetadataItemTransmission) -> CurrentPayload:
    """Fetch the item's content from its catalog and translate it. Waits at most 8 seconds; sends nothing to the LMS.

    The payload is shortened and redacted like a stored one, so that both can be compared.
    """
    if row.catalog_uuid is None:
        return CurrentPayload(None, gettext("The item has no catalog yet. The next sync assigns one."))
    try:
        with (
            open_channel(row.configuration) as channel,
            CatalogClient(read_timeout_seconds=PATIENCE_SECONDS, run_seconds_left=lambda: PATIENCE_SECONDS) as catalog,
        ):
            item = PlannedItem(row.content_key, Action.UPDATE, reason="", catalog_uuid=row.catalog_uuid)
            translation = translate_chunk(Chunk((item,)), catalog, channel).by_key[row.content_key]
    except RunDeadlineError:
        text = gettext("The catalog service did not respond within %(seconds)d seconds. Try again.")
        return CurrentPayload(None, text % {"seconds": PATIENCE_SECONDS})
    except CatalogUnavailableError as error:
        return CurrentPayload(None, gettext("The content could not be fetched. %(reason)s") % {"reason": error.message})
    except SyncError as error:
        return CurrentPayload(None, error.message)
    return _translated(translation)


def _translated(translation: Translation) -> CurrentPayload:
    if translation.refusal is not None:
        return CurrentPayload(None, translation.refusal.message)
    assert translation.exported is not None  # An item without a refusal was found and translated.
    return CurrentPayload(unpack(translation.exported.packed))
