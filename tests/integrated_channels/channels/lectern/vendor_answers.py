"""Lectern's responses by status and body, and the expected result of the item."""

from __future__ import annotations

import json
from typing import Any, Final

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, ThrottledError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.conformance import VendorAnswer

#: The payload of a course that Lectern rejects: its title is too long.
BAD_PAYLOAD: Final = {"external_id": "Bad", "title": "T" * 200, "link": "", "description": "", "language": "en"}


def _answer(status: int, body: Any) -> Fault:
    return Fault(
        kind=FaultKind.ANSWER,
        operation="create",
        status=status,
        body=json.dumps(body),
        content_type="application/json",
        times=None,
    )


VENDOR_ANSWERS: Final = [
    VendorAnswer("unknown key", _answer(401, {"error": "Unknown API key."}), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("no permission", _answer(403, {"error": "Read-only."}), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("invalid course", _answer(422, {"error": "title is too long"}), Outcome.REJECTED),
    VendorAnswer("too many calls", _answer(429, {"error": "slow down"}), Outcome.THROTTLED, ThrottledError),
    VendorAnswer("maintenance", _answer(503, {"error": "back soon"}), Outcome.RETRY),
    VendorAnswer("another shape", _answer(201, {"course": {}}), Outcome.RETRY),
]
