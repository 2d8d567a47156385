"""Token requests to SAP SuccessFactors: the old token server, and SAML assertions, which replace it.

A token is valid for 30 minutes or longer. Each run fetches its own token and ignores the lifetime.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, SecretStr

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.fields import TokenBaseURL, shown
from enterprise_catalog.integrated_channels.channels.protocols import oauth, saml
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import LMSClient

#: KBA 2558226. SAP will retire the token server: announced for November 2026, postponed to the second half of 2027.
TOKEN_SERVER_PATH: Final = "/learning/oauth-api/rest/v1/token"
SAML_PATH: Final = "/oauth/token"


class LogInSettings(ChannelSettings):
    """Identity of our client in one SAP system, and the kind of token request that the customer uses."""

    company_id: str = Field(min_length=1, description="The customer's company ID in SAP.")
    token_kind: Literal["token_server", "saml_bearer"] = Field(
        default="token_server",
        description="'token_server' requires a client secret; 'saml_bearer', its successor, a SAML assertion.",
    )
    user_id: str = Field(default="", description="User of the imports; not needed with a signed assertion.")
    user_type: Literal["admin", "user"] = Field(default="admin", description="Type of this user, for 'token_server'.")
    token_base_url: TokenBaseURL = ""
    saml_issuer: str = Field(default="", description="Issuer of the SAML assertions; empty for the client ID.")
    saml_audience: str = Field(default="www.successfactors.com", description="Audience of the SAML assertions.")


class SAPCredentials(ChannelSettings):
    """Credentials: a client secret, a key to sign assertions, or an assertion that has already been signed."""

    client_id: str = Field(min_length=1, description="OAuth client ID. SAP also calls it API key.")
    client_secret: SecretStr | None = Field(default=None, description="Client secret, for 'token_server'.")
    private_key: saml.SigningKey | None = Field(
        default=None, description="For 'saml_bearer': RSA key in PEM format whose certificate is registered in SAP."
    )
    assertion: saml.SignedAssertion | None = Field(
        default=None, description="For 'saml_bearer', instead of a key: signed assertion, as XML or in Base64."
    )


class LogIn:
    """Fetches tokens with the configured token kind. Not thread-safe; ``BearerClient`` serializes the calls."""

    def __init__(self, client: LMSClient, settings: LogInSettings, credentials: SAPCredentials) -> None:
        """Store the parameters. Sends nothing yet.

        Raises:
            ConfigurationError: the token kind requires settings or credentials that are missing.
        """
        self._client = client.at(settings.token_base_url) if settings.token_base_url else client
        self._settings, self._credentials = settings, credentials
        self._by_assertion = settings.token_kind == "saml_bearer"
        needed: dict[str, object] = {"client_secret": credentials.client_secret, "user_id": settings.user_id}
        if self._by_assertion:
            given = credentials.assertion
            needed = {"private_key": given or credentials.private_key, "user_id": given or settings.user_id}
        if missing := [name for name, value in needed.items() if not value]:
            raise ConfigurationError(f"The token kind {settings.token_kind!r} requires {' and '.join(missing)}.")

    def fetch_token(self) -> str:
        """Request an access token. Raises as ``oauth.request_grant`` does."""
        path = SAML_PATH if self._by_assertion else TOKEN_SERVER_PATH
        nothing_there = f"SAP has no token endpoint at {self._client.base_url}{path}. Check token_base_url."
        request = self._with_assertion() if self._by_assertion else self._with_secret()
        refused = "SAP rejected the token request. Check the credentials."
        grant = oauth.request_grant(self._client, path, refused=refused, nothing_there=nothing_there, **request)
        return grant.access_token

    def _with_secret(self) -> oauth.GrantRequest:
        """Return the arguments of a request to Learning's token server."""
        who, settings = self._credentials, self._settings
        user = {"userId": settings.user_id, "companyId": settings.company_id, "userType": settings.user_type}
        return {
            "json": {"grant_type": "client_credentials", "scope": {**user, "resourceType": "learning_public_api"}},
            "headers": oauth.basic_authentication(self._client, who.client_id, shown(who.client_secret)),
        }

    def _with_assertion(self) -> oauth.GrantRequest:
        """Return the arguments of a request with an assertion: a new one signed by us, or the configured one."""
        assertion = self._assertion()
        self._client.keep_secret(assertion)
        who = {"company_id": self._settings.company_id, "client_id": self._credentials.client_id}
        return {"form": {**who, "grant_type": saml.GRANT_TYPE, "assertion": assertion}}

    def _assertion(self) -> str:
        """Return the configured assertion, or a new one, in Base64."""
        given = shown(self._credentials.assertion).strip()
        if given and not given.startswith("<"):
            return given
        claims = saml.Claims(
            issuer=self._settings.saml_issuer or self._credentials.client_id,
            user_id=self._settings.user_id,
            audience=self._settings.saml_audience,
            recipient=self._client.base_url + SAML_PATH,
            attributes={"api_key": self._credentials.client_id},
        )
        private_key = shown(self._credentials.private_key)
        # Channels otherwise never read the clock, but an assertion must contain its expiry time.
        xml = given.encode() or saml.signed_assertion(claims, private_key=private_key, now=datetime.now(UTC))
        return base64.b64encode(xml).decode()
