"""Courses at a Moodle: found, created, updated and hidden. A course's ``idnumber`` is our content key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels import fields, php, results
from enterprise_catalog.integrated_channels.channels.base import PushChannel
from enterprise_catalog.integrated_channels.channels.moodle import transform, web_service
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RejectedError, RetryableError
from enterprise_catalog.integrated_channels.types import Outcome, RemoteItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.types import ContentItem, ItemResult, Outgoing, Payload

HIDDEN: Final = 0
VISIBLE: Final = 1

#: The most variables of one course in a request: what ``transform.py`` makes, ``id`` and ``visible``.
VARIABLES_PER_COURSE: Final = 9

_TAKEN_CODES: Final = frozenset({"courseidnumbertaken", "shortnametaken"})
_MISSING_RECORD: Final = "invalidrecord"


class MoodleSettings(transform.CourseSettings):
    """What differs from one Moodle site to the next."""

    service: str = Field(default="moodle_mobile_app", description="The web service's short name; needed to log in.")
    max_input_vars: php.MaxInputVars = 1_000
    calls_per_minute: fields.CallsPerMinute = None  #: Moodle itself has no limit.


class _Course(BaseModel):
    id: int
    shortname: str = ""
    idnumber: str = ""
    fullname: str = ""
    visible: int = VISIBLE
    startdate: int = 0
    enddate: int = 0


class _Courses(BaseModel):
    courses: list[_Course]


class _Warning(BaseModel):
    itemid: int
    warningcode: str
    message: str = ""


class _Warnings(BaseModel):
    warnings: list[_Warning]


#: Functions that change courses; called without arguments, which a Moodle that lets us call them finds wrong.
_CHANGING_FUNCTIONS: Final = ("core_course_create_courses", "core_course_update_courses")


class Moodle(PushChannel[MoodleSettings, web_service.MoodleCredentials]):
    """Moodle 3.9 to 5.x. Courses are hidden instead of deleted: a delete would take learners' work with it."""

    code = "MOODLE"
    label = "Moodle"
    items_per_call = 100
    is_atomic = True
    max_key_length = transform.MAX_IDNUMBER_LENGTH

    def prepare(self) -> None:
        self.web_service = web_service.WebService(self.client, self.credentials, service=self.settings.service)
        most = (self.settings.max_input_vars - web_service.CONTROL_VARIABLES) // VARIABLES_PER_COURSE
        self.items_per_call = min(self.items_per_call, most)
        self.rate_limit = fields.rate_limit(self.settings.calls_per_minute)

    def transform(self, item: ContentItem) -> Payload:
        return transform.to_course(item, self.settings)

    def probe(self) -> Sequence[str]:
        """Look something up, and call the functions that change courses with nothing to change."""
        self._courses_by("id", "1")
        mend = []
        for function in _CHANGING_FUNCTIONS:
            try:
                self.web_service.call(function, {}, object)
            except (RejectedError, CredentialsError) as error:
                if error.vendor_code != "invalidparameter":
                    mend.append(f"The web service does not let us call {function}: {error.message}")
        return mend

    def list_items(self) -> Iterator[RemoteItem]:
        for course in self.web_service.call("core_course_get_courses", {}, list[_Course]):
            if course.idnumber:
                told = course.model_dump(include={"fullname", "shortname", "idnumber", "startdate", "enddate"})
                yield RemoteItem(course.idnumber, str(course.id), bool(course.visible), course.fullname, told)

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Look each key up by itself: the web service has no way to ask for several ID numbers at once.

        Moodle matches as its database collates (case, accents and trailing spaces may not count), so the answer is
        compared exactly. Parallel creates can make several courses with one key (observed); the oldest counts.
        """
        assert all(keys), "an empty idnumber matches each course without one, the site's front page included (observed)"
        return {key: str(min(ids)) for key in keys if (ids := self._ids_of(key))}

    def _ids_of(self, key: str) -> list[int]:
        return [course.id for course in self._courses_by("idnumber", key) if course.idnumber == key]

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create all of ``items`` or none: Moodle does it in one transaction.

        It refuses an ID number that another course has, hidden or not; only calls at the same time can make two.
        """
        courses = php.bracketed("courses", [item.payload for item in items])
        try:
            created = self.web_service.call("core_course_create_courses", courses, list[_Course])
        except RejectedError as error:
            if len(items) == 1 and error.vendor_code in _TAKEN_CODES:
                return [self._taken(items[0], error)]
            raise
        if [course.shortname for course in created] != [item.payload["shortname"] for item in items]:
            # What there is now, the look-up of the next run will tell.
            raise RetryableError(f"Moodle was sent {len(items)} courses and answered for {len(created)} others.")
        return [results.done(item, course.id) for item, course in zip(items, created, strict=True)]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update(items, [{**item.payload, "visible": VISIBLE} for item in items])

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update(items, [{"visible": HIDDEN} for _ in items])

    def _update(self, items: Sequence[Outgoing], changes: Sequence[Payload]) -> Sequence[ItemResult]:
        """Send each item's changes; Moodle takes each by itself and warns of those that it did not take."""
        courses = [{"id": item.remote_id, **change} for item, change in zip(items, changes, strict=True)]
        form = php.bracketed("courses", courses)
        answer = self.web_service.call("core_course_update_courses", form, _Warnings)
        warnings = {str(warning.itemid): warning for warning in answer.warnings}
        if warnings.keys() - {item.remote_id for item in items}:
            raise RetryableError("Moodle warns of courses that it was not sent.", status_code=200)
        return [self._result(item, warnings.get(item.remote_id)) for item in items]

    def _result(self, item: Outgoing, warning: _Warning | None) -> ItemResult:
        if warning is None:
            return results.done(item)
        # A missing category has the same code as a missing course; only a look-up tells which it is.
        is_gone = warning.warningcode == _MISSING_RECORD and not self._courses_by("id", item.remote_id)
        message = self.client.redacted(f"Moodle: {warning.message}")
        refusal = RejectedError(message, status_code=200, vendor_code=warning.warningcode)
        return results.failed(item, refusal, outcome=Outcome.GONE if is_gone else Outcome.REJECTED)

    def _taken(self, item: Outgoing, error: RejectedError) -> ItemResult:
        """Return the refusal of a name that is taken, with the course that has it; Moodle's own message names ours.

        If that is the very course that was to be created, somebody was faster; the next run adopts it.
        """
        key = item.content_key
        found = self._courses_by("idnumber", key)
        if any(course.idnumber == key for course in found):
            return results.made_meanwhile(item, error, known_as="ID number")
        reason = f"Another course in Moodle has the short name {item.payload['shortname']!r}, with another ID number"
        if error.vendor_code == "courseidnumbertaken":
            theirs = ", ".join(f"{course.idnumber!r} (course {course.id})" for course in found)
            whose = theirs or "one that our account may not see"
            reason = f"Moodle takes the ID number {key!r} for that of another course: {whose}"
        return results.failed(item, error, message=f"{reason}.")

    def _courses_by(self, field: str, value: str) -> list[_Course]:
        """Return the courses that Moodle finds by one of their fields, hidden ones included."""
        form = {"field": field, "value": value}
        return self.web_service.call("core_course_get_courses_by_field", form, _Courses).courses
