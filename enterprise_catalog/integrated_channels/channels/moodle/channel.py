"""Moodle courses: look-up, create, update, hide, list. A course's ``idnumber`` is our content key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels import fields, results
from enterprise_catalog.integrated_channels.channels.base import PushChannel
from enterprise_catalog.integrated_channels.channels.content.text import plain
from enterprise_catalog.integrated_channels.channels.moodle import auth, checks, client, courses, transform
from enterprise_catalog.integrated_channels.channels.moodle.client import BLOCKED_ACCOUNT, Function
from enterprise_catalog.integrated_channels.channels.protocols import php_forms
from enterprise_catalog.integrated_channels.domain import Outcome, RemoteItem
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RejectedError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, ItemResult, Outgoing, Payload

#: Maximum number of variables per course in a request; an update has the most.
VARIABLES_PER_COURSE: Final = 8
#: Fields sent only on create: users may later move a course to another category.
_ONLY_CREATED: Final = frozenset({"categoryid"})

_TAKEN_CODES: Final = frozenset({"courseidnumbertaken", "shortnametaken"})
_MISSING_RECORD: Final = "invalidrecord"
_NO_PERMISSION: Final = "nopermissions"
_NO_ENTRY: Final = "requireloginerror"
#: Response fields that drift reports compare with the catalog.
_COMPARED: Final = {"fullname", "shortname", "idnumber", "startdate", "enddate"}
_HIDDEN_FROM_US: Final = (
    "The account cannot access course {course}: most likely, the course is hidden and the account's role lacks"
    " moodle/course:viewhiddencourses. Add this capability to the role in the system context."
)


class MoodleSettings(transform.CourseSettings):
    """Settings of one Moodle site."""

    service: str = Field(default="moodle_mobile_app", description="Short name of the web service; needed to log in.")
    max_input_vars: php_forms.MaxInputVars = 1_000
    calls_per_minute: fields.CallsPerMinute = None  #: Moodle itself has no rate limit.


class _Created(BaseModel):
    id: int
    shortname: str = ""


class Moodle(PushChannel[MoodleSettings, auth.MoodleCredentials]):
    """Moodle 3.9 to 5.x. Courses are hidden instead of deleted, because a delete would remove learners' work."""

    code = "MOODLE"
    label = "Moodle"
    items_per_call = 100
    is_atomic = True
    max_key_length = transform.MAX_IDNUMBER_LENGTH

    def prepare(self) -> None:
        self.web_service = client.WebService(self.client, self.credentials, service=self.settings.service)
        most = (self.settings.max_input_vars - client.CONTROL_VARIABLES) // VARIABLES_PER_COURSE
        self.items_per_call = min(self.items_per_call, most)
        self.rate_limit = fields.rate_limit(self.settings.calls_per_minute)
        self._shows_keys = False  #: ``True`` once a check has shown that the account can read ID numbers.
        self._is_role_complete = False  #: ``True`` once a check has found no missing capability for updates.

    def transform(self, item: ContentItem) -> Payload:
        return transform.to_course(item, self.settings)

    def check_connection(self) -> Sequence[str]:
        """Check functions, account, category and capabilities. Changes nothing."""
        return checks.find_problems(
            self.web_service, category_id=self.settings.category_id, max_input_vars=self.settings.max_input_vars
        )

    def list_items(self) -> Iterator[RemoteItem]:
        shows_keys: set[bool] = set()
        for page in courses.fetch_pages(self.web_service, max_input_vars=self.settings.max_input_vars):
            for course in page:
                shows_keys.add(course.idnumber is not None)
                if course.idnumber:
                    yield _remote_item(course.idnumber, course)
        if shows_keys == {False}:
            raise CredentialsError(checks.lacks([checks.UPDATE_CAPABILITY]))

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Look up each key with its own call: the web service cannot look up several ID numbers at once.

        A key may have several courses, because parallel creates can make duplicates (observed).
        """
        assert all(keys), "an empty idnumber matches each course without one, the site's front page included (observed)"
        found = ((key, self.choose(key, self._courses_of(key))) for key in keys)
        return {key: remote_id for key, remote_id in found if remote_id is not None}

    def look_up(self, key: str) -> RemoteItem | None:
        found = self._courses_of(key)
        remote_id = self.choose(key, found)
        return None if remote_id is None else _remote_item(key, found[remote_id])

    def _courses_of(self, key: str) -> Mapping[str, courses.Course]:
        """Return id -> course, for the courses with exactly this key."""
        found = courses.find(self.web_service, "idnumber", key)
        if any(course.idnumber is None for course in found) and not self._shows_keys:
            # Without this check, an existing course with an unreadable ID number would look as if it were gone.
            checks.require_keys(self.web_service)
            self._shows_keys = True
        return {str(course.id): course for course in found if course.idnumber == key}

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create all of ``items`` or none, in one Moodle transaction.

        Moodle rejects the ID number of an existing course, hidden or not. Only simultaneous calls can create
        duplicates.
        """
        form = php_forms.bracketed("courses", [item.payload for item in items])
        try:
            created = self.web_service.call(Function.CREATE, form, list[_Created])
        except RejectedError as error:
            if len(items) == 1 and error.vendor_code in _TAKEN_CODES:
                return [self._explain_taken(items[0], error)]
            raise
        if [course.shortname for course in created] != [item.payload["shortname"] for item in items]:
            # The look-up in the next run finds the courses that were created.
            counts = f"courses sent: {len(items)}, courses in the response: {len(created)}"
            raise RetryableError(f"Moodle's response does not match the request ({counts}).")
        return [results.done(item, course.id) for item, course in zip(items, created, strict=True)]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Update and show courses. A course that users have moved stays in its category."""
        return self._update(
            items, [{**_without(item.payload, _ONLY_CREATED), "visible": courses.VISIBLE} for item in items]
        )

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update(items, [{"visible": courses.HIDDEN} for _ in items])

    def _update(self, items: Sequence[Outgoing], changes: Sequence[Payload]) -> Sequence[ItemResult]:
        """Send the changes of each item. Moodle applies them one by one, and returns a warning per failed course."""
        changed = [{"id": item.remote_id, **change} for item, change in zip(items, changes, strict=True)]
        response = self.web_service.call(Function.UPDATE, php_forms.bracketed("courses", changed), checks.Warnings)
        warnings = {str(warning.itemid): warning for warning in response.warnings}
        if warnings.keys() - {item.remote_id for item in items}:
            raise RetryableError("Moodle returned warnings about courses that were not in the call.", status_code=200)
        self._stop_for_account(response.warnings)
        return [self._result(item, warnings.get(item.remote_id)) for item in items]

    def _stop_for_account(self, warnings: Sequence[checks.Warned]) -> None:
        """Stop the run if a warning concerns the account and not the course.

        A capability may be missing in one course only, if a permission override removes it. The role is therefore
        checked first.

        Raises:
            CredentialsError: no course can be updated until an operator fixes the account or its role.
        """
        for warning in warnings:
            code = warning.warningcode
            if code in BLOCKED_ACCOUNT:
                raise CredentialsError(self.web_service.explained(warning.message, code), vendor_code=code)
            if code == _NO_PERMISSION and not self._is_role_complete:
                if missing := checks.find_missing_capabilities(self.web_service):
                    raise CredentialsError(checks.lacks(missing), status_code=200, vendor_code=code)
                self._is_role_complete = True

    def _result(self, item: Outgoing, warning: checks.Warned | None) -> ItemResult:
        if warning is None:
            return results.done(item)
        code, outcome = warning.warningcode, Outcome.REJECTED
        message = f"Moodle: {self.client.redacted(plain(warning.message))}"
        if code == _MISSING_RECORD and not courses.find(self.web_service, "id", item.remote_id):
            outcome = Outcome.GONE
        elif code == _NO_PERMISSION:
            message += f" The role has the permission, so course {item.remote_id} or its category overrides it."
        elif code == client.WRITE_FAILED:
            outcome = Outcome.RETRY
        elif code == _NO_ENTRY:  # Retry, because the cause is most likely the role and not this item.
            outcome, message = Outcome.RETRY, f"{message} {_HIDDEN_FROM_US.format(course=item.remote_id)}"
        refusal = RejectedError(message, status_code=200, vendor_code=code)
        return results.failed(item, refusal, outcome=outcome)

    def _explain_taken(self, item: Outgoing, error: RejectedError) -> ItemResult:
        """Return the result for an ID number or short name that is taken, naming the course that has it.

        Moodle's own message names only our value. If the other course has the content key of ``item``, it was created
        in the meantime, and the next run adopts it.
        """
        key = item.content_key
        found = courses.find(self.web_service, "idnumber", key)
        if any(course.idnumber == key for course in found):
            return results.made_meanwhile(item, error, known_as="ID number")
        if error.vendor_code != "courseidnumbertaken":
            reason = (
                f"Another course in Moodle has the short name {item.payload['shortname']!r}, but another ID number."
                " Change its short name."
            )
            return results.failed(item, error, message=reason)
        readable = [course for course in found if course.idnumber]
        if len(readable) < max(len(found), 1):
            # Most likely a hidden course of ours: a problem of the role, and no rejection of this item.
            which = ", ".join(str(course.id) for course in found if not course.idnumber) or "(ID unknown)"
            reason = f"Moodle has a course with the ID number {key!r}. {_HIDDEN_FROM_US.format(course=which)}"
            return results.failed(item, error, message=reason, outcome=Outcome.RETRY)
        theirs = ", ".join(f"{course.idnumber!r} (course {course.id})" for course in readable)
        message = f"Moodle treats the ID number {key!r} as equal to that of another course: {theirs}."
        return results.failed(item, error, message=message)


def _without(payload: Payload, names: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in payload.items() if name not in names}


def _remote_item(key: str, course: courses.Course) -> RemoteItem:
    fields = course.model_dump(include=_COMPARED, exclude_none=True)
    return RemoteItem(key, str(course.id), course.visible != courses.HIDDEN, course.fullname, fields)
