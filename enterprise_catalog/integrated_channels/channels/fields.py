"""Fields that settings of several channels have: what is allowed, and the help that people see in the admin's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from enterprise_catalog.integrated_channels.types import RateLimit

if TYPE_CHECKING:
    from pydantic import SecretStr

CallsPerMinute = Annotated[
    int | None, Field(ge=1, description="The most calls in a minute that the learning system grants; null: no limit.")
]
TextLength = Annotated[int | None, Field(ge=50, description="In characters; what is longer is cut. null: no limit.")]
TokenBaseURL = Annotated[
    str, Field(pattern=r"^(https?://[^\s@]+)?$", description="Where tokens come from, if not from the base URL.")
]


def rate_limit(calls_per_minute: int | None) -> RateLimit | None:
    """Return the limit of a channel with such a setting."""
    return None if calls_per_minute is None else RateLimit(calls_per_minute, seconds=60)


def shown(secret: SecretStr | None) -> str:
    """Return what a secret field holds; empty if it was left empty."""
    return secret.get_secret_value() if secret else ""
