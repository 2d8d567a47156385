"""Canvas's REST API: consent and tokens, throttling, pages, refusals. Nothing here knows what a course is.

https://developerdocs.instructure.com/services/canvas, and Canvas's own program where that says more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.answers import read
from enterprise_catalog.integrated_channels.channels.oauth import Consent, ConsentCredentials, Refusal
from enterprise_catalog.integrated_channels.channels.paging import linked_page, pages
from enterprise_catalog.integrated_channels.channels.text import cut
from enterprise_catalog.integrated_channels.channels.tokens import BearerClient
from enterprise_catalog.integrated_channels.exceptions import (
    BudgetSpentError,
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from enterprise_catalog.integrated_channels.http import Answer, LMSClient

#: Canvas's bucket, one for each access token: full at the first number, and emptied by the second one in each second.
#: While a request is under way it holds the third one. (source: app/middleware/request_throttle.rb)
HIGH_WATER: Final = 600.0
DRAIN_PER_SECOND: Final = 10.0
UP_FRONT_COST: Final = 50.0
#: More would hold so much of it while they are under way that a bucket in good order looked as good as full.
MAX_PARALLEL_CALLS: Final = 4

PER_PAGE: Final = 100  #: The most that Canvas gives at once (source: lib/api.rb, ``MAX_PER_PAGE``).

#: What a 403 says that is no refusal of rights. It is plain text; newer versions answer 429.
_THROTTLED: Final = b"Rate Limit Exceeded"
_COMPLAINT_LENGTH: Final = 300

#: What the consent asks for where the developer key enforces scopes.
SCOPES: Final = (
    "url:GET|/api/v1/accounts/:id",
    "url:GET|/api/v1/accounts/:account_id/permissions",
    "url:GET|/api/v1/accounts/:account_id/courses",
    "url:POST|/api/v1/accounts/:account_id/courses",
    "url:GET|/api/v1/courses/:id",
    "url:PUT|/api/v1/courses/:id",
    "url:DELETE|/api/v1/courses/:id",
)


class CanvasCredentials(ConsentCredentials):
    """A developer key of the Canvas, and what a person's consent gave us."""

    client_id: str = Field(min_length=1, description="The developer key's ID, a long number.")


class _Fault(BaseModel):
    message: str = ""


class _Complaint(BaseModel):
    """Why Canvas refuses a request, in one of its forms."""

    message: str = ""
    errors: dict[str, list[_Fault] | str] | list[_Fault] = []


class CanvasConsent(Consent):
    """Tokens of one Canvas; the refresh token stays what it is."""

    authorization_path = "/login/oauth2/auth"
    token_path = "/login/oauth2/token"  # noqa: S105  (a path)
    nothing_there = "There is no Canvas at the base URL: it gives out no tokens."
    no_refresh_token = "Canvas let us in once, but gave no token to come back with."  # noqa: S105  (a sentence)

    def nobody_consented(self) -> ConfigurationError:
        return ConfigurationError("Nobody of the customer has authorized us at this Canvas yet; that comes first.")

    def refused(self, answer: Answer) -> CredentialsError:
        _raise_if_throttled(answer)
        refusal = read(Refusal, answer)
        error, why = (self._client.redacted(text) for text in (refusal.error, refusal.error_description))
        reason = cut(f"{error} {why}".strip() or "no reason given", _COMPLAINT_LENGTH)
        message = f"Canvas gives us no token ({reason}); it has to be authorized again."
        return CredentialsError(message, status_code=answer.status_code, vendor_code=error)


class CanvasAPI(BearerClient):
    """Calls one Canvas as the person who consented. Threads may share it."""

    def __init__(self, client: LMSClient, fetch_token: Callable[[], str], *, parallel_calls: int) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            fetch_token: asks Canvas for an access token.
            parallel_calls: how many may be under way at the same time.
        """
        super().__init__(client, fetch_token, is_token_refused=_is_about_the_token)
        #: Below this, the calls that the others may be making could fill the bucket before ours is let in.
        self._least_remaining = UP_FRONT_COST * (parallel_calls + 1)
        self._remaining = HIGH_WATER

    def send(self, method: str, path: str, *, accept: Collection[int] = (), **request: Any) -> Answer:
        """Send one request; an answer of 400, 401, 403 or 404 is returned too, and is about what was asked for.

        Raises:
            ThrottledError: Canvas wants fewer calls, in whichever words; or it soon will, and was not asked.
            CredentialsError: it does not take our tokens.
            ConfigurationError: nobody has consented yet.
        """
        if self._remaining < self._least_remaining:
            message = f"Canvas takes few more calls for now: {self._remaining:.0f} of {HIGH_WATER:.0f} units are left."
            raise BudgetSpentError(message, retry_after_seconds=_seconds_to_drain(self._remaining))
        answer = super().send(method, path, accept={400, 401, 403, 404, *accept}, **request)
        self._remaining = _remaining(answer.headers, unknown=HIGH_WATER)
        if answer.status_code == 401 and _is_about_the_token(answer):
            raise CredentialsError("Canvas does not take the access token that it has just given.", status_code=401)
        _raise_if_throttled(answer)
        if answer.status_code == 404 and not read(_Complaint, answer).errors:
            # A proxy's page must not make a course that is still there pass for gone.
            raise RetryableError(f"Nothing is found, and it is not Canvas that says so: {answer.excerpt}")
        return answer

    def pages(self, path: str, params: Mapping[str, str | list[str]]) -> Iterator[Answer]:
        """Yield the pages of a list, each a successful answer or, as the last one, a refusal as :meth:`send` returns.

        Raises:
            RetryableError: Canvas sends us in a circle, or to another host, which is not given our token.
        """
        first = f"{path}?{urlencode({**params, 'per_page': str(PER_PAGE)}, doseq=True)}"
        return pages(
            lambda page: self.send("GET", page), first, lambda answer: linked_page(answer, self.client.base_url)
        )

    def require_valid(self, answer: Answer) -> Answer:
        """Return ``answer``.

        Raises:
            RejectedError: it refuses what was sent, or there is nothing of the kind.
        """
        if answer.status_code >= 400:
            raise self.refusal(answer)
        return answer

    def refusal(self, answer: Answer) -> RejectedError:
        """Return what Canvas says in a refusal of what was sent; the error's code is the fields that it names."""
        complaint = read(_Complaint, answer)
        by_field = complaint.errors if isinstance(complaint.errors, dict) else {"": complaint.errors}
        texts = [complaint.message] if complaint.message else []
        for field, faults in by_field.items():
            messages = [faults] if isinstance(faults, str) else [fault.message for fault in faults]
            texts += [f"{field}: {message}" if field else message for message in messages]
        told = self.client.redacted("; ".join(texts)) or answer.excerpt
        fields = self.client.redacted(",".join(filter(None, by_field)))
        message = f"Canvas: {cut(told, _COMPLAINT_LENGTH)}"
        return RejectedError(message, status_code=answer.status_code, vendor_code=fields)


def _is_about_the_token(answer: Answer) -> bool:
    """Return whether a 401 is about the token; one about what the person may do has no such header (oauth.md)."""
    return "www-authenticate" in answer.headers


def _raise_if_throttled(answer: Answer) -> None:
    if answer.status_code == 403 and _THROTTLED in answer.content:
        seconds = _seconds_to_drain(_remaining(answer.headers, unknown=0.0))
        raise ThrottledError(f"Canvas: {answer.excerpt}", status_code=403, retry_after_seconds=seconds)


def _remaining(headers: Mapping[str, str], *, unknown: float) -> float:
    """Return what Canvas says is left of the bucket; ``unknown`` if it says nothing, as where nobody is throttled."""
    try:
        return float(headers.get("x-rate-limit-remaining", unknown))
    except ValueError:
        return unknown


def _seconds_to_drain(remaining: float) -> float:
    return max(HIGH_WATER - remaining, 0.0) / DRAIN_PER_SECOND
