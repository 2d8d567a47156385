"""Settings fields that several channels share, with their validation and the help text shown in the admin form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from enterprise_catalog.integrated_channels.domain import RateLimit

if TYPE_CHECKING:
    from pydantic import SecretStr

CallsPerMinute = Annotated[
    int | None, Field(ge=1, description="Maximum number of calls per minute; empty for no limit.")
]
TextLength = Annotated[
    int | None, Field(ge=50, description="Maximum length in characters; longer texts are cut. Empty for no limit.")
]


def _valid_url(url: str) -> str:
    """Return ``url``. A URL without a valid host or port would fail at every later use, such as in a comparison.

    Raises:
        ValueError: host or port are invalid.
    """
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("must be a URL with a valid host and port") from None
    return url


TokenBaseURL = Annotated[
    str,
    Field(pattern=r"^(https?://[^\s@]+)?$", description="Base URL for token requests, if they go to another host."),
    AfterValidator(_valid_url),
]


def rate_limit(calls_per_minute: int | None) -> RateLimit | None:
    """Return the channel's rate limit for its ``calls_per_minute`` setting; ``None`` for no limit."""
    return None if calls_per_minute is None else RateLimit(calls_per_minute, seconds=60)


def shown(secret: SecretStr | None) -> str:
    """Return the value of an optional secret field, in plain text; empty if the field is not set."""
    return secret.get_secret_value() if secret else ""
