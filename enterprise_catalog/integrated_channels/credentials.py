"""What customers entrust to us, encrypted at rest with keys that can be rotated.

``CREDENTIALS_ENCRYPTION_KEYS`` holds Fernet keys, the newest first: it encrypts, and all of them decrypt.
"""

from __future__ import annotations

from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError


def encrypt(credentials: dict[str, Any]) -> str:
    """Return ``credentials`` as text that only the configured keys can read."""
    return _cipher().encrypt(orjson.dumps(credentials)).decode()


def decrypt(text: str) -> dict[str, Any]:
    """Return what :func:`encrypt` was given; an empty text means no credentials.

    Raises:
        ConfigurationError: none of the configured keys fits.
    """
    if not text:
        return {}
    try:
        credentials: dict[str, Any] = orjson.loads(_cipher().decrypt(text))
    except (InvalidToken, ValueError):  # The latter for what was never encrypted, and for want of any key.
        message = "The credentials cannot be decrypted with any of CREDENTIALS_ENCRYPTION_KEYS; enter them again."
        raise ConfigurationError(message) from None
    return credentials


def rotated(text: str) -> str:
    """Return the same secret encrypted with the newest key.

    Raises:
        ConfigurationError: none of the configured keys fits.
    """
    return encrypt(decrypt(text)) if text else ""


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_ENCRYPTION_KEYS])
