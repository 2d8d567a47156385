"""OAuth 2.0 (RFC 6749): token requests, and consent by a user of the LMS.

Numbers in parentheses are sections of RFC 6749. ``tokens.py`` caches the access token and sends it with each request.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, ClassVar, Final, TypedDict
from urllib.parse import urlencode

from pydantic import BaseModel, Field, SecretStr

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, ConsentingChannel
from enterprise_catalog.integrated_channels.channels.content.text import REASON_LENGTH, cut
from enterprise_catalog.integrated_channels.channels.fields import shown
from enterprise_catalog.integrated_channels.channels.responses import read, require_there
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Unpack

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.exceptions import SyncError
    from enterprise_catalog.integrated_channels.lms.client import LMSClient, LMSResponse

#: Statuses that reject a login. They never concern an item. 408, 425 and 429 are temporary, and handled elsewhere.
_REFUSALS: Final = frozenset(range(400, 500)) - {408, 425, 429}

#: Error codes of temporary failures (4.1.2.1).
_PASSING_CODES: Final = frozenset({"server_error", "temporarily_unavailable"})
#: Error codes that messages may quote (5.2). Any other value may be an echo of our request, secrets included.
_CODES: Final = _PASSING_CODES | {
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
}


class ClientCredentials(ChannelSettings):
    """Client ID and secret of our application at an LMS."""

    client_id: str = Field(min_length=1, description="Client ID of this application in the LMS.")
    client_secret: SecretStr = Field(min_length=1, description="Client secret of this application in the LMS.")

    def as_form(self) -> dict[str, str]:
        """Return client ID and secret as form fields of a token request."""
        return {"client_id": self.client_id, "client_secret": self.client_secret.get_secret_value()}


class ConsentCredentials(ClientCredentials):
    """Client ID and secret of our application, and the refresh token from a user's consent."""

    refresh_token: SecretStr | None = Field(default=None, description="Set by the authorization; leave it empty.")


class Grant(BaseModel):
    """A successful token response (5.1)."""

    access_token: str = Field(min_length=1)
    refresh_token: str = ""
    scope: str = ""  #: Separated by spaces.


class Refusal(BaseModel):
    """The error response to a token request (5.2)."""

    error: str = ""
    error_description: str = ""


class GrantRequest(TypedDict, total=False):
    """Body and headers of a token request, as arguments of ``LMSClient.send``."""

    form: Mapping[str, str]
    json: Mapping[str, object]
    headers: Mapping[str, str]


def request_grant(
    client: LMSClient,
    path: str,
    *,
    refused: Callable[[LMSResponse], SyncError] | str,
    nothing_there: str,
    **request: Unpack[GrantRequest],
) -> Grant:
    """Request tokens, and make the client redact them from messages. Does not count against the rate limit.

    Args:
        refused: a function that returns the exception for a rejected request (status 400 to 499, temporary failures
            excluded); or the error message, if the LMS's own message must not be quoted. The status is appended.
        nothing_there: the error message if ``path`` has no token endpoint.
        request: the body and further headers.

    Raises:
        ConfigurationError: ``path`` does not exist (404 or 405).
        RetryableError: the request may succeed later. It is unknown if a refresh token that was sent is still valid.
    """
    response = client.send("POST", path, accept=_REFUSALS, response_is_secret=True, is_counted=False, **request)
    require_there(response, nothing_there)
    if response.status_code >= 400:
        raise refused(response) if callable(refused) else _no_token(refused, response)
    grant = read(Grant, response)
    for token in (grant.access_token, grant.refresh_token):
        client.keep_secret(token)
    return grant


def _no_token(text: str, response: LMSResponse) -> CredentialsError:
    status = response.status_code
    return CredentialsError(f"{text} The LMS returned {status}.", status_code=status)


def request_client_token(
    client: LMSClient,
    path: str,
    credentials: ClientCredentials,
    *,
    scope: str,
    headers: Mapping[str, str] | None = None,
    refused: Callable[[LMSResponse], SyncError] | str,
    nothing_there: str,
) -> str:
    """Return an access token for our application itself. Requires no user consent (client credentials, 4.4).

    Raises as :func:`request_grant` does.

    Args:
        scope: the requested scopes, separated as the LMS requires.
        headers: further headers.
        refused: as for :func:`request_grant`, like ``nothing_there``.
    """
    form = {"grant_type": "client_credentials", **credentials.as_form(), "scope": scope}
    grant = request_grant(client, path, form=form, headers=headers or {}, refused=refused, nothing_there=nothing_there)
    return grant.access_token


def basic_authentication(client: LMSClient, client_id: str, client_secret: str) -> dict[str, str]:
    """Return the ``Authorization`` header for HTTP Basic (2.3.1). The client redacts its value from messages."""
    pair = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    client.keep_secret(pair)
    return {"Authorization": f"Basic {pair}"}


class Consent:
    """A user's consent (authorization code, 4.1), and the access tokens that it yields in every run.

    Not thread-safe; ``BearerClient`` serializes the calls.
    """

    authorization_path: ClassVar[str]  #: Path of the consent page, below the base URL.
    token_path: ClassVar[str]
    is_basic: ClassVar[bool] = False  #: Send client ID and secret by HTTP Basic instead of in the form.
    nothing_there: ClassVar[str] = "The base URL has no token endpoint of {lms}. Check the base URL."
    #: Error codes that mean the consent is no longer valid.
    withdrawn_codes: ClassVar[frozenset[str]] = frozenset({"invalid_grant"})

    def __init__(self, channel: Channel[ChannelSettings, ConsentCredentials], *, scopes: Sequence[str] = ()) -> None:
        """Store the parameters. Sends nothing yet.

        Args:
            channel: has :class:`ConsentCredentials`, and saves each new refresh token.
            scopes: the scopes that the user is asked to allow.
        """
        self._channel = channel
        self._client = channel.client
        self._lms = channel.label
        self._credentials = channel.credentials
        self._scopes = scopes
        self._granted: frozenset[str] = frozenset()
        self._refresh_token = shown(self._credentials.refresh_token)

    def refused(self, response: LMSResponse) -> SyncError:
        """Return the error for a rejected token request (status 400 to 499). Quotes the LMS only for known codes."""
        refusal, status = read(Refusal, response), response.status_code
        code, text = refusal.error, self._client.redacted(refusal.error_description)
        if code not in _CODES:
            return CredentialsError(f"{self._lms} rejected the token request with status {status}.", status_code=status)
        reason = cut(f"{code}: {text}" if text else code, REASON_LENGTH)
        if code in _PASSING_CODES:
            message = f"{self._lms} is temporarily unable to issue a token ({reason})."
            return RetryableError(message, status_code=status, vendor_code=code)
        return CredentialsError(f"{self._lms} {self._meaning(code, reason)}", status_code=status, vendor_code=code)

    def _meaning(self, code: str, reason: str) -> str:
        if code in self.withdrawn_codes:
            return f"rejected the stored consent ({reason}). Authorize the configuration again."
        if code == "invalid_client":
            return f"rejected the client ID or client secret ({reason}). Correct the credentials."
        return f"rejected the token request ({reason})."

    @property
    def is_given(self) -> bool:
        """True if there is a refresh token from a user's consent."""
        return bool(self._refresh_token)

    def missing_scopes(self) -> list[str]:
        """Return the scopes missing from the last token response; empty if the response listed no scopes."""
        return [scope for scope in self._scopes if self._granted and scope not in self._granted]

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        """Return the URL of the consent page."""
        query = {"client_id": self._credentials.client_id, "response_type": "code", "redirect_uri": redirect_uri}
        scope = {"scope": " ".join(self._scopes)} if self._scopes else {}
        return f"{self._client.base_url}{self.authorization_path}?{urlencode({**query, 'state': state, **scope})}"

    def redeem(self, code: str, *, redirect_uri: str) -> dict[str, str]:
        """Exchange an authorization code for credentials: field -> value.

        Raises:
            CredentialsError: the LMS rejects the code, or returns no refresh token.
        """
        self._client.keep_secret(code)
        grant = self._request({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})
        if not grant.refresh_token:
            message = f"{self._lms} returned no refresh token: the consent does not include offline access."
            raise CredentialsError(f"{message} Allow it for this application in the LMS, and authorize again.")
        return {"refresh_token": grant.refresh_token}

    def fetch_token(self) -> str:
        """Return an access token. Stores a new refresh token before it returns.

        The LMS may invalidate the old refresh token. If the new one were lost, a user would have to consent again.

        Raises:
            CredentialsError: the configuration has not been authorized yet, or the consent is no longer valid.
        """
        if not self._refresh_token:
            raise CredentialsError('This configuration has not been authorized yet. Use "Authorize" on its page.')
        grant = self._request({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
        if grant.refresh_token not in ("", self._refresh_token):
            self._channel.save_credentials({"refresh_token": grant.refresh_token})
            self._refresh_token = grant.refresh_token
        self._granted = frozenset(grant.scope.split())
        return grant.access_token

    def _request(self, form: Mapping[str, str]) -> Grant:
        headers = {}
        if self.is_basic:
            secret = self._credentials.client_secret.get_secret_value()
            headers = basic_authentication(self._client, self._credentials.client_id, secret)
        else:
            form = {**form, **self._credentials.as_form()}
        return request_grant(
            self._client,
            self.token_path,
            refused=self.refused,
            nothing_there=self.nothing_there.format(lms=self._lms),
            form=form,
            headers=headers,
        )


class OAuthConsentingChannel(ConsentingChannel):
    """Mixin that implements :class:`ConsentingChannel` with the channel's :class:`Consent`."""

    consent: Consent

    @property
    def is_authorized(self) -> bool:
        return self.consent.is_given

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        return self.consent.authorization_url(redirect_uri=redirect_uri, state=state)

    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        return self.consent.redeem(code, redirect_uri=redirect_uri)
