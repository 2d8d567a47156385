"""How Blackboard lets us in: a person consents once (OAuth 2, "three-legged"), and each run refreshes that consent.

https://docs.anthology.com/docs/blackboard/rest-apis/getting-started/3lo
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.answers import read
from enterprise_catalog.integrated_channels.channels.oauth import Consent, ConsentCredentials, Refusal
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RetryableError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.http import Answer

#: Without ``offline`` there is no refresh token.
SCOPES: Final = ("read", "write", "offline")
DELETE_SCOPE: Final = "delete"

_REASONS: Final = {
    "invalid_grant": "Blackboard no longer takes the consent (invalid_grant): authorize the configuration again.",
    "invalid_client": "Blackboard does not know the application's key and secret (invalid_client).",
}


class BlackboardCredentials(ConsentCredentials):
    """The application's key and secret, and what a person's consent gave us, which changes with each run."""

    client_id: str = Field(
        min_length=1, description="The application's key (not its ID), from developer.anthology.com."
    )


class BlackboardConsent(Consent):
    """Tokens of one Blackboard, whose refresh token changes with each use."""

    authorization_path = "/learn/api/public/v1/oauth2/authorizationcode"
    token_path = "/learn/api/public/v1/oauth2/token"  # noqa: S105  (a path)
    is_basic = True
    nothing_there = "There is no Blackboard at the base URL, or our application is not installed there."
    no_refresh_token = "Blackboard gave no refresh token: the consent does not include offline access."  # noqa: S105

    def nobody_consented(self) -> CredentialsError:
        return CredentialsError("Nobody has let us into this Blackboard yet: authorize the configuration.")

    def refused(self, answer: Answer) -> CredentialsError | RetryableError:
        """Return the error for a code of OAuth 2. What is no such code is not repeated: it may hold what we sent."""
        code, status = read(Refusal, answer).error, answer.status_code
        if code == "server_error":
            return RetryableError("Blackboard could not give out a token.", status_code=status, vendor_code=code)
        if code not in _REASONS:
            return CredentialsError(f"Blackboard gives us no token: it answered {status}.", status_code=status)
        return CredentialsError(_REASONS[code], status_code=status, vendor_code=code)
