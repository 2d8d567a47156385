"""The payloads of an item: last accepted, last sent, and the one that would be sent now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import TransmissionPayload
from enterprise_catalog.integrated_channels.models.payloads import unpack

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.domain import Payload
    from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission


@dataclass(frozen=True, slots=True)
class SentPayload:
    """A payload that was sent."""

    payload: Payload
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPayloads:
    """The stored payloads of one item. Items that were adopted, or last sent by an old release, have none."""

    accepted: SentPayload | None  #: Last accepted by the LMS.
    sent: SentPayload | None  #: Last sent; equal to ``accepted`` if the LMS accepted it.

    @property
    def is_sent_accepted(self) -> bool:
        """True if the payload last sent is the one last accepted."""
        return self.accepted is not None and self.accepted is self.sent


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
