"""How SAP SuccessFactors gives out tokens: by its old token server, or for a SAML assertion, which takes its place.

A token is good for half an hour or longer; each run fetches its own, and does not ask how long.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, SecretStr, field_validator

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.oauth import basic_authentication, request_grant
from enterprise_catalog.integrated_channels.channels.saml import Claims, is_signing_key, signed_assertion
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.http import Answer, LMSClient

#: KBA 2558226. SAP withdraws it: announced for November 2026, then put off to the second half of 2027.
TOKEN_SERVER_PATH: Final = "/learning/oauth-api/rest/v1/token"  # noqa: S105  (no secret)
SAML_PATH: Final = "/oauth/token"
SAML_GRANT: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"  #: RFC 7522

#: Asks SAP for an access token.
TokenProvider = Callable[[], str]


class SAPCredentials(ChannelSettings):
    """How SAP knows us: a secret, a key to sign assertions with, or an assertion that somebody else has signed."""

    client_id: str = Field(min_length=1, description="The OAuth client's ID; SAP calls it API key, too.")
    client_secret: SecretStr | None = Field(default=None, description="For the token kind 'token_server'.")
    private_key: SecretStr | None = Field(
        default=None,
        description="For the token kind 'saml_bearer': an RSA key as PEM, whose certificate SAP has.",
    )
    assertion: SecretStr | None = Field(
        default=None,
        description="For the token kind 'saml_bearer', instead of a key: a signed assertion, as XML or in Base64.",
    )

    @field_validator("private_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_signing_key(value.get_secret_value()):
            raise ValueError("an RSA key as PEM, without a passphrase, is needed")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenServer:
    """A token for client ID and secret, from Learning's own token server."""

    client: LMSClient  #: Of the address that tokens come from.
    credentials: SAPCredentials
    company_id: str
    user_id: str
    user_type: str

    def __post_init__(self) -> None:
        _require(client_secret=_shown(self.credentials.client_secret), user_id=self.user_id)

    def __call__(self) -> str:
        scope = {
            "userId": self.user_id,
            "companyId": self.company_id,
            "userType": self.user_type,
            "resourceType": "learning_public_api",
        }
        return _fetched(
            self.client,
            TOKEN_SERVER_PATH,
            json={"grant_type": "client_credentials", "scope": scope},
            headers=basic_authentication(
                self.client, self.credentials.client_id, _shown(self.credentials.client_secret)
            ),
        )


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SAMLBearer:
    """A token for a SAML assertion: one of our own, made for this very request, or the one that was given."""

    client: LMSClient  #: Of the address that tokens come from.
    credentials: SAPCredentials
    company_id: str
    user_id: str
    issuer: str
    audience: str
    clock: Callable[[], datetime] = _now  #: An assertion says until when it is good: the one time a channel must know.

    def __post_init__(self) -> None:
        given = _shown(self.credentials.assertion)
        if not given:
            _require(private_key=_shown(self.credentials.private_key), user_id=self.user_id)

    def __call__(self) -> str:
        assertion = self._assertion()
        self.client.keep_secret(assertion)
        form = {
            "company_id": self.company_id,
            "client_id": self.credentials.client_id,
            "grant_type": SAML_GRANT,
            "assertion": assertion,
        }
        return _fetched(self.client, SAML_PATH, form=form)

    def _assertion(self) -> str:
        """Return the assertion in Base64."""
        given = _shown(self.credentials.assertion).strip()
        if given and not given.startswith("<"):
            return given
        xml = given.encode() or signed_assertion(
            Claims(
                issuer=self.issuer or self.credentials.client_id,
                user_id=self.user_id,
                audience=self.audience,
                recipient=self.client.base_url + SAML_PATH,
                attributes={"api_key": self.credentials.client_id},
            ),
            private_key=_shown(self.credentials.private_key),
            now=self.clock(),
        )
        return base64.b64encode(xml).decode()


def _fetched(client: LMSClient, path: str, **request: Any) -> str:
    """Return the token that SAP answers with."""
    nothing_there = f"SAP gives out no tokens at {client.base_url}{path}."
    return request_grant(client, path, refused=_no_token, nothing_there=nothing_there, **request).access_token


def _no_token(answer: Answer) -> CredentialsError:
    status = answer.status_code
    return CredentialsError(f"SAP gives no token. The learning system answered {status}.", status_code=status)


def _shown(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _require(**fields: str) -> None:
    missing = [name for name, value in fields.items() if not value]
    if missing:
        raise ConfigurationError(f"For this token kind SAP needs {' and '.join(missing)}.")
