"""Access tokens: one for all calls of a run, fetched when it is needed, and once more when the LMS does not take it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from enterprise_catalog.integrated_channels.channels.paging import linked_page, pages
from enterprise_catalog.integrated_channels.exceptions import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from enterprise_catalog.integrated_channels.http import Answer, LMSClient

T = TypeVar("T")


class Token:
    """The token that calls share. Threads may share it: one fetches it for all."""

    def __init__(self, client: LMSClient, fetch: Callable[[], str], *, given: str = "") -> None:
        """Prepare calls; nothing is fetched yet.

        Args:
            client: keeps the token out of every message.
            fetch: asks the LMS for one.
            given: one that is there already, and that nothing can be fetched in place of.
        """
        self._client = client
        self._fetch = fetch
        self._given = self._token = given
        self._lock = threading.Lock()

    def now(self) -> str:
        """Return the token, fetched if there is none yet."""
        return self._token or self.renewed(stale="")

    def renewed(self, *, stale: str) -> str:
        """Return another token than ``stale``; if another thread has just fetched one, that one."""
        with self._lock:
            if self._token == stale:
                self._token = self._fetch()
                self._client.keep_secret(self._token)
            return self._token

    def used_by(self, call: Callable[[str], T], *, is_stale: Callable[[CredentialsError], bool]) -> T:
        """Return what ``call`` makes of the token; it is called a second time if the first one was refused as stale.

        Args:
            is_stale: whether what ``call`` raises is about the token; the call was then not carried out.
        """
        token = self.now()
        try:
            return call(token)
        except CredentialsError as error:
            if self._given or not is_stale(error):
                raise
        return call(self.renewed(stale=token))


def _every_401(_: Answer) -> bool:
    return True


def is_challenge(answer: Answer) -> bool:
    """Return whether a 401 asks for another token, as the header says then that RFC 6750 (3) has for it.

    For an LMS that answers 401 as well to what a person may not do.
    """
    return "www-authenticate" in answer.headers


class BearerClient:
    """Sends requests with ``Authorization: Bearer``. Threads may share it.

    A channel whose LMS has words of its own for refusals subclasses it, and reads these in :meth:`send`.
    """

    def __init__(
        self,
        client: LMSClient,
        fetch_token: Callable[[], str],
        *,
        is_token_refused: Callable[[Answer], bool] = _every_401,
    ) -> None:
        """Prepare calls; no token is fetched yet.

        Args:
            fetch_token: asks the LMS for an access token.
            is_token_refused: whether a 401 is about the token, and not about what it may do.
        """
        self.client = client
        self._is_token_refused = is_token_refused
        self._token = Token(client, fetch_token)

    def send(self, method: str, path: str, *, accept: Collection[int] = (), **request: Any) -> Answer:
        """Send one request as ``LMSClient.send`` does; with a fresh token a second time if the first one was refused.

        A request that was refused for its token was not carried out.

        Raises:
            CredentialsError: the second token is refused as well, whatever ``accept`` says.
        """
        token = self._token.now()
        answer = self._send_with(token, method, path, accept=accept, **request)
        if answer.status_code == 401 and self._is_token_refused(answer):
            # The refused one was counted, and was not carried out; a channel may have but one call in its window.
            request["is_counted"] = False
            answer = self._send_with(self._token.renewed(stale=token), method, path, accept=accept, **request)
        if answer.status_code == 401 and (401 not in accept or self._is_token_refused(answer)):
            message = "The learning system answered 401, and does not take the access token that it has just given"
            raise CredentialsError(f"{message}: {answer.excerpt}", status_code=401)
        return answer

    def linked_pages(self, path: str, params: Mapping[str, str | list[str]]) -> Iterator[Answer]:
        """Yield the pages of a list, of which each names the next one in its header ``Link``.

        Raises:
            RetryableError: the list leads in a circle, or to another host, which is not given our token.
        """
        first = f"{path}?{urlencode(params, doseq=True)}"
        return pages(
            lambda page: self.send("GET", page), first, lambda answer: linked_page(answer, self.client.base_url)
        )

    def _send_with(self, token: str, method: str, path: str, *, accept: Collection[int], **request: Any) -> Answer:
        headers = {**request.pop("headers", {}), "Authorization": f"Bearer {token}"}
        return self.client.send(method, path, headers=headers, accept={401, *accept}, **request)
