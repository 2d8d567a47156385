"""Canvas REST API client: throttling, pagination, errors. Independent of courses.

Sources: https://developerdocs.instructure.com/services/canvas, and Canvas's source code for undocumented details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from enterprise_catalog.integrated_channels.channels import responses
from enterprise_catalog.integrated_channels.channels.content import text
from enterprise_catalog.integrated_channels.channels.protocols import leaky_bucket, tokens
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError, SyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from typing_extensions import Unpack

    from enterprise_catalog.integrated_channels.lms.client import LMSClient, LMSResponse, RequestOptions

#: Canvas has one bucket per access token (source, also for the next line: app/middleware/request_throttle.rb).
BUCKET: Final = leaky_bucket.LeakyBucket("Canvas", size=600.0, drained_per_second=10.0)
UP_FRONT_COST: Final = 50.0  #: Units that a request reserves while it is in progress.
#: With more parallel calls, their reservations alone would make a healthy bucket look almost full.
MAX_PARALLEL_CALLS: Final = 4

PER_PAGE: Final = "100"  #: Maximum page size (source: lib/api.rb, ``MAX_PER_PAGE``).

#: Statuses for a missing permission of the user who consented. A 401 about the token has a ``WWW-Authenticate`` header
#: (oauth.md), and is handled before.
FORBIDDEN: Final = frozenset({401, 403})


class _ErrorMessage(BaseModel):
    message: str = ""


class _ErrorResponse(_ErrorMessage):
    """An error response of Canvas, in any of its formats."""

    errors: dict[str, list[_ErrorMessage] | str] | list[_ErrorMessage] = []


class CanvasAPI(tokens.BearerClient):
    """Calls one Canvas as the user who consented. Thread-safe."""

    def __init__(self, client: LMSClient, fetch_token: Callable[[], str], *, parallel_calls: int) -> None:
        """Store the parameters. Sends nothing yet.

        Args:
            fetch_token: requests an access token from Canvas.
            parallel_calls: maximum number of calls at the same time.
        """
        super().__init__(client, fetch_token, is_token_refused=tokens.is_challenge)
        #: With less capacity, parallel calls of other threads could fill the bucket before Canvas accepts this call.
        self._least_remaining = UP_FRONT_COST * (parallel_calls + 1)
        self._level = leaky_bucket.Level()

    def send(
        self, method: str, path: str, *, accept: Collection[int] = (), **request: Unpack[RequestOptions]
    ) -> LMSResponse:
        """Send one request. Also returns responses with status 400, 401, 403 or 404 that concern the request itself.

        Raises:
            ThrottledError: Canvas throttles us (429, or 403 "Rate Limit Exceeded"); or it soon would, so nothing was
                sent.
            CredentialsError: Canvas rejects our tokens, or the configuration has not been authorized yet.
            RetryableError: a 404 does not come from Canvas.
        """
        BUCKET.require(self._least_remaining, self._level.remaining)
        mark = self._level.before_call()
        response = super().send(method, path, accept={400, 401, 403, 404, *accept}, **request)
        self._level.after_call(BUCKET.remaining(response), mark=mark)
        raise_if_throttled(response)
        if response.status_code == 404 and not responses.read(_ErrorResponse, response).errors:
            # A 404 from a proxy must not be mistaken for a course that no longer exists.
            raise RetryableError(f"The 404 is not from Canvas, but probably from a proxy: {response.excerpt}")
        return response

    def require(self, response: LMSResponse, *, where: str, forbidden: type[SyncError] = RejectedError) -> LMSResponse:
        """Return ``response`` if its status is below 400.

        Args:
            where: the object of the request, for the error message, such as "in the Canvas account".
            forbidden: the exception class to raise if the user lacks the permission.

        Raises:
            RejectedError: Canvas rejects the request, or the object does not exist. ``vendor_code`` lists the fields
                that Canvas names.
        """
        if response.status_code in FORBIDDEN:
            message = f"The user who authorized this configuration lacks a permission {where}: {response.excerpt}"
            raise forbidden(message, status_code=response.status_code)
        if response.status_code >= 400:
            fields, reason = self.client.explained(response, explain)
            message = f"Canvas: {text.cut(reason, text.REASON_LENGTH)}"
            raise RejectedError(message, status_code=response.status_code, vendor_code=fields)
        return response


def explain(response: LMSResponse) -> tuple[str, str]:
    """Return the names of the invalid fields, separated by commas, and the error messages, separated by semicolons."""
    complaint = responses.read(_ErrorResponse, response)
    by_field = complaint.errors if isinstance(complaint.errors, dict) else {"": complaint.errors}
    texts = [complaint.message] if complaint.message else []
    for field, errors in by_field.items():
        messages = [errors] if isinstance(errors, str) else [error.message for error in errors]
        texts += [f"{field}: {message}" if field else message for message in messages]
    return ",".join(filter(None, by_field)), "; ".join(texts)


def raise_if_throttled(response: LMSResponse) -> None:
    """Raise ``ThrottledError`` if Canvas returned its plain-text 403 for too many calls."""
    # Older versions of Canvas throttle with a plain-text 403; newer versions return 429.
    if response.status_code == 403 and b"Rate Limit Exceeded" in response.content:
        raise BUCKET.overflow(response)
