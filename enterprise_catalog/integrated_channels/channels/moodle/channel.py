"""The calls of Moodle's REST web service.

A course's ``idnumber`` is our content key. Moodle answers 200 to almost everything: success is told by the body's
shape, errors by their ``errorcode``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from enterprise_catalog.integrated_channels.channels.base import Channel, ChannelSettings
from enterprise_catalog.integrated_channels.channels.moodle.transform import MAX_FULLNAME_LENGTH, to_course
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
    SyncError,
)
from enterprise_catalog.integrated_channels.types import ItemResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.types import ContentItem, Outgoing, Payload

SERVER: Final = "/webservice/rest/server.php"
LOGIN: Final = "/login/token.php"

HIDDEN: Final = 0
VISIBLE: Final = 1

#: ``wstoken``, ``wsfunction`` and ``moodlewsrestformat``.
_CONTROL_VARIABLES: Final = 3
#: The most of one course: what ``transform.py`` makes, ``id`` and ``visible``.
_VARIABLES_PER_COURSE: Final = 10

#: Error codes of Moodle -> what they mean for us; all other codes refuse the call because of an item.
_CREDENTIALS_CODES: Final = frozenset(
    {"invalidtoken", "accessexception", "nopermissions", "requireloginerror"}
    | {"wsaccessuserdeleted", "wsaccessuserexpired", "wsaccessusernologin"}
    | {"wsaccessusersuspended", "wsaccessuserunconfirmed"}
)
#: ``invalidrecord`` in place of an answer means a web service function that this Moodle does not have.
_CONFIGURATION_CODES: Final = frozenset({"errorcatcontextnotvalid", "invalidrecord"})
_PASSING_CODES: Final = frozenset(
    {"dbconnectionfailed", "upgraderunning", "sitemaintenance", "sessiontimeout", "dmlreadexception"}
    | {"dmltransactionexception", "ddlexecuteerror"}
)
#: A token that has expired is refused with the second code once, and with the first one from then on (observed).
_STALE_TOKEN_CODES: Final = frozenset({"invalidtoken", "accessexception"})
_TAKEN_CODES: Final = frozenset({"courseidnumbertaken", "shortnametaken"})
_MISSING_RECORD: Final = "invalidrecord"  #: As a warning's code: the course is missing, or else its category.


class MoodleSettings(ChannelSettings):
    """What differs from one Moodle site to the next."""

    category_id: int = Field(default=1, ge=1, description="The course category that new courses go into.")
    service: str = Field(default="moodle_mobile_app", description="The web service's short name; needed to log in.")
    fullname_length: int = Field(
        default=MAX_FULLNAME_LENGTH,
        ge=50,
        le=1_333,
        description="How long a full name may be; 1333 from Moodle 5.0 on.",
    )
    max_input_vars: int = Field(
        default=1_000,
        ge=100,
        description="PHP's max_input_vars; what exceeds it in a request is silently dropped by PHP.",
    )


class MoodleCredentials(ChannelSettings):
    """A web service token, or a user's name and password to get one with."""

    token: SecretStr | None = None
    username: str = ""
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> MoodleCredentials:
        if not self.token and not (self.username and self.password):
            raise ValueError("give a token, or a username and a password")
        return self


class _Failure(BaseModel):
    """An error that Moodle answers with status 200; ``errorcode`` may be missing (observed)."""

    exception: str | None = None
    errorcode: str | None = None
    message: str | None = None
    error: str | None = None  #: The log-in page's word for ``message``.


class _LogIn(BaseModel):
    token: str = Field(min_length=1)


class _Course(BaseModel):
    id: int
    shortname: str = ""
    idnumber: str = ""


class _Courses(BaseModel):
    courses: list[_Course]


class _Warning(BaseModel):
    item: str = ""
    itemid: int = 0
    warningcode: str
    message: str = ""


class _Warnings(BaseModel):
    warnings: list[_Warning]


_CREATED: Final = TypeAdapter(list[_Course])

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Moodle(Channel[MoodleSettings, MoodleCredentials]):
    """Moodle 3.9 to 5.x. Courses are hidden instead of deleted: a delete would take learners' work with it."""

    code = "MOODLE"
    label = "Moodle"
    chunk_size = 100
    settings_class = MoodleSettings
    credentials_class = MoodleCredentials

    def __init__(self, client: LMSClient, settings: MoodleSettings, credentials: MoodleCredentials) -> None:
        super().__init__(client, settings, credentials)
        self.chunk_size = min(self.chunk_size, (settings.max_input_vars - _CONTROL_VARIABLES) // _VARIABLES_PER_COURSE)
        self._token = credentials.token.get_secret_value() if credentials.token else ""

    def transform(self, item: ContentItem) -> Payload:
        return to_course(item, category_id=self.settings.category_id, fullname_length=self.settings.fullname_length)

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Look each key up by itself: the web service has no way to ask for several ID numbers at once.

        Moodle matches as its database collates (case, accents and trailing spaces may not count), so the answer is
        compared exactly. Parallel creates can make several courses with one key (observed); the oldest counts.
        """
        found = {}
        for key in keys:
            assert key, "an empty idnumber matches every course without one, the site's front page included (observed)"
            matches = [course.id for course in self._courses_by("idnumber", key) if course.idnumber == key]
            if matches:
                found[key] = str(min(matches))
        return found

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create all of ``items`` or none: Moodle does it in one transaction."""
        try:
            answer = self._call("core_course_create_courses", _bracketed([item.payload for item in items]))
        except RejectedError as error:
            if len(items) == 1 and error.vendor_code in _TAKEN_CODES:
                raise self._explained(error, items[0]) from error
            raise
        created = _read(_CREATED, answer)
        if [course.shortname for course in created] != [item.payload["shortname"] for item in items]:
            # What there is now, the look-up of the next run will tell.
            raise RetryableError(f"Moodle was sent {len(items)} courses and answered for {len(created)} others.")
        return [
            ItemResult(item.content_key, Outcome.DONE, remote_id=str(course.id))
            for item, course in zip(items, created, strict=True)
        ]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update(items, [{**item.payload, "visible": VISIBLE} for item in items])

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update(items, [{"visible": HIDDEN}] * len(items))

    def _update(self, items: Sequence[Outgoing], changes: Sequence[Payload]) -> Sequence[ItemResult]:
        """Send each item's changes; Moodle takes each by itself and warns of those that it did not take."""
        courses = [{"id": item.remote_id, **fields} for item, fields in zip(items, changes, strict=True)]
        answer = _read_model(_Warnings, self._call("core_course_update_courses", _bracketed(courses)))
        warnings = {str(warning.itemid): warning for warning in answer.warnings}
        if warnings.keys() - {item.remote_id for item in items}:
            raise RetryableError("Moodle warns of courses that it was not sent.", status_code=200)
        return [self._result(item, warnings.get(item.remote_id)) for item in items]

    def _result(self, item: Outgoing, warning: _Warning | None) -> ItemResult:
        if warning is None:
            return ItemResult(item.content_key, Outcome.DONE, remote_id=item.remote_id)
        # A missing category has the same code as a missing course; only a look-up tells which it is.
        is_gone = warning.warningcode == _MISSING_RECORD and not self._courses_by("id", item.remote_id)
        return ItemResult(
            item.content_key,
            Outcome.GONE if is_gone else Outcome.REJECTED,
            status_code=200,
            vendor_code=warning.warningcode,
            message=self.client.redacted(f"Moodle: {warning.message}"),
        )

    def _explained(self, error: RejectedError, item: Outgoing) -> RejectedError:
        """Return the refusal of a name that is taken, with the course that has it; Moodle's own message names ours."""
        if error.vendor_code == "courseidnumbertaken":
            others = self._courses_by("idnumber", item.content_key)
            theirs = ", ".join(f"{course.idnumber!r} (course {course.id})" for course in others)
            whose = theirs or "a course that our account may not see"
            reason = f"Moodle takes the ID number {item.content_key!r} for that of another course: {whose}"
        else:
            reason = (
                f"Another course in Moodle has the short name {item.payload['shortname']!r}, with another ID number"
            )
        return RejectedError(f"{reason}.", status_code=error.status_code, vendor_code=error.vendor_code)

    def _courses_by(self, field: str, value: str) -> list[_Course]:
        """Return the courses that Moodle finds, hidden ones included; without rights their ID numbers are empty."""
        answer = self._call("core_course_get_courses_by_field", {"field": field, "value": value})
        return _read_model(_Courses, answer).courses

    def _call(self, function: str, arguments: Mapping[str, str]) -> Any:
        """Call a function of the web service and return its value; log in first, and once more if the token is stale.

        Raises:
            RetryableError, RejectedError, CredentialsError, ConfigurationError: by Moodle's error code.
        """
        try:
            return self._call_once(function, arguments)
        except CredentialsError as error:
            if error.vendor_code not in _STALE_TOKEN_CODES or self.credentials.token:
                raise
        self._token = ""
        return self._call_once(function, arguments)

    def _call_once(self, function: str, arguments: Mapping[str, str]) -> Any:
        if not self._token:
            self._token = self._log_in()
            self.client.keep_secret(self._token)
        # Control parameters come last: where PHP cuts a long request, it then cuts the token, and nothing is done.
        control = {"wstoken": self._token, "wsfunction": function, "moodlewsrestformat": "json"}
        answer = self._post(SERVER, form={**arguments, **control})
        if answer.content.startswith(b"<?xml"):
            # The last parameter is lost. If only that one is, the call was carried out.
            limit = self.settings.max_input_vars
            message = f"Moodle answered in XML: PHP cut the request, so its max_input_vars must be lower than {limit}."
            raise RetryableError(message, status_code=answer.status_code)
        return self._value(answer)

    def _log_in(self) -> str:
        assert self.credentials.password is not None  # the credentials' class sees to it
        answer = self._post(
            LOGIN,
            params={"service": self.settings.service},
            form={"username": self.credentials.username, "password": self.credentials.password.get_secret_value()},
            answer_is_secret=True,
        )
        try:
            return _read_model(_LogIn, self._value(answer)).token
        except RejectedError as error:
            # Whatever Moodle has against a log-in, it is not an item.
            raise CredentialsError(
                error.message, status_code=error.status_code, vendor_code=error.vendor_code
            ) from error

    def _post(self, path: str, **request: Any) -> Answer:
        """Send a request; what its status says of a Moodle, it says here."""
        try:
            return self.client.send("POST", path, **request)
        except CredentialsError as error:
            message = f"Moodle answered {error.status_code}: its web services or their REST protocol are switched off."
            raise CredentialsError(message, status_code=error.status_code) from error
        except RejectedError as error:
            if error.status_code != 404:
                raise
            message = f"There is no Moodle at the base URL: nothing is found at {path} there."
            raise ConfigurationError(message, status_code=404) from error

    def _value(self, answer: Answer) -> Any:
        """Return the answer's value unless it has the shape of an error."""
        value = answer.json()
        if not isinstance(value, dict) or not {"exception", "errorcode", "error"} & value.keys():
            return value
        failure = _read_model(_Failure, value)
        text = self.client.redacted(failure.message or failure.error or failure.exception or "an error without a text")
        raise _error_for(failure.errorcode or "", f"Moodle: {text}", answer.status_code)


def _error_for(code: str, message: str, status_code: int) -> SyncError:
    """Return the exception for an error code of Moodle; an unknown one is taken for a refusal because of an item."""
    if code in _CREDENTIALS_CODES:
        return CredentialsError(message, status_code=status_code, vendor_code=code)
    if code in _CONFIGURATION_CODES:
        return ConfigurationError(message, status_code=status_code, vendor_code=code)
    if code in _PASSING_CODES:
        return RetryableError(message, status_code=status_code, vendor_code=code)
    return RejectedError(message, status_code=status_code, vendor_code=code)
