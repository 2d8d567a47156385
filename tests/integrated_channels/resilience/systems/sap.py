"""SAP SuccessFactors: one import for creates, updates and deletes, and one import per five minutes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.sap.api import IMPORT, TOKEN_SERVER, SAPSandbox
from tests.integrated_channels.resilience.reconciliation import Course, Item
from tests.integrated_channels.resilience.systems.base import VendorLMS
from tests.integrated_channels.resilience.systems.faults import OF_ANY_VENDOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _error(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


_REFUSED: Final = _error("OCN_INVALID", "Invalid course: provider is not registered")
_EXPIRED: Final = _error("401", "Unauthorized: the token is not valid")
_FOREIGN_COURSE: Final = {"courseID": "of-another-provider", "providerID": "OTHER", "status": "ACTIVE"}


class SAP(VendorLMS):
    code = "SAP"
    changes = (IMPORT,)
    look_ups = (TOKEN_SERVER,)
    kept = ("table", "_calls_at")
    work_seconds = 0.2
    # One import carries all due items. For the second LMS, imports are limited to 6 items.
    chunk_size = None
    columns = ({}, {"chunk_size": 6})
    faults = {
        **OF_ANY_VENDOR,
        "refusal of all": Fault(kind=FaultKind.ANSWER, status=400, body=_REFUSED),
        "refusal of all after the work": Fault(kind=FaultKind.REPLACE, status=400, body=_REFUSED),
        "token refused": Fault(kind=FaultKind.ANSWER, status=401, body=_EXPIRED),
        "not permitted": Fault(kind=FaultKind.ANSWER, status=403, body=_error("403", "The user is not allowed to.")),
        "not found": Fault(kind=FaultKind.ANSWER, status=404, body="<html><body><h1>404</h1></body></html>"),
        "error inside": Fault(kind=FaultKind.ANSWER, status=200, body=_REFUSED),
        "error inside after the work": Fault(kind=FaultKind.REPLACE, status=200, body=_REFUSED),
        "no item in the answer": Fault(
            kind=FaultKind.ANSWER, operation=IMPORT, status=200, body=json.dumps({"ocnCourses": []})
        ),
        "no item in the answer after the work": Fault(
            kind=FaultKind.REPLACE, operation=IMPORT, status=200, body=json.dumps({"ocnCourses": []})
        ),
        "an item too many": Fault(
            kind=FaultKind.REPLACE, operation=IMPORT, status=200, body=json.dumps({"ocnCourses": [_FOREIGN_COURSE]})
        ),
    }
    cutting_short = ("refusal of all after the work", "429")
    runs_to_recover = 60  # A rejected import is split, with one import per run.

    def make(self, *, name: str = "", clock: Callable[[], float] = time.time, takes_twins: bool = False) -> SAPSandbox:
        return SAPSandbox(clock=clock)  # It cannot hold two courses with one key.

    def course(self, record: Mapping[str, Any]) -> Course:
        [title], [description] = record["title"], record["description"]
        launched = record["content"][0]["launchURL"] if record.get("content") else ""
        texts = (title["value"], description["value"], launched)
        return Course(record["courseID"], record["courseID"], texts, is_offered=record["status"] == "ACTIVE")

    def texts(self, key: str, item: Item) -> tuple[str, ...]:
        return item.title, item.description.removeprefix("<p>").removesuffix("</p>"), item.enrollment_url


SYSTEM: Final = SAP()
