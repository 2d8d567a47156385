"""Blackboard's responses by status, and the expected result of the item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels.blackboard.transform import to_course
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, CredentialsError, ThrottledError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.conformance import VendorAnswer
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.blackboard.api import BlackboardSandbox

#: The payload of a course that Blackboard rejects: the required name is empty.
BAD_PAYLOAD: Final = {**to_course(an_item("Northwind+Bad")), "name": ""}


def _status(status: int, message: str = "Something.", *, operation: str = "POST courses") -> Fault:
    body = json.dumps({"status": status, "message": message})
    return Fault(kind=FaultKind.ANSWER, operation=operation, status=status, body=body, times=None)


def _oauth(error: str, status: int = 400) -> Fault:
    body = json.dumps({"error": error, "error_description": "Something."})
    return Fault(kind=FaultKind.ANSWER, operation="POST token", status=status, body=body, times=None)


def _uninstall(blackboard: BlackboardSandbox) -> None:
    blackboard.is_installed = False


VENDOR_ANSWERS: Final = [
    *(VendorAnswer(f"{status}", _status(status), Outcome.REJECTED) for status in (400, 409, 507)),
    VendorAnswer("no room for the page", _status(507, operation="POST contents"), Outcome.REJECTED),
    VendorAnswer("no such course to give a page", _status(404, operation="POST contents"), Outcome.RETRY),
    VendorAnswer("401", _status(401), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("403", _status(403), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("429", _status(429), Outcome.THROTTLED, ThrottledError),
    *(VendorAnswer(f"{status}", _status(status), Outcome.RETRY) for status in (500, 503)),
    VendorAnswer("invalid_grant", _oauth("invalid_grant"), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("invalid_client", _oauth("invalid_client", 401), Outcome.SKIPPED, CredentialsError),
    VendorAnswer("server_error", _oauth("server_error"), Outcome.RETRY),
    VendorAnswer("not installed", _oauth("", 404), Outcome.SKIPPED, ConfigurationError, prepare=_uninstall),
]
