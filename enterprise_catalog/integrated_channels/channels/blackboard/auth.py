"""OAuth 2 consent for Blackboard: a user consents once ("three-legged"), and each run refreshes the tokens.

https://docs.anthology.com/docs/blackboard/rest-apis/getting-started/3lo
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.protocols.oauth import Consent, ConsentCredentials

#: Without ``offline``, Blackboard returns no refresh token.
SCOPES: Final = ("read", "write", "offline")
DELETE_SCOPE: Final = "delete"


class BlackboardCredentials(ConsentCredentials):
    """The application's key and secret, and the refresh token from a user's consent, which changes with each run."""

    client_id: str = Field(
        min_length=1, description="The application's key (not its ID), from developer.anthology.com."
    )


class BlackboardConsent(Consent):
    """Consent and tokens for Blackboard. The refresh token changes with each use."""

    authorization_path = "/learn/api/public/v1/oauth2/authorizationcode"
    token_path = "/learn/api/public/v1/oauth2/token"
    is_basic = True
    nothing_there = "The base URL has no {lms}, or the application is not installed there. Check both."
