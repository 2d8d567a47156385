"""Moodle's responses by error code, and the expected result of the item."""

from __future__ import annotations

import json
from typing import Final

from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, CredentialsError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.conformance import VendorAnswer

#: The payload of a course that Moodle rejects: the required full name is empty.
BAD_PAYLOAD: Final = {"fullname": "", "shortname": "Bad", "idnumber": "Northwind+Bad", "categoryid": 1}


def _coded(code: str, message: str = "Something.") -> Fault:
    body = json.dumps({"exception": "moodle_exception", "errorcode": code, "message": message})
    return Fault(kind=FaultKind.ANSWER, status=200, body=body, content_type="application/json", times=None)


VENDOR_ANSWERS: Final = [
    *(
        VendorAnswer(code, _coded(code), Outcome.SKIPPED, CredentialsError)
        for code in ("invalidtoken", "accessexception", "nopermissions", "wsaccessusersuspended")
    ),
    *(
        VendorAnswer(code, _coded(code), Outcome.SKIPPED, ConfigurationError)
        for code in ("errorcatcontextnotvalid", "invalidrecord")
    ),
    *(
        VendorAnswer(code, _coded(code), Outcome.RETRY)
        for code in ("dbconnectionfailed", "upgraderunning", "sitemaintenance", "locktimeout", "dmlwriteexception")
    ),
    *(
        VendorAnswer(code, _coded(code), Outcome.REJECTED)
        for code in ("invalidparameter", "enddatebeforestartdate", "something new")
    ),
    VendorAnswer("an error without a code", _coded(""), Outcome.REJECTED),
]
