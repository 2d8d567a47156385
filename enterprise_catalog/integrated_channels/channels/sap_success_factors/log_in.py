"""How SAP SuccessFactors gives out tokens: by its old token server, or for a SAML assertion, which takes its place.

A token is good for half an hour or longer; each run fetches its own, and does not ask how long.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, SecretStr

from enterprise_catalog.integrated_channels.channels import oauth, saml
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.fields import TokenBaseURL, shown
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.http import LMSClient

#: KBA 2558226. SAP withdraws it: announced for November 2026, then put off to the second half of 2027.
TOKEN_SERVER_PATH: Final = "/learning/oauth-api/rest/v1/token"  # noqa: S105  (no secret)
SAML_PATH: Final = "/oauth/token"


class LogInSettings(ChannelSettings):
    """Who we are at one SAP, and which of the two ways its customer has."""

    company_id: str = Field(min_length=1, description="The customer's company ID at SAP.")
    token_kind: Literal["token_server", "saml_bearer"] = Field(
        default="token_server",
        description="'token_server' (client secret), or 'saml_bearer' (assertion), its successor.",
    )
    user_id: str = Field(default="", description="Whom imports are made for; not needed with a given assertion.")
    user_type: Literal["admin", "user"] = Field(default="admin", description="Of that user; only for the token server.")
    token_base_url: TokenBaseURL = ""
    saml_issuer: str = Field(default="", description="The issuer of our assertions; empty for the client ID.")
    saml_audience: str = Field(default="www.successfactors.com", description="The audience of our assertions.")


class SAPCredentials(ChannelSettings):
    """How SAP knows us: a secret, a key to sign assertions with, or an assertion that somebody else has signed."""

    client_id: str = Field(min_length=1, description="The OAuth client's ID; SAP calls it API key, too.")
    client_secret: SecretStr | None = Field(default=None, description="For the token kind 'token_server'.")
    private_key: saml.SigningKey | None = Field(
        default=None, description="For the token kind 'saml_bearer': an RSA key as PEM, whose certificate SAP has."
    )
    assertion: SecretStr | None = Field(
        default=None, description="For 'saml_bearer', instead of a key: a signed assertion, as XML or in Base64."
    )


class LogIn:
    """Fetches tokens in the customer's way. Not for several threads at once; ``BearerClient`` sees to that."""

    def __init__(self, client: LMSClient, settings: LogInSettings, credentials: SAPCredentials) -> None:
        """Prepare calls; nothing is sent yet.

        Raises:
            ConfigurationError: the token kind needs settings or credentials that are not there.
        """
        self._client = client.at(settings.token_base_url) if settings.token_base_url else client
        self._settings, self._credentials = settings, credentials
        self._by_assertion = settings.token_kind == "saml_bearer"  # noqa: S105  (a name)
        needed: dict[str, object] = {"client_secret": credentials.client_secret, "user_id": settings.user_id}
        if self._by_assertion:
            given = credentials.assertion
            needed = {"private_key": given or credentials.private_key, "user_id": given or settings.user_id}
        if missing := [name for name, value in needed.items() if not value]:
            raise ConfigurationError(f"For this token kind SAP needs {' and '.join(missing)}.")

    def fetch_token(self) -> str:
        """Return an access token."""
        path = SAML_PATH if self._by_assertion else TOKEN_SERVER_PATH
        nothing_there = f"SAP gives out no tokens at {self._client.base_url}{path}."
        request = self._with_assertion() if self._by_assertion else self._with_secret()
        refused = "SAP gives no token."
        grant = oauth.request_grant(self._client, path, refused=refused, nothing_there=nothing_there, **request)
        return grant.access_token

    def _with_secret(self) -> dict[str, Any]:
        """Return a request to Learning's own token server."""
        who, settings = self._credentials, self._settings
        user = {"userId": settings.user_id, "companyId": settings.company_id, "userType": settings.user_type}
        return {
            "json": {"grant_type": "client_credentials", "scope": {**user, "resourceType": "learning_public_api"}},
            "headers": oauth.basic_authentication(self._client, who.client_id, shown(who.client_secret)),
        }

    def _with_assertion(self) -> dict[str, Any]:
        """Return a request that hands in an assertion: one of our own, made for it, or the one that was given."""
        assertion = self._assertion()
        self._client.keep_secret(assertion)
        who = {"company_id": self._settings.company_id, "client_id": self._credentials.client_id}
        return {"form": {**who, "grant_type": saml.GRANT_TYPE, "assertion": assertion}}

    def _assertion(self) -> str:
        """Return the assertion in Base64."""
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
        # An assertion says until when it is good: the one time that a channel must know.
        xml = given.encode() or saml.signed_assertion(claims, private_key=private_key, now=datetime.now(UTC))
        return base64.b64encode(xml).decode()
