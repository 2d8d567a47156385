"""Canvas: one item a call, two calls at the same time, and a token that is fetched by each run."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.canvas import API, CanvasSandbox
from enterprise_catalog.sandbox.canvas_courses import CourseTable
from tests.integrated_channels.proofs.ledger import Course, Item
from tests.integrated_channels.proofs.systems.base import LearningSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.sandbox.canvas_courses import Course as StoredCourse
    from enterprise_catalog.sandbox.canvas_courses import Errors

CREATE: Final = f"POST {API}/accounts/:account_id/courses"
UPDATE: Final = f"PUT {API}/courses/:id"
CONCLUDE: Final = f"DELETE {API}/courses/:id"


class Canvas(LearningSystem):
    code = "CANVAS"
    changes = (CREATE, UPDATE, CONCLUDE)
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
        """Find none."""
        return {}


@dataclass(kw_only=True, eq=False)
class _TwinTaker(CanvasSandbox):
    table: CourseTable = field(init=False, default_factory=_TwinTable)
