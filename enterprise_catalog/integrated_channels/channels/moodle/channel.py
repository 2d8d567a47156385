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

#: Error codes of Moodle -> what they mean for us; all other codes refuse the call because of an item.
_CREDENTIALS_CODES: Final = frozenset(
    {"invalidtoken", "invalidlogin", "accessexception", "nopermissions", "requireloginerror", "wsaccessusersuspended"}
    | {"servicenotavailable", "enablewsdescription", "passwordisexpired", "usernotconfirmed"}
)
_CONFIGURATION_CODES: Final = frozenset({"errorcatcontextnotvalid"})
_PASSING_CODES: Final = frozenset(
    {"dbconnectionfailed", "upgraderunning", "sitemaintenance", "sessiontimeout", "dmlreadexception"}
    | {"dmltransactionexception", "ddlexecuteerror"}
)
_TAKEN_CODES: Final = frozenset({"courseidnumbertaken", "shortnametaken"})
_MISSING_COURSE: Final = "invalidrecord"


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

    exception: str = ""
    errorcode: str = ""
    message: str = ""
    error: str = ""  #: The log-in page's word for ``message``.


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
_FOUND: Final = TypeAdapter(_Courses)
_UPDATED: Final = TypeAdapter(_Warnings)

T = TypeVar("T")
Item = TypeVar("Item")


class Moodle(Channel[MoodleSettings, MoodleCredentials]):
    """Moodle 3.9 to 5.x. Courses are hidden instead of deleted: a delete would take learners' work with it."""

    code = "MOODLE"
    label = "Moodle"
    chunk_size = 100
    settings_class = MoodleSettings
    credentials_class = MoodleCredentials

    _token: str = ""

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
            matches = [course.id for course in self._by_idnumber(key) if course.idnumber == key]
            if matches:
                found[key] = str(min(matches))
        return found

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return [result for part in self._parts(items) for result in self._create(part)]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update([(item, {**item.payload, "visible": VISIBLE}) for item in items])

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._update([(item, {"visible": HIDDEN}) for item in items])

    def _create(self, items: Sequence[Outgoing]) -> list[ItemResult]:
        """Create all of ``items`` or none: Moodle does it in one transaction."""
        try:
            answer = self._call("core_course_create_courses", _bracketed("courses", [item.payload for item in items]))
        except RejectedError as error:
            if len(items) == 1 and error.vendor_code in _TAKEN_CODES:
                raise self._explained(error, items[0]) from error
            raise
        created = self._read(_CREATED, answer)
        if [course.shortname for course in created] != [item.payload["shortname"] for item in items]:
            # PHP dropped part of the request, say. What there is now, the look-up of the next run will tell.
            raise RetryableError(f"Moodle was sent {len(items)} courses and answered for {len(created)} others.")
        return [
            ItemResult(item.content_key, Outcome.DONE, remote_id=str(course.id))
            for item, course in zip(items, created, strict=True)
        ]

    def _explained(self, error: RejectedError, item: Outgoing) -> RejectedError:
        """Return the refusal of a name that is taken, with the course that has it; Moodle's own message names ours."""
        if error.vendor_code == "courseidnumbertaken":
            others = self._by_idnumber(item.content_key)
            theirs = ", ".join(f"{course.idnumber!r} (course {course.id})" for course in others)
            reason = f"Moodle cannot tell the ID number {item.content_key!r} from that of another course: {theirs}"
        else:
            reason = (
                f"Another course in Moodle has the short name {item.payload['shortname']!r}, with another ID number"
            )
        return RejectedError(f"{reason}.", status_code=error.status_code, vendor_code=error.vendor_code)

    def _update(self, pairs: Sequence[tuple[Outgoing, Payload]]) -> list[ItemResult]:
        """Send each item's fields; Moodle takes each by itself and warns of those that it did not take."""
        results = []
        for part in _within(self.settings.max_input_vars, pairs, lambda pair: len(pair[1]) + 1):
            courses = [{"id": int(item.remote_id), **fields} for item, fields in part]
            answer = self._read(_UPDATED, self._call("core_course_update_courses", _bracketed("courses", courses)))
            warnings = {str(warning.itemid): warning for warning in answer.warnings}
            results += [self._result(item, warnings.get(item.remote_id)) for item, _ in part]
        return results

    def _result(self, item: Outgoing, warning: _Warning | None) -> ItemResult:
        if warning is None:
            return ItemResult(item.content_key, Outcome.DONE, remote_id=item.remote_id)
        # A missing category has the same code as a missing course; only a look-up tells which it is.
        is_gone = warning.warningcode == _MISSING_COURSE and item.content_key not in self.find([item.content_key])
        return ItemResult(
            item.content_key,
            Outcome.GONE if is_gone else Outcome.REJECTED,
            status_code=200,
            vendor_code=warning.warningcode,
            message=self.client.redacted(f"Moodle: {warning.message}"),
        )

    def _by_idnumber(self, key: str) -> list[_Course]:
        answer = self._call("core_course_get_courses_by_field", {"field": "idnumber", "value": key})
        return self._read(_FOUND, answer).courses

    def _parts(self, items: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
        return _within(self.settings.max_input_vars, items, lambda item: len(item.payload))

    def _call(self, function: str, arguments: Mapping[str, str]) -> Any:
        """Call a function of the web service and return its value; log in first, and once more if the token is stale.

        Raises:
            RetryableError, RejectedError, CredentialsError, ConfigurationError: by Moodle's error code.
        """
        try:
            return self._call_once(function, arguments)
        except CredentialsError as error:
            if error.vendor_code != "invalidtoken" or self.credentials.token:
                raise
            self._token = ""
            return self._call_once(function, arguments)

    def _call_once(self, function: str, arguments: Mapping[str, str]) -> Any:
        # Control parameters come last: where PHP cuts a long request, it then cuts the token, and nothing is done.
        control = {"wstoken": self._wstoken(), "wsfunction": function, "moodlewsrestformat": "json"}
        try:
            answer = self.client.send("POST", SERVER, form={**arguments, **control})
        except CredentialsError as error:
            message = f"Moodle answered {error.status_code}: its web services or their REST protocol are switched off."
            raise CredentialsError(message, status_code=error.status_code) from error
        return self._value(answer.json(), answer.status_code)

    def _wstoken(self) -> str:
        if not self._token and self.credentials.token:
            self._token = self.credentials.token.get_secret_value()
        if not self._token:
            self._token = self._log_in()
            self.client.keep_secret(self._token)
        return self._token

    def _log_in(self) -> str:
        assert self.credentials.password is not None  # the credentials' class sees to it
        answer = self.client.send(
            "POST",
            LOGIN,
            params={"service": self.settings.service},
            form={"username": self.credentials.username, "password": self.credentials.password.get_secret_value()},
        )
        value = self._value(answer.json(), answer.status_code)
        token = value.get("token") if isinstance(value, dict) else None
        if not isinstance(token, str) or not token:
            raise RetryableError("Moodle's log-in page answered without a token.", status_code=answer.status_code)
        return token

    def _value(self, value: Any, status_code: int) -> Any:
        """Return ``value`` unless it has the shape of an error."""
        if not isinstance(value, dict) or not {"exception", "errorcode", "error"} & value.keys():
            return value
        failure = _Failure.model_validate(value)
        text = self.client.redacted(failure.message or failure.error or failure.exception)
        raise _error_for(failure.errorcode, f"Moodle: {text}", status_code)

    def _read(self, adapter: TypeAdapter[T], value: Any) -> T:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            shape = type(value).__name__
            message = (
                f"Moodle answered with something unexpected ({shape}): {error.errors(include_input=False)[0]['msg']}"
            )
            raise RetryableError(message, status_code=200) from error


def _error_for(code: str, message: str, status_code: int) -> SyncError:
    """Return the exception for an error code of Moodle; an unknown one is taken for a refusal because of an item."""
    if code in _CREDENTIALS_CODES:
        return CredentialsError(message, status_code=status_code, vendor_code=code)
    if code in _CONFIGURATION_CODES:
        return ConfigurationError(message, status_code=status_code, vendor_code=code)
    if code in _PASSING_CODES:
        return RetryableError(message, status_code=status_code, vendor_code=code)
    return RejectedError(message, status_code=status_code, vendor_code=code)


def _bracketed(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return ``rows`` as PHP reads a list of arrays from a form: ``courses[0][fullname]`` and so on."""
    return {f"{name}[{index}][{field}]": str(value) for index, row in enumerate(rows) for field, value in row.items()}


def _within(max_input_vars: int, items: Sequence[Item], variables: Callable[[Item], int]) -> Iterator[Sequence[Item]]:
    """Yield ``items`` in parts whose requests stay within PHP's limit of variables; at least one item each."""
    part: list[Item] = []
    used = _CONTROL_VARIABLES
    for item in items:
        needed = variables(item)
        if part and used + needed > max_input_vars:
            yield part
            part, used = [], _CONTROL_VARIABLES
        part.append(item)
        used += needed
    if part:
        yield part
