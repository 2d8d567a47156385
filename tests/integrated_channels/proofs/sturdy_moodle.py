"""A Moodle for a process of its own, which differs from the sandbox's in two ways that the proofs need.

Its courses are in a file before a call is answered, so that they survive the death of the process, as those of a real
Moodle do. And it takes a second course of the same ID number, which a real one refuses: whoever creates a course twice
is found out here.

It is a program: ``python -m tests.integrated_channels.proofs.sturdy_moodle PORT FILE``.
"""

from __future__ import annotations

import argparse
import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.moodle import MoodleSandbox
from enterprise_catalog.sandbox.moodle_changes import CourseEditor
from enterprise_catalog.sandbox.serving import make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from werkzeug import Request, Response

    from enterprise_catalog.sandbox.application import Operation
    from enterprise_catalog.sandbox.moodle_courses import Course
    from enterprise_catalog.sandbox.php_forms import PHPArray

CREATE: Final = "core_course_create_courses"
UPDATE: Final = "core_course_update_courses"


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="serves a Moodle that keeps its courses in a file")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path, help="where the courses are kept; it may have been left by an earlier one")
    arguments = parser.parse_args()
    make_loopback_server(SturdyMoodle(file=arguments.file), port=arguments.port).serve_forever()


@dataclass(kw_only=True, eq=False)
class SturdyMoodle(MoodleSandbox):
    """A Moodle that begins with the courses that ``file`` holds, if there is one."""

    file: Path

    def __post_init__(self) -> None:
        if self.file.exists():
            self.table = pickle.loads(self.file.read_bytes())  # noqa: S301  (written by the same program)

    def route(self, request: Request) -> Operation:
        operation = super().route(request)
        if operation.name not in {CREATE, UPDATE}:
            return operation

        def carry_out() -> Response:
            answer = operation.carry_out()
            self._keep()
            return answer

        return replace(operation, carry_out=carry_out)

    def _keep(self) -> None:
        """Write the courses; whoever kills us finds the old ones or the new ones, and nothing in between."""
        draft = self.file.with_suffix(".draft")
        draft.write_bytes(pickle.dumps(self.table))
        os.replace(draft, self.file)  # noqa: PTH105  (the name of what happens)

    def _find_function(self, name: object, *, raw: bool) -> Callable[[PHPArray], object]:
        if name == CREATE:
            return _TwinTaker(site=self, table=self.table).create_courses
        return super()._find_function(name, raw=raw)


class _TwinTaker(CourseEditor):
    def _refuse_duplicates(self, course: Course, *, among: Collection[str]) -> None:
        """Refuse none."""


if __name__ == "__main__":
    main()
