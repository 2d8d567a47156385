"""Moodle: several items per call, and most errors in responses with status 200."""

from __future__ import annotations

import html
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.changes import CourseEditor
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.integrated_channels.resilience.reconciliation import Course, Item
from tests.integrated_channels.resilience.systems.base import VendorLMS
from tests.integrated_channels.resilience.systems.faults import OF_ANY_VENDOR

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from enterprise_catalog.sandbox.moodle.courses import Course as StoredCourse
    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray

CREATE: Final = "core_course_create_courses"
UPDATE: Final = "core_course_update_courses"


def _error(code: str) -> str:
    """Return the body of a Moodle error, which has status 200."""
    return json.dumps({"exception": "moodle_exception", "errorcode": code, "message": "It did not work."})


_WARNING: Final = {"item": "course", "itemid": 987_654_321, "warningcode": "invalidrecord", "message": "Not there."}


class Moodle(VendorLMS):
    code = "MOODLE"
    changes = (CREATE, UPDATE)
    look_ups = ("core_course_get_*",)
    faults = {
        **OF_ANY_VENDOR,
        "refusal inside": Fault(kind=FaultKind.ANSWER, status=200, body=_error("errorinvalidparam")),
        "lock inside": Fault(kind=FaultKind.ANSWER, status=200, body=_error("dmlwriteexception")),
        "refusal inside after the work": Fault(kind=FaultKind.REPLACE, status=200, body=_error("invalidresponse")),
        "passing error inside": Fault(kind=FaultKind.ANSWER, status=200, body=_error("dmltransactionexception")),
        "passing error inside after the work": Fault(
            kind=FaultKind.REPLACE, status=200, body=_error("dmlreadexception")
        ),
        "one item too few": Fault(kind=FaultKind.SHORTEN, operation=CREATE),
        "one item too many": Fault(kind=FaultKind.LENGTHEN, operation=CREATE),
        "warning for another course": Fault(
            kind=FaultKind.ANSWER, operation=UPDATE, status=200, body=json.dumps({"warnings": [_WARNING]})
        ),
    }
    cutting_short = ("refusal inside after the work", "429")
    kept = ("table",)

    def make(
        self, *, name: str = "", clock: Callable[[], float] = time.time, takes_twins: bool = False
    ) -> MoodleSandbox:
        return _TwinTaker() if takes_twins else MoodleSandbox()

    def course(self, record: Mapping[str, Any]) -> Course:
        texts = (record["fullname"], record["shortname"], record["summary"])
        return Course(str(record["id"]), record["idnumber"], texts, is_offered=bool(record["visible"]))

    def texts(self, key: str, item: Item) -> tuple[str, ...]:
        link = f'<a href="{html.escape(item.enrollment_url)}" target="_blank">Go to the course page</a>'
        return (
            f"{item.title} - via edX.org (Northwind Institute)",
            f"{item.title} ({key})",
            f"{link}<br/>{item.description}",
        )


SYSTEM: Final = Moodle()


@dataclass(kw_only=True, eq=False)
class _TwinTaker(MoodleSandbox):
    def _find_function(self, name: object, *, raw: bool) -> Callable[[PHPArray], object]:
        if name == CREATE:
            return _TwinEditor(site=self, table=self.table).create_courses
        return super()._find_function(name, raw=raw)


class _TwinEditor(CourseEditor):
    def _refuse_duplicates(self, course: StoredCourse, *, among: Collection[str]) -> None:
        """Accept duplicates."""
