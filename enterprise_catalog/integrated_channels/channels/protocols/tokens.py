"""Access tokens: fetched on first use, shared by all calls of a run, and renewed once when the LMS rejects one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from enterprise_catalog.integrated_channels.channels.protocols.paging import follow_pages, linked_page
from enterprise_catalog.integrated_channels.exceptions import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from typing_extensions import Unpack

    from enterprise_catalog.integrated_channels.lms.client import LMSClient, LMSResponse, RequestOptions

T = TypeVar("T")


class Token:
    """An access token shared by all calls of a run. Thread-safe: one thread fetches it for all threads."""

    def __init__(self, client: LMSClient, fetch: Callable[[], str], *, given: str = "") -> None:
        """Store the parameters. Fetches nothing yet.

        Args:
            client: redacts the token from every message.
            fetch: requests a token from the LMS.
            given: a fixed token from the configuration. A fixed token is never replaced.
        """
        self._client = client
        self._fetch = fetch
        self._given = self._token = given
        self._lock = threading.Lock()

    def get(self) -> str:
        """Return the token. Fetches it on the first call."""
        return self._token or self.renew(stale="")

    def renew(self, *, stale: str) -> str:
        """Return a token that replaces ``stale``. Reuses the new token if another thread has already fetched it."""
        with self._lock:
            if self._token == stale:
                self._token = self._fetch()
                self._client.keep_secret(self._token)
            return self._token

    def use(self, call: Callable[[str], T], *, is_stale: Callable[[CredentialsError], bool]) -> T:
        """Return the result of ``call(token)``. Retries once with a new token if the first token was stale.

        Args:
            is_stale: returns ``True`` if the error is about the token. The LMS has then not processed the call.
        """
        token = self.get()
        try:
            return call(token)
        except CredentialsError as error:
            if self._given or not is_stale(error):
                raise
        return call(self.renew(stale=token))


def _every_401(_: LMSResponse) -> bool:
    return True


def is_challenge(response: LMSResponse) -> bool:
    """Return True if a 401 rejects the token: RFC 6750, section 3, then requires ``WWW-Authenticate``.

    For an LMS that also returns 401 when the user lacks a permission.
    """
    return "www-authenticate" in response.headers


class BearerClient:
    """Sends requests with ``Authorization: Bearer``. Thread-safe.

    If an LMS has its own error format, its channel subclasses this client and parses the errors in :meth:`send`.
    """

    def __init__(
        self,
        client: LMSClient,
        fetch_token: Callable[[], str],
        *,
        is_token_refused: Callable[[LMSResponse], bool] = _every_401,
    ) -> None:
        """Store the parameters. Fetches no token yet.

        Args:
            fetch_token: requests an access token from the LMS.
            is_token_refused: returns ``True`` if a 401 rejects the token itself, not a missing permission.
        """
        self.client = client
        self._is_token_refused = is_token_refused
        self._token = Token(client, fetch_token)

    def send(
        self, method: str, path: str, *, accept: Collection[int] = (), **request: Unpack[RequestOptions]
    ) -> LMSResponse:
        """Send one request as ``LMSClient.send`` does. If the LMS rejects the token, retry once with a new token.

        Safe: the LMS does not process a request whose token it rejects.

        Raises:
            CredentialsError: the LMS rejects the second token too. Raised even if ``accept`` contains 401.
        """
        token = self._token.get()
        response = self._send_with(token, method, path, accept=accept, **request)
        if response.status_code == 401 and self._is_token_refused(response):
            # The rejected call was counted, but not processed. Counting the retry too would block a channel whose
            # rate limit is one call per window.
            request["is_counted"] = False
            response = self._send_with(self._token.renew(stale=token), method, path, accept=accept, **request)
        if response.status_code == 401 and (401 not in accept or self._is_token_refused(response)):
            message = "The LMS returned 401 and rejected an access token that it had just issued"
            raise CredentialsError(f"{message}: {response.excerpt}", status_code=401)
        return response

    def fetch_pages(self, path: str, params: Mapping[str, str | list[str]]) -> Iterator[LMSResponse]:
        """Yield the pages of a list whose ``Link`` header names the next page.

        Raises:
            RetryableError: a link leads back to an earlier page, or to another host. Our token is never sent to
                another host.
        """
        first = f"{path}?{urlencode(params, doseq=True)}"
        return follow_pages(
            lambda page: self.send("GET", page), first, lambda response: linked_page(response, self.client.base_url)
        )

    def _send_with(
        self, token: str, method: str, path: str, *, accept: Collection[int], **request: Unpack[RequestOptions]
    ) -> LMSResponse:
        request["headers"] = {**request.get("headers", {}), "Authorization": f"Bearer {token}"}
        return self.client.send(method, path, accept={401, *accept}, **request)
