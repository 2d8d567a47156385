"""Canvas's responses by status and body, and the expected result of the item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import (
    BudgetSpentError,
    ConfigurationError,
    CredentialsError,
    ThrottledError,
)
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.canvas.connection import CHANGE, CREATE, LOOK, TOKEN
from tests.integrated_channels.channels.conformance import VendorAnswer

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.canvas.api import CanvasSandbox

#: The payload of a course that Canvas rejects: ``default_view`` is not one of its pages.
BAD_PAYLOAD: Final = {"name": "Bad", "integration_id": "Northwind+Bad", "default_view": "home"}

NOTHING: Final = Fault(kind=FaultKind.DELAY)


def _answer(operation: str, status: int, body: Any, *, content_type: str = "application/json") -> Fault:
    text = body if isinstance(body, str) else json.dumps(body)
    return Fault(
        kind=FaultKind.ANSWER, operation=operation, status=status, body=text, content_type=content_type, times=None
    )


def _errors(message: str) -> dict[str, list[dict[str, str]]]:
    return {"errors": [{"message": message}]}


def _use_up(canvas: CanvasSandbox) -> None:
    canvas.request_cost = 480.0


def _expire(canvas: CanvasSandbox) -> None:
    canvas.token_seconds = 0


_UNAUTHORIZED: Final = {"status": "unauthorized", **_errors("user not authorized to perform that action")}

VENDOR_ANSWERS: Final = [
    *(
        VendorAnswer(
            f"{error} at the log-in", _answer(TOKEN, status, {"error": error}), Outcome.SKIPPED, CredentialsError
        )
        for error, status in (
            ("invalid_client", 401),
            ("invalid_grant", 400),
            ("invalid_request", 400),
            ("unsupported_grant_type", 400),
        )
    ),
    VendorAnswer("no Canvas at all", _answer(TOKEN, 404, "<html>"), Outcome.SKIPPED, ConfigurationError),
    VendorAnswer("tokens that are not taken", NOTHING, Outcome.SKIPPED, CredentialsError, _expire),
    *(
        VendorAnswer(
            f"{status} in the account", _answer(CREATE, status, _UNAUTHORIZED), Outcome.SKIPPED, CredentialsError
        )
        for status in (401, 403)
    ),
    VendorAnswer("no such account", _answer(CREATE, 404, _errors("…")), Outcome.SKIPPED, ConfigurationError),
    VendorAnswer(
        "403 in plain text",
        _answer(CREATE, 403, "403 Forbidden (Rate Limit Exceeded)\n", content_type="text/plain"),
        Outcome.THROTTLED,
        ThrottledError,
    ),
    VendorAnswer("429", _answer(CREATE, 429, "429 Too Many Requests"), Outcome.THROTTLED, ThrottledError),
    VendorAnswer("a bucket that is almost full", NOTHING, Outcome.THROTTLED, BudgetSpentError, _use_up),
    VendorAnswer("a name that is too long", _answer(CREATE, 400, {"errors": {"name": "…"}}), Outcome.REJECTED),
    VendorAnswer("a refusal in one message", _answer(CREATE, 400, {"message": "…"}), Outcome.REJECTED),
    VendorAnswer("422", _answer(CREATE, 422, "{}"), Outcome.REJECTED),
    VendorAnswer("an image that is refused", _answer(CHANGE, 400, {"errors": {"image_url": "…"}}), Outcome.REJECTED),
    VendorAnswer("a proxy's 400", _answer(CREATE, 400, "<html>"), Outcome.RETRY),
    VendorAnswer("503", _answer(CREATE, 503, ""), Outcome.RETRY),
    VendorAnswer("no id", _answer(CREATE, 200, {"workflow_state": "available"}), Outcome.RETRY),
    VendorAnswer("look-ups that are not needed", _answer(LOOK, 500, ""), Outcome.DONE),
]
