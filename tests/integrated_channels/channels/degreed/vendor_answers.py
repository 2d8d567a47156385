"""Degreed's responses by status, and the expected result of the item (https://developer.degreed.com)."""

from __future__ import annotations

import json
from typing import Final

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, ThrottledError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.conformance import VendorAnswer

#: The payload of a course that Degreed rejects: the title is empty and the URL is missing.
BAD_PAYLOAD: Final = {"title": "", "external-id": "Northwind+Bad"}

_API: Final = "* /api/v2/*"
_TOKEN: Final = "POST /oauth/token"


def _answer(status: int, code: str, *, operation: str = _API) -> Fault:
    body = json.dumps({"errors": [{"code": code, "status": status, "title": code, "detail": "Something."}]})
    return Fault(
        kind=FaultKind.ANSWER,
        operation=operation,
        status=status,
        body=body,
        content_type="application/json",
        times=None,
    )


VENDOR_ANSWERS: Final = [
    *(
        VendorAnswer(f"{status} {code}", _answer(status, code), Outcome.REJECTED)
        for status, code in ((400, "bad-request"), (404, "not-found"), (406, "not-acceptable"), (410, "gone"))
    ),
    VendorAnswer("403 forbidden", _answer(403, "forbidden"), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("403 for a token", _answer(403, "x", operation=_TOKEN), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("429", _answer(429, "quota-exceeded"), Outcome.THROTTLED, ThrottledError),
    VendorAnswer("500", _answer(500, "internal"), Outcome.RETRY),
    VendorAnswer("503", _answer(503, "unavailable"), Outcome.RETRY),
]
