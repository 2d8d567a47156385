"""Encryption of customers' credentials at rest, with keys that can be rotated.

``CREDENTIALS_ENCRYPTION_KEYS`` contains Fernet keys, newest first. The newest key encrypts; all keys decrypt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


def encrypt(credentials: Mapping[str, object]) -> str:
    """Return ``credentials`` as text that only the configured keys can decrypt."""
    return _cipher().encrypt(orjson.dumps(credentials)).decode()


def decrypt(text: str) -> dict[str, object]:
    """Return the credentials in a text from :func:`encrypt`; an empty text means no credentials.

    Raises:
        ConfigurationError: none of the configured keys can decrypt the text.
    """
    if not text:
        return {}
    try:
        credentials: dict[str, object] = orjson.loads(_cipher().decrypt(text))
    except (InvalidToken, ValueError):  # ValueError: never encrypted, or no key.
        message = "The credentials cannot be decrypted with any of CREDENTIALS_ENCRYPTION_KEYS. Enter them again."
        raise ConfigurationError(message) from None
    return credentials


def rotated(text: str) -> str:
    """Return the same credentials encrypted with the newest key.

    Raises:
        ConfigurationError: none of the configured keys can decrypt the text.
    """
    return encrypt(decrypt(text)) if text else ""


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_ENCRYPTION_KEYS])
