"""Moodle courses as the web service returns them: look-up by a field, and paginated lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from enterprise_catalog.integrated_channels.channels.moodle.client import CONTROL_VARIABLES, Function
from enterprise_catalog.integrated_channels.exceptions import ResponseTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.integrated_channels.channels.moodle.client import WebService

HIDDEN: Final = 0  #: Values of ``visible``.
VISIBLE: Final = 1

SITE_COURSE_ID: Final = 1  #: The front page, which is a course on every site.

#: Number of ids per list call. Moodle needs 0.2 to 0.8 s for 100 courses (observed).
IDS_PER_CALL: Final = 200
#: The list ends after this many consecutive unused ids. Deleted courses leave gaps of unused ids.
MAX_UNUSED_IDS: Final = 20_000


class Course(BaseModel):
    """A course in a response. Fields that the account may not read are ``None``, because Moodle omits them."""

    id: int
    shortname: str = ""
    fullname: str = ""
    idnumber: str | None = None
    visible: int | None = None
    startdate: int | None = None
    enddate: int | None = None


class _Courses(BaseModel):
    courses: list[Course]


def find(service: WebService, field: str, value: str) -> list[Course]:
    """Return the courses whose ``field`` matches ``value``, hidden courses included.

    Moodle matches with its database collation, which may ignore case, accents and trailing spaces.
    """
    return service.call(Function.FIND, {"field": field, "value": value}, _Courses).courses


def fetch_by_ids(service: WebService, ids: Sequence[int]) -> list[Course]:
    """Return the courses with the given ``ids``. Splits the list in halves if a response is too large.

    Raises:
        CredentialsError: the account may not enter one of the courses (``errorcoursecontextnotvalid``).
        ResponseTooLargeError: the response for a single course is too large.
    """
    arguments = {f"options[ids][{position}]": str(course_id) for position, course_id in enumerate(ids)}
    try:
        return service.call(Function.LIST, arguments, list[Course])
    except ResponseTooLargeError:
        if len(ids) == 1:
            raise
        middle = len(ids) // 2
        return fetch_by_ids(service, ids[:middle]) + fetch_by_ids(service, ids[middle:])


def fetch_pages(service: WebService, *, max_input_vars: int) -> Iterator[list[Course]]:
    """Yield all courses except the front page, in non-empty pages of ascending ids.

    Moodle returns either all courses or the courses with given ids. It has no other pagination, and no call returns
    the highest id. This function therefore requests ranges of ids, with larger ranges across gaps, and stops after
    :data:`MAX_UNUSED_IDS` consecutive unused ids. Moodle assigns ascending ids and never reuses one.
    """
    most = max_input_vars - CONTROL_VARIABLES
    first, size, unused = SITE_COURSE_ID + 1, min(IDS_PER_CALL, most), 0
    while unused < MAX_UNUSED_IDS:
        found = fetch_by_ids(service, range(first, first + size))
        first += size
        if found:
            yield found
            size, unused = min(IDS_PER_CALL, most), first - 1 - max(course.id for course in found)
        else:
            size, unused = min(2 * size, most), unused + size
