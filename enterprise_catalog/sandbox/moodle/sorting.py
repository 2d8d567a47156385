"""Duration of creates in Moodle, which rewrites the sort order of all courses in the category.

The transaction locks these rows, and continues after the client has disconnected. A second create in the same category
waits for the locks, and fails after the database's lock timeout. Look-ups find the new courses only after the commit.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.moodle import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from enterprise_catalog.sandbox.moodle.courses import CourseTable
    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray
    from enterprise_catalog.sandbox.moodle.settings import MoodleSite


class RowLocks:
    """Locks on the courses of each category."""

    def __init__(self) -> None:
        self._by_category: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def lock(self, category_id: int, *, wait_seconds: float = -1) -> Iterator[None]:
        """Lock the courses of a category until the block ends.

        Args:
            wait_seconds: lock timeout; -1 for no timeout.

        Raises:
            MoodleError: the lock timed out.
        """
        lock = self._by_category[category_id]
        if not lock.acquire(timeout=wait_seconds):
            raise errors.lock_not_released()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def lock_and_sort(self, site: MoodleSite, table: CourseTable, parameters: PHPArray) -> Iterator[None]:
        """Lock the rows and wait for the duration of a create with ``parameters``. Unlock them when the block ends.

        Raises:
            MoodleError: the lock timed out, after ``lock_wait_seconds``.
        """
        new = _new_by_category(parameters)
        with ExitStack() as held:
            for category_id in sorted(new):
                held.enter_context(self.lock(category_id, wait_seconds=site.lock_wait_seconds))
            site.sleep(site.sort_seconds_per_course * _rows_rewritten(new, table))
            yield


def _rows_rewritten(new: Mapping[int, int], table: CourseTable) -> int:
    """Return the number of rows written: for each new course, the number of courses in its category at that time."""
    return sum(n * table.count_in_category(category_id) + n * (n - 1) // 2 for category_id, n in new.items())


def _new_by_category(parameters: PHPArray) -> Counter[int]:
    """Return category -> number of new courses. Skips invalid input, which the web service function then rejects."""
    courses = parameters.get("courses")
    categories = (
        course.get("categoryid")
        for course in (courses.values() if isinstance(courses, dict) else ())
        if isinstance(course, dict)
    )
    return Counter(int(value) for value in categories if isinstance(value, str) and value.isdecimal())
