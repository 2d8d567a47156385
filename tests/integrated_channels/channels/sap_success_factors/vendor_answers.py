"""SAP's responses, as far as they are documented, and the expected result of the item."""

from __future__ import annotations

import json
from typing import Final

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, CredentialsError, ThrottledError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.sap.api import IMPORT, TOKEN_SERVER, BadItem, SAPSandbox
from tests.integrated_channels.channels.conformance import VendorAnswer

#: The payload of a course that SAP rejects: it has no title.
BAD_PAYLOAD: Final = {"courseID": "Northwind+Bad", "providerID": "EDX", "status": "ACTIVE", "title": []}


def _answer(status: int, message: str, *, operation: str = IMPORT) -> Fault:
    body = json.dumps({"error": {"code": str(status), "message": message}})
    return Fault(
        kind=FaultKind.ANSWER,
        operation=operation,
        status=status,
        body=body,
        content_type="application/json",
        times=None,
    )


def _leave_out(sap: SAPSandbox) -> None:
    """Make SAP leave out items with an unknown provider from its response, without an error."""
    sap.provider_ids, sap.bad_item = {"OTHER"}, BadItem.IS_LEFT_OUT


VENDOR_ANSWERS: Final = [
    VendorAnswer("400", _answer(400, "Invalid course"), Outcome.REJECTED),
    VendorAnswer("401", _answer(401, "Unauthorized"), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("403", _answer(403, "Forbidden"), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("404", _answer(404, "Not found"), Outcome.SKIPPED, ConfigurationError),
    VendorAnswer("413", _answer(413, "Too large"), Outcome.REJECTED),
    VendorAnswer("429", _answer(429, "API calling limit exceeded, Try later"), Outcome.THROTTLED, ThrottledError),
    VendorAnswer("500", _answer(500, "Internal"), Outcome.RETRY),
    VendorAnswer("503", _answer(503, "Unavailable"), Outcome.RETRY),
    *(
        VendorAnswer(f"{status} for a token", _answer(status, "No", operation=TOKEN_SERVER), Outcome.SKIPPED, error)
        for status, error in ((400, CredentialsError), (403, CredentialsError), (404, ConfigurationError))
    ),
    VendorAnswer(
        "200 that leaves it out", Fault(kind=FaultKind.DELAY, operation=IMPORT), Outcome.RETRY, prepare=_leave_out
    ),
]
