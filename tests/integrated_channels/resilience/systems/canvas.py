"""Canvas: one item per call, two parallel calls, and one token per run."""

from __future__ import annotations

import html
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.canvas.api import API, CanvasSandbox
from enterprise_catalog.sandbox.canvas.courses import CourseTable
from enterprise_catalog.sandbox.canvas.login import TOKEN_PAGE
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.resilience.reconciliation import Course, Item
from tests.integrated_channels.resilience.systems.base import VendorLMS
from tests.integrated_channels.resilience.systems.faults import OF_ANY_VENDOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.sandbox.canvas.courses import Course as StoredCourse
    from enterprise_catalog.sandbox.canvas.courses import Errors

CREATE: Final = f"POST {API}/accounts/:account_id/courses"
UPDATE: Final = f"PUT {API}/courses/:id"
CONCLUDE: Final = f"DELETE {API}/courses/:id"

_REFUSED: Final = json.dumps({"errors": {"name": [{"attribute": "name", "type": "bad", "message": "is not valid"}]}})
_TAKEN: Final = json.dumps({"errors": {"integration_id": [{"message": "The ID is already in use."}]}})
_NOT_FOUND: Final = json.dumps({"errors": [{"message": "The specified resource does not exist."}]})
_NOT_PERMITTED: Final = json.dumps({"errors": [{"message": "user not authorized to perform that action"}]})


class Canvas(VendorLMS):
    code = "CANVAS"
    changes = (CREATE, UPDATE, CONCLUDE)
    look_ups = ("GET *", f"POST {TOKEN_PAGE}")
    faults = {
        **OF_ANY_VENDOR,
        "throttled in a 403": Fault(kind=FaultKind.ANSWER, status=403, body="403 Forbidden (Rate Limit Exceeded)\n"),
        "refusal": Fault(kind=FaultKind.ANSWER, status=400, body=_REFUSED),
        "refusal after the work": Fault(kind=FaultKind.REPLACE, status=400, body=_REFUSED),
        "not permitted": Fault(kind=FaultKind.ANSWER, status=401, body=_NOT_PERMITTED),
        "not permitted after the work": Fault(kind=FaultKind.REPLACE, status=403, body=_NOT_PERMITTED),
        "error inside": Fault(kind=FaultKind.ANSWER, status=200, body=_NOT_FOUND),
        "error inside after the work": Fault(kind=FaultKind.REPLACE, status=200, body=_NOT_FOUND),
        "a proxy's 404": Fault(kind=FaultKind.ANSWER, status=404, body="<html>Not found</html>"),
        "several courses": Fault(kind=FaultKind.REPLACE, status=200, body="[]"),
        "ID taken": Fault(kind=FaultKind.ANSWER, operation=CREATE, status=400, body=_TAKEN),
        "ID taken after the work": Fault(kind=FaultKind.REPLACE, operation=CREATE, status=400, body=_TAKEN),
        "not found": Fault(kind=FaultKind.ANSWER, operation=UPDATE, status=404, body=_NOT_FOUND),
        "not found after the work": Fault(kind=FaultKind.REPLACE, operation=CONCLUDE, status=404, body=_NOT_FOUND),
    }
    cutting_short = ("refusal after the work", "429")
    kept = ("table",)

    def make(
        self, *, name: str = "", clock: Callable[[], float] = time.time, takes_twins: bool = False
    ) -> CanvasSandbox:
        return (_TwinTaker if takes_twins else CanvasSandbox)(clock=clock)

    def course(self, record: Mapping[str, Any]) -> Course:
        texts = (record["name"], record["course_code"], record["syllabus_body"])
        is_offered = record["workflow_state"] == "available"
        return Course(str(record["id"]), record["integration_id"], texts, is_offered=is_offered)

    def texts(self, key: str, item: Item) -> tuple[str, ...]:
        link = f'<a href="{html.escape(item.enrollment_url)}" target="_blank">Go to the course page</a>'
        return item.title, key, f"<p>{link}</p>{item.description}"


SYSTEM: Final = Canvas()


class _TwinTable(CourseTable):
    def _taken(self, course: StoredCourse) -> Errors:
        """Return no errors: duplicate keys are accepted."""
        return {}


@dataclass(kw_only=True, eq=False)
class _TwinTaker(CanvasSandbox):
    table: CourseTable = field(init=False, default_factory=_TwinTable)
