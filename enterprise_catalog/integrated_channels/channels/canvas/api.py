"""Canvas's REST API: consent and tokens, throttling, pages, refusals. Nothing here knows what a course is.

https://developerdocs.instructure.com/services/canvas, and Canvas's own program where that says more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels import answers, buckets, oauth, text, tokens
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError, SyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from enterprise_catalog.integrated_channels.http import Answer, LMSClient

#: Canvas has one for each access token. (source, here and for the next one: app/middleware/request_throttle.rb)
BUCKET: Final = buckets.LeakyBucket("Canvas", size=600.0, drained_per_second=10.0)
UP_FRONT_COST: Final = 50.0  #: What a request holds of it while it is under way.
#: More would hold so much of it while they are under way that a bucket in good order looked as good as full.
MAX_PARALLEL_CALLS: Final = 4

PER_PAGE: Final = "100"  #: The most that Canvas gives at once (source: lib/api.rb, ``MAX_PER_PAGE``).

#: What the person who consented may not do. A 401 that is about the token names it (oauth.md), and never gets here.
FORBIDDEN: Final = frozenset({401, 403})

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


class CanvasCredentials(oauth.ConsentCredentials):
    """A developer key of the Canvas, and what a person's consent gave us."""

    client_id: str = Field(min_length=1, description="The developer key's ID, a long number.")


class _Fault(BaseModel):
    message: str = ""


class _Complaint(_Fault):
    """Why Canvas refuses a request, in one of its forms."""

    errors: dict[str, list[_Fault] | str] | list[_Fault] = []


class CanvasConsent(oauth.Consent):
    """Tokens of one Canvas; the refresh token stays what it is."""

    authorization_path = "/login/oauth2/auth"
    token_path = "/login/oauth2/token"  # noqa: S105  (a path)
    withdrawn_codes = frozenset({"invalid_grant", "invalid_request"})

    def refused(self, answer: Answer) -> SyncError:
        _raise_if_throttled(answer)
        return super().refused(answer)


class CanvasAPI(tokens.BearerClient):
    """Calls one Canvas as the person who consented. Threads may share it."""

    def __init__(self, client: LMSClient, fetch_token: Callable[[], str], *, parallel_calls: int) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            fetch_token: asks Canvas for an access token.
            parallel_calls: how many may be under way at the same time.
        """
        super().__init__(client, fetch_token, is_token_refused=tokens.is_challenge)
        #: Below this, the calls that the others may be making could fill the bucket before ours is let in.
        self._least_remaining = UP_FRONT_COST * (parallel_calls + 1)
        self._level = buckets.Level()

    def send(self, method: str, path: str, *, accept: Collection[int] = (), **request: Any) -> Answer:
        """Send one request; an answer of 400, 401, 403 or 404 is returned too, and is about what was asked for.

        Raises:
            ThrottledError: Canvas wants fewer calls, in whichever words; or it soon will, and was not asked.
            CredentialsError: it does not take our tokens, or nobody has consented yet.
        """
        BUCKET.require(self._least_remaining, self._level.remaining)
        mark = self._level.before_call()
        answer = super().send(method, path, accept={400, 401, 403, 404, *accept}, **request)
        self._level.after_call(BUCKET.remaining(answer), mark=mark)
        _raise_if_throttled(answer)
        if answer.status_code == 404 and not answers.read(_Complaint, answer).errors:
            # A proxy's page must not make a course that is still there pass for gone.
            raise RetryableError(f"Nothing is found, and it is not Canvas that says so: {answer.excerpt}")
        return answer

    def require(self, answer: Answer, *, place: str, forbidden: type[SyncError] = RejectedError) -> Answer:
        """Return ``answer``, unless it is a refusal.

        Args:
            place: what it is about.
            forbidden: what is raised if the person may not do there what was asked for.

        Raises:
            RejectedError: Canvas refuses what was sent, or has nothing of the kind; the code is the fields that it
                names.
        """
        if answer.status_code in FORBIDDEN:
            told = f"The person who authorized us may not do this {place} of Canvas: {answer.excerpt}"
            raise forbidden(told, status_code=answer.status_code)
        if answer.status_code >= 400:
            fields, words = self.client.explained(answer, explain)
            told = f"Canvas: {text.cut(words, text.REASON_LENGTH)}"
            raise RejectedError(told, status_code=answer.status_code, vendor_code=fields)
        return answer


def explain(answer: Answer) -> tuple[str, str]:
    """Return the fields that Canvas names in a refusal of what was sent, and what it says."""
    complaint = answers.read(_Complaint, answer)
    by_field = complaint.errors if isinstance(complaint.errors, dict) else {"": complaint.errors}
    texts = [complaint.message] if complaint.message else []
    for field, faults in by_field.items():
        messages = [faults] if isinstance(faults, str) else [fault.message for fault in faults]
        texts += [f"{field}: {message}" if field else message for message in messages]
    return ",".join(filter(None, by_field)), "; ".join(texts)


def _raise_if_throttled(answer: Answer) -> None:
    # A 403 in plain text that is no refusal of rights; newer versions answer 429.
    if answer.status_code == 403 and b"Rate Limit Exceeded" in answer.content:
        raise BUCKET.overflow(answer)
