"""Logins of LMSs that poll feeds: find the configuration for a user name and a password.

Every rejection takes the same work, even if the customer or the name does not exist. So response times reveal nothing.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from django.conf import settings
from pydantic import ValidationError
from rest_framework.throttling import BaseThrottle

from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.channels.base import FeedCredentials
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.web.client_address import client_network
from enterprise_catalog.web.login_limits import Rate, count, try_login

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request
    from rest_framework.views import APIView

#: Minimum number of credentials compared per login. A customer has fewer configurations, and most have one.
_LEAST_COMPARISONS: Final = 4


class FeedThrottle(BaseThrottle):
    """Limits requests by address. Without a cache it rejects all requests, because passwords could then be guessed."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        rate = Rate.parse(settings.FEED_THROTTLE_RATE)
        requests = count("feed address", client_network(request), rate)
        return requests is not None and requests <= rate.limit

    def wait(self) -> float:
        return Rate.parse(settings.FEED_THROTTLE_RATE).retry_after


def log_in(
    request: Request, configurations: Sequence[ChannelConfiguration], *, name: str, password: str
) -> ChannelConfiguration | None:
    """Return the configuration with these credentials, or ``None``.

    Raises:
        TooManyFailuresError: the name has failed too often, and has never logged in from the request's network.
    """
    return try_login(
        lambda: _find_match(configurations, name, password),
        scope="feed",
        name=name,
        network=client_network(request),
        rate=Rate.parse(settings.FAILURE_THROTTLE_RATE),
    )


def _find_match(
    configurations: Sequence[ChannelConfiguration], name: str, password: str
) -> ChannelConfiguration | None:
    shown = _digest(name) + _digest(password)
    missing = max(0, _LEAST_COMPARISONS - len(configurations))
    matches = [each for each in [*configurations, *[_decoy()] * missing] if _has_credentials(each, shown)]
    return matches[0] if matches else None


def _has_credentials(configuration: ChannelConfiguration, shown: bytes) -> bool:
    try:
        known = FeedCredentials.model_validate(decrypt(configuration.credentials))
    except (ConfigurationError, ValidationError):
        return False
    held = _digest(known.username) + _digest(known.password.get_secret_value())
    return secrets.compare_digest(held, shown)


def _decoy() -> ChannelConfiguration:
    """Return a configuration with random credentials, which no login matches."""
    return ChannelConfiguration(credentials=_decoy_credentials(tuple(settings.CREDENTIALS_ENCRYPTION_KEYS)))


@functools.lru_cache(1)
def _decoy_credentials(_keys: tuple[str, ...]) -> str:
    return encrypt({"username": secrets.token_urlsafe(), "password": secrets.token_urlsafe()})


def _digest(text: str) -> bytes:
    """Return a SHA-256 digest. Comparing digests takes the same time for texts of any length."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
