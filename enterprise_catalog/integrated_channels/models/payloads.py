"""The payloads last sent and last accepted of each transmission, packed.

A packed payload is JSON, compressed, of at most 64 KB. Texts above 1,000 characters are shortened. A shortened text
ends with its length and checksum, so that two versions of it still differ. ADR 0025 has the costs.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import orjson
from django.db import models

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models.transmissions import ContentMetadataItemTransmission

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.domain import Payload

#: Maximum size of a stored payload's JSON, in bytes.
MAX_PAYLOAD_BYTES: Final = 64 * 1024
#: Length above which a text is shortened, in characters.
SHORT_TEXT_LENGTH: Final = 1_000
#: Name of the only field of a payload that cannot be shown field by field.
NOT_FIELDS: Final = "payload"
#: zlib's fastest level.
_LEVEL: Final = 1


class TransmissionPayload(models.Model):
    """The payload last sent of one transmission. ``accepted`` is the last accepted one, unless that is ``sent``."""

    transmission = models.OneToOneField(
        ContentMetadataItemTransmission, models.PROTECT, primary_key=True, related_name="stored_payload"
    )
    sent = models.BinaryField()
    sent_hash = models.CharField(max_length=64, help_text="SHA-256 of the whole payload in ``sent``.")
    sent_at = models.DateTimeField()
    accepted = models.BinaryField(null=True, help_text="Empty until a further payload is sent after an accepted one.")
    accepted_at = models.DateTimeField(null=True, help_text="When the payload in ``accepted`` was sent.")

    def __str__(self) -> str:
        return f"payload of transmission {self.transmission_id}"


def keep_accepted() -> list[str]:
    """Return the SQL that keeps an existing row's payload as the accepted one, if it is the one that the LMS has.

    The assignments must precede those of the new payload.
    """
    payload, transmission = TransmissionPayload._meta.db_table, ContentMetadataItemTransmission._meta.db_table
    arrived = (
        f"(SELECT item.payload_hash FROM {transmission} item"  # noqa: S608  (no value from outside)
        f" WHERE item.id = {payload}.transmission_id AND item.state <> '{State.STAGED}')"
    )
    return [
        f"{kept} = CASE WHEN {payload}.sent_hash = {arrived} THEN {payload}.{sent} ELSE {payload}.{kept} END"
        for kept, sent in (("accepted", "sent"), ("accepted_at", "sent_at"))
    ]


def pack(payload: Payload, *, redacted: Callable[[str], str] = str) -> bytes:
    """Return ``payload`` as compressed JSON, with long texts shortened. The order of fields does not matter.

    Args:
        redacted: removes the connection's secrets from a text. It sees each text before it is cut: half of a secret
            would no longer be recognized.
    """
    text = redacted(_as_json(_shortened(payload, redacted)).decode())
    packed = text.encode()
    if len(packed) > MAX_PAYLOAD_BYTES:
        packed = _as_json({NOT_FIELDS: _short_text(text)})
    return zlib.compress(packed, _LEVEL)


def unpack(packed: bytes | memoryview[int]) -> Payload:
    """Return the payload in ``packed``; its text as the only field if a redacted secret has broken the JSON."""
    text = zlib.decompress(packed)
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError:
        payload = text.decode()
    return payload if isinstance(payload, dict) else {NOT_FIELDS: payload}


def _as_json(payload: object) -> bytes:
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


def _shortened(value: object, redacted: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return value if len(value) <= SHORT_TEXT_LENGTH else _short_text(redacted(value))
    if isinstance(value, dict):
        return {name: _shortened(part, redacted) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shortened(part, redacted) for part in value]
    return value


def _short_text(text: str) -> str:
    checksum = zlib.crc32(text.encode(errors="surrogatepass"))
    return f"{text[:SHORT_TEXT_LENGTH]}… [shortened: {len(text):,} characters, checksum {checksum:08x}]"
