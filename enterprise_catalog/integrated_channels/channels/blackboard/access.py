"""How Blackboard lets us in: a person consents once (OAuth 2, "three-legged"), and each run refreshes that consent.

https://docs.anthology.com/docs/blackboard/rest-apis/getting-started/3lo
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pydantic import BaseModel, Field, SecretStr

from enterprise_catalog.integrated_channels.channels.answers import read
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.integrated_channels.channels.base import SaveCredentials
    from enterprise_catalog.integrated_channels.http import LMSClient

TOKENS: Final = "/learn/api/public/v1/oauth2/token"
CONSENT: Final = "/learn/api/public/v1/oauth2/authorizationcode"

#: Without ``offline`` there is no refresh token.
SCOPES: Final = ("read", "write", "offline")
DELETE_SCOPE: Final = "delete"

_REASONS: Final = {
    "invalid_grant": "Blackboard no longer takes the consent (invalid_grant): authorize the configuration again.",
    "invalid_client": "Blackboard does not know the application's key and secret (invalid_client).",
}


class BlackboardCredentials(ChannelSettings):
    """The application's key and secret, and what a person's consent gave us."""

    client_id: str = Field(
        min_length=1, description="The application's key (not its ID), from developer.anthology.com."
    )
    client_secret: SecretStr = Field(min_length=1, description="The application's secret.")
    refresh_token: SecretStr = Field(
        default=SecretStr(""), description="Comes with the consent of a person, and changes with each run."
    )


class _Tokens(BaseModel):
    access_token: str = Field(min_length=1)
    refresh_token: str = ""
    scope: str = ""


class _Failure(BaseModel):
    error: str = ""


class Access:
    """Tokens of one Blackboard. Not for several threads at once; ``BearerClient`` sees to that."""

    def __init__(
        self,
        client: LMSClient,
        credentials: BlackboardCredentials,
        *,
        save_credentials: Callable[[], SaveCredentials],
        scopes: tuple[str, ...] = SCOPES,
    ) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            save_credentials: returns what stores a new refresh token.
            scopes: what a person is asked to allow.
        """
        self._client = client
        self._credentials = credentials
        self._save_credentials = save_credentials
        self._scopes = scopes
        self._refresh_token = credentials.refresh_token.get_secret_value()
        self._granted: frozenset[str] = frozenset()

    def missing_scopes(self) -> list[str]:
        """Return what the consent lacks, as far as Blackboard told when it last gave a token."""
        return [scope for scope in self._scopes if self._granted and scope not in self._granted]

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        """Return where a person of the customer lets us in."""
        query = {
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "client_id": self._credentials.client_id,
            "scope": " ".join(self._scopes),
            "state": state,
        }
        return f"{self._client.base_url}{CONSENT}?{urlencode(query)}"

    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        """Return the credentials that the code of a consent is worth."""
        tokens = self._ask({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})
        if not tokens.refresh_token:
            raise CredentialsError("Blackboard gave no refresh token: the consent does not include offline access.")
        return {"refresh_token": tokens.refresh_token}

    def fetch_token(self) -> str:
        """Return an access token; the refresh token that came with it is stored before anybody can use it.

        The one that was used is worth nothing afterwards: if its successor were lost, a person would have to consent
        again.
        """
        if not self._refresh_token:
            raise CredentialsError("Nobody has let us into this Blackboard yet: authorize the configuration.")
        tokens = self._ask({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
        if tokens.refresh_token and tokens.refresh_token != self._refresh_token:
            self._save_credentials()({"refresh_token": tokens.refresh_token})
            self._refresh_token = tokens.refresh_token
        self._granted = frozenset(tokens.scope.split())
        return tokens.access_token

    def _ask(self, form: Mapping[str, str]) -> _Tokens:
        """Ask for tokens.

        Raises:
            CredentialsError: Blackboard knows the application or the consent no longer.
            ConfigurationError: nobody gives out tokens at the base URL, or the application is not installed there.
            RetryableError: it may work later. A refresh token that was used may be lost then.
        """
        secret = self._credentials.client_secret.get_secret_value()
        basic = b64encode(f"{self._credentials.client_id}:{secret}".encode()).decode()
        self._client.keep_secret(basic)
        answer = self._client.send(
            "POST",
            TOKENS,
            form=form,
            headers={"Authorization": f"Basic {basic}"},
            accept=(400, 401, 403, 404),
            answer_is_secret=True,
            is_counted=False,
        )
        if answer.status_code == 404:
            message = "There is no Blackboard at the base URL, or our application is not installed there."
            raise ConfigurationError(message, status_code=404)
        if answer.status_code >= 400:
            raise _refusal(read(_Failure, answer).error, answer.status_code)
        tokens = read(_Tokens, answer)
        self._client.keep_secret(tokens.refresh_token)
        return tokens


def _refusal(code: str, status_code: int) -> CredentialsError | RetryableError:
    """Return the error for a code of OAuth 2. What is no such code is not repeated: it may hold what we sent."""
    if code == "server_error":
        return RetryableError("Blackboard could not give out a token.", status_code=status_code, vendor_code=code)
    if code not in _REASONS:
        return CredentialsError(f"Blackboard gives us no token: it answered {status_code}.", status_code=status_code)
    return CredentialsError(_REASONS[code], status_code=status_code, vendor_code=code)
