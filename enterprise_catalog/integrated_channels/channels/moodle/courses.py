"""Moodle's courses as the web service returns them: looked up by a field, or listed in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from enterprise_catalog.integrated_channels.channels.moodle.web_service import CONTROL_VARIABLES, Function
from enterprise_catalog.integrated_channels.exceptions import AnswerTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.integrated_channels.channels.moodle.web_service import WebService

HIDDEN: Final = 0  #: Values of ``visible``.
VISIBLE: Final = 1

SITE_COURSE_ID: Final = 1  #: The front page, a course of every site.

#: Courses that are asked for at once. 100 of them take Moodle 0.2 to 0.8 s (observed).
IDS_PER_CALL: Final = 200
#: The list ends once this many ids in a row belong to no course; deleted courses leave such gaps.
MAX_UNUSED_IDS: Final = 20_000


class Course(BaseModel):
    """One course of a reply. Fields that the account may not read are ``None``: Moodle leaves them out."""

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
    """Return the courses that Moodle finds by one of their fields, hidden ones included.

    Moodle matches as its database collates: case, accents and trailing spaces may not count.
    """
    return service.call(Function.FIND, {"field": field, "value": value}, _Courses).courses


def among(service: WebService, ids: Sequence[int]) -> list[Course]:
    """Return the courses that have one of ``ids``, in halves where the reply would be too large.

    Raises:
        CredentialsError: the account may not enter one of them (``errorcoursecontextnotvalid``).
        AnswerTooLargeError: a single course is too large.
    """
    arguments = {f"options[ids][{position}]": str(course_id) for position, course_id in enumerate(ids)}
    try:
        return service.call(Function.LIST, arguments, list[Course])
    except AnswerTooLargeError:
        if len(ids) == 1:
            raise
        middle = len(ids) // 2
        return among(service, ids[:middle]) + among(service, ids[middle:])


def pages(service: WebService, *, max_input_vars: int) -> Iterator[list[Course]]:
    """Yield all courses but the front page in parts of ascending ids; each part has at least one course.

    Moodle returns all courses at once, or those with the ids that are asked for; it has no other paging, and no call
    that returns the highest id. So ranges of ids are asked for, larger ones across gaps, until
    :data:`MAX_UNUSED_IDS` in a row are unused. Ids ascend and are never used twice.
    """
    most = max_input_vars - CONTROL_VARIABLES
    first, size, unused = SITE_COURSE_ID + 1, min(IDS_PER_CALL, most), 0
    while unused < MAX_UNUSED_IDS:
        found = among(service, range(first, first + size))
        first += size
        if found:
            yield found
            size, unused = min(IDS_PER_CALL, most), first - 1 - max(course.id for course in found)
        else:
            size, unused = min(2 * size, most), unused + size
