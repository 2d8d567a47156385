"""The time that Moodle takes to create courses: it rewrites the sort order of all courses in their category.

The transaction goes on to its end when the client has gone, and locks the rows meanwhile. A second create in the same
category waits for them, and fails once the database gives up. Look-ups see the courses only when all are committed.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox import moodle_errors as errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from enterprise_catalog.sandbox.moodle_courses import CourseTable
    from enterprise_catalog.sandbox.moodle_site import MoodleSite
    from enterprise_catalog.sandbox.php_forms import PHPArray


class RowLocks:
    """The locks on the courses of each category."""

    def __init__(self) -> None:
        self._by_category: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def held(self, category_id: int, *, wait_seconds: float = -1) -> Iterator[None]:
        """Lock the courses of a category until the block ends.

        Args:
            wait_seconds: how long to wait for another holder; -1 for as long as it takes.

        Raises:
            MoodleError: another create had the rows for longer.
        """
        lock = self._by_category[category_id]
        if not lock.acquire(timeout=wait_seconds):
            raise errors.lock_not_released()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def sorted_again(self, site: MoodleSite, table: CourseTable, parameters: PHPArray) -> Iterator[None]:
        """Take the time that a create with ``parameters`` takes; the rows stay locked until the block ends.

        Raises:
            MoodleError: another create had the rows for longer than the database waits.
        """
        new = _new_by_category(parameters)
        with ExitStack() as held:
            for category_id in sorted(new):
                held.enter_context(self.held(category_id, wait_seconds=site.lock_wait_seconds))
            site.sleep(site.sort_seconds_per_course * _rows_rewritten(new, table))
            yield


def _rows_rewritten(new: Mapping[int, int], table: CourseTable) -> int:
    """Return how many rows are written: for each new course, all that are in the category then."""
    return sum(n * table.count_in_category(category_id) + n * (n - 1) // 2 for category_id, n in new.items())


def _new_by_category(parameters: PHPArray) -> Counter[int]:
    """Return category -> number of new courses; what is no course or no category is left to the function itself."""
    courses = parameters.get("courses")
    categories = (
        course.get("categoryid")
        for course in (courses.values() if isinstance(courses, dict) else ())
        if isinstance(course, dict)
    )
    return Counter(int(value) for value in categories if isinstance(value, str) and value.isdecimal())
