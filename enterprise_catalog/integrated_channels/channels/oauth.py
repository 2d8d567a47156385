"""OAuth 2.0 (RFC 6749) as learning systems speak it: how tokens are asked for, and how a person lets us in.

``tokens.py`` keeps the access token that comes of it, and sends it with each request.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlencode

from pydantic import BaseModel, Field, SecretStr

from enterprise_catalog.integrated_channels.channels.answers import read, require_there
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, ConsentingChannel
from enterprise_catalog.integrated_channels.channels.fields import shown
from enterprise_catalog.integrated_channels.channels.text import REASON_LENGTH, cut
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.exceptions import SyncError
    from enterprise_catalog.integrated_channels.http import Answer, LMSClient

#: Whatever an LMS has against a log-in, it is no item. The others may pass.
_REFUSALS: Final = frozenset(range(400, 500)) - {408, 425, 429}

#: Codes of refusals that may pass (4.1.2.1).
_PASSING_CODES: Final = frozenset({"server_error", "temporarily_unavailable"})
#: All that are repeated (5.2): whatever else stands in their place may be what we sent.
_CODES: Final = _PASSING_CODES | {
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
}


class ClientCredentials(ChannelSettings):
    """How an LMS knows our application."""

    client_id: str = Field(min_length=1, description="The client ID that the learning system has for us.")
    client_secret: SecretStr = Field(min_length=1, description="The secret that belongs to the client ID.")

    def as_form(self) -> dict[str, str]:
        """Return both as fields of a request for tokens."""
        return {"client_id": self.client_id, "client_secret": self.client_secret.get_secret_value()}


class ConsentCredentials(ClientCredentials):
    """How an LMS knows our application, and what a person's consent gave us."""

    refresh_token: SecretStr | None = Field(
        default=None, description="Comes with the consent of a person; leave it empty."
    )


class Grant(BaseModel):
    """What an LMS gives (5.1)."""

    access_token: str = Field(min_length=1)
    refresh_token: str = ""
    scope: str = ""  #: Separated by spaces.


class Refusal(BaseModel):
    """Why it gives nothing (5.2)."""

    error: str = ""
    error_description: str = ""


def request_grant(
    client: LMSClient, path: str, *, refused: Callable[[Answer], SyncError] | str, nothing_there: str, **request: Any
) -> Grant:
    """Ask for tokens, and have the client keep them out of every message. Such a call counts against no rate limit.

    Args:
        refused: returns what to raise for an answer of 400 to 499 that is no passing one; or what is said of it, before
            its status, where the LMS's own words are not told.
        nothing_there: what is said if nobody gives out tokens at ``path``.
        request: the rest of the request, as ``LMSClient.send`` takes it.

    Raises:
        ConfigurationError: there is nothing at ``path``.
        RetryableError: it may work later; whether a token that was handed in is still good is not known.
    """
    answer = client.send("POST", path, accept=_REFUSALS, answer_is_secret=True, is_counted=False, **request)
    require_there(answer, nothing_there)
    if answer.status_code >= 400:
        raise refused(answer) if callable(refused) else _no_token(refused, answer)
    grant = read(Grant, answer)
    for token in (grant.access_token, grant.refresh_token):
        client.keep_secret(token)
    return grant


def _no_token(words: str, answer: Answer) -> CredentialsError:
    status = answer.status_code
    return CredentialsError(f"{words} The learning system answered {status}.", status_code=status)


def request_client_token(
    client: LMSClient, path: str, credentials: ClientCredentials, *, scope: str, **request: Any
) -> str:
    """Return an access token for our application itself, to which nobody has to consent (client credentials, 4.4).

    Args:
        scope: what is asked for, as the LMS separates scopes.
        request: the rest, as :func:`request_grant` takes it, and raises.
    """
    form = {"grant_type": "client_credentials", **credentials.as_form(), "scope": scope}
    return request_grant(client, path, form=form, **request).access_token


def basic_authentication(client: LMSClient, client_id: str, client_secret: str) -> dict[str, str]:
    """Return the header that shows who we are (2.3.1); no message will repeat it."""
    pair = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    client.keep_secret(pair)
    return {"Authorization": f"Basic {pair}"}


class Consent:
    """A person's consent (authorization code, 4.1), and the tokens that it is good for, run after run.

    Not for several threads at once; ``BearerClient`` sees to that.
    """

    authorization_path: ClassVar[str]  #: Where a person consents, below the base URL.
    token_path: ClassVar[str]
    is_basic: ClassVar[bool] = False  #: Whether client ID and secret go into a header, and not into the form.
    nothing_there: ClassVar[str] = "There is no {lms} at the base URL: it gives out no tokens."
    #: Codes that say that the consent is no longer good.
    withdrawn_codes: ClassVar[frozenset[str]] = frozenset({"invalid_grant"})

    def __init__(self, channel: Channel[Any, Any], *, scopes: Sequence[str] = ()) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            channel: has :class:`ConsentCredentials`, and saves a refresh token that takes the place of theirs.
            scopes: what a person is asked to allow.
        """
        self._channel = channel
        self._client = channel.client
        self._lms = channel.label
        self._credentials: ConsentCredentials = channel.credentials
        self._scopes = scopes
        self._granted: frozenset[str] = frozenset()
        self._refresh_token = shown(self._credentials.refresh_token)

    def refused(self, answer: Answer) -> SyncError:
        """Return what to raise for an answer of 400 to 499 that gives no tokens; it tells the LMS's code and words."""
        refusal, status = read(Refusal, answer), answer.status_code
        code, words = refusal.error, self._client.redacted(refusal.error_description)
        if code not in _CODES:
            return CredentialsError(f"{self._lms} gives us no token: it answered {status}.", status_code=status)
        reason = cut(f"{code}: {words}" if words else code, REASON_LENGTH)
        if code in _PASSING_CODES:
            message = f"{self._lms} could not give out a token ({reason})."
            return RetryableError(message, status_code=status, vendor_code=code)
        return CredentialsError(f"{self._lms} {self._meaning(code, reason)}", status_code=status, vendor_code=code)

    def _meaning(self, code: str, reason: str) -> str:
        if code in self.withdrawn_codes:
            return f"no longer takes the consent ({reason}): authorize the configuration again."
        if code == "invalid_client":
            return f"does not know our client ID and client secret ({reason})."
        return f"gives us no token ({reason})."

    def missing_scopes(self) -> list[str]:
        """Return what the consent lacks, as far as the LMS told when it last gave a token."""
        return [scope for scope in self._scopes if self._granted and scope not in self._granted]

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        """Return where a person of the customer lets us in."""
        query = {"client_id": self._credentials.client_id, "response_type": "code", "redirect_uri": redirect_uri}
        scope = {"scope": " ".join(self._scopes)} if self._scopes else {}
        return f"{self._client.base_url}{self.authorization_path}?{urlencode({**query, 'state': state, **scope})}"

    def redeem(self, code: str, *, redirect_uri: str) -> dict[str, str]:
        """Return the credentials that the code of a consent is worth: field -> value.

        Raises:
            CredentialsError: the LMS does not take the code, or lets us in but once.
        """
        self._client.keep_secret(code)
        grant = self._request({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})
        if not grant.refresh_token:
            message = f"{self._lms} let us in once, but gave no token to come back with"
            raise CredentialsError(f"{message}: the consent does not include offline access.")
        return {"refresh_token": grant.refresh_token}

    def fetch_token(self) -> str:
        """Return an access token; a refresh token that came with it is stored before anybody can use the other.

        The one that was used may be worth nothing afterwards: if its successor were lost, a person would have to
        consent again.

        Raises:
            CredentialsError: nobody has consented yet, or the LMS no longer takes it.
        """
        if not self._refresh_token:
            raise CredentialsError(f"Nobody has let us into this {self._lms} yet: authorize the configuration.")
        grant = self._request({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
        if grant.refresh_token not in ("", self._refresh_token):
            self._channel.save_credentials({"refresh_token": grant.refresh_token})
            self._refresh_token = grant.refresh_token
        self._granted = frozenset(grant.scope.split())
        return grant.access_token

    def _request(self, form: Mapping[str, str]) -> Grant:
        headers = None
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
    """Mixed into a channel that has a :class:`Consent`."""

    consent: Consent

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        return self.consent.authorization_url(redirect_uri=redirect_uri, state=state)

    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        return self.consent.redeem(code, redirect_uri=redirect_uri)
