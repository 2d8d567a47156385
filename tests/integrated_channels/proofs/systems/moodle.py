"""Moodle: several items a call, and most refusals inside of answers with status 200."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.moodle import MoodleSandbox
from enterprise_catalog.sandbox.moodle_changes import CourseEditor
from tests.integrated_channels.proofs.ledger import Course, Item
from tests.integrated_channels.proofs.systems.base import LearningSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from enterprise_catalog.sandbox.moodle_courses import Course as StoredCourse
    from enterprise_catalog.sandbox.php_forms import PHPArray

CREATE: Final = "core_course_create_courses"
UPDATE: Final = "core_course_update_courses"


class Moodle(LearningSystem):
    code = "MOODLE"
    changes = (CREATE, UPDATE)
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
        """Refuse none."""
