"""Moodle's REST web service: functions, tokens, calls, replies and error codes. Nothing here knows what a course is.

Moodle answers 200 to almost everything: success is told by the body's shape, errors by their ``errorcode``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, Field, SecretStr, model_validator

from enterprise_catalog.integrated_channels.channels import answers, databases, fields, text, tokens
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RejectedForNowError,
    RejectedInDoubtError,
    RetryableError,
    SyncError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.http import LMSClient

SERVER: Final = "/webservice/rest/server.php"
LOGIN: Final = "/login/token.php"

#: Variables of each call beside its arguments: ``moodlewssettingraw``, ``wstoken``, ``wsfunction`` and
#: ``moodlewsrestformat``.
CONTROL_VARIABLES: Final = 4


class Function(StrEnum):
    """All functions of the web service that this channel calls; the how-to lists them, which a test checks."""

    CREATE = "core_course_create_courses"
    UPDATE = "core_course_update_courses"
    FIND = "core_course_get_courses_by_field"
    LIST = "core_course_get_courses"
    SITE_INFO = "core_webservice_get_site_info"


#: Error code -> the remedy, for accounts that Moodle blocks in every course until a person acts (source:
#: ``require_login`` in lib/moodlelib.php). An update reports these codes as warnings, once for each course.
BLOCKED_ACCOUNT: Final[Mapping[str, str]] = {
    "forcepasswordchangenotice": "Log in to Moodle as this account and change its password.",
    "nopasswordchangeforced": "A Moodle administrator must switch off the account's forced password change.",
    "usernotfullysetup": "Log in to Moodle as this account and complete its profile.",
    "sitepolicynotagreed": "Log in to Moodle as this account and agree to the site policy.",
}
#: The same for accounts that are refused by the web service as such, or for what their role does not allow.
_REMEDIES: Final[Mapping[str, str]] = {
    **BLOCKED_ACCOUNT,
    "accessexception": (
        "The token has expired or is bound to other IP addresses, its service is disabled, or the service lacks this"
        " function; test_channel lists the functions that are missing."
    ),
    "nopermissions": "Give the account's role this capability, in the system context.",
    "wsaccessusersuspended": "A Moodle administrator must activate the account.",
    "wsaccessuserexpired": "The account's password has expired: log in to Moodle as this account and change it.",
    "wsaccessuserunconfirmed": "A Moodle administrator must confirm the account.",
    "wsaccessusernologin": "A Moodle administrator must set the account's authentication to manual accounts.",
    "wsaccessuserdeleted": "The account was deleted: enter the credentials of another one.",
    "errorcatcontextnotvalid": "Check category_id; test_channel shows whether Moodle blocks the account itself.",
    "errorcoursecontextnotvalid": (
        "Give the account's role moodle/course:view and moodle/course:viewhiddencourses, in the system context;"
        " test_channel shows whether Moodle blocks the account itself."
    ),
}

#: The database refused a write: a value is too long, or a lock was not released in time. Only ``debuginfo`` tells.
WRITE_FAILED: Final = "dmlwriteexception"
#: What error codes of Moodle mean for us; all other codes refuse the call because of an item.
#: ``invalidrecord`` means a function that this Moodle does not have.
_ERRORS: Final[Mapping[type[SyncError], set[str]]] = {
    CredentialsError: {"invalidtoken", "accessexception", "nopermissions", "requireloginerror", "wsaccessuserdeleted"}
    | {"wsaccessuserexpired", "wsaccessusernologin", "wsaccessusersuspended", "wsaccessuserunconfirmed"}
    | {"errorcoursecontextnotvalid", "missingrequiredcapability", *BLOCKED_ACCOUNT},
    ConfigurationError: {"errorcatcontextnotvalid", "invalidrecord"},
    RetryableError: {"dbconnectionfailed", "upgraderunning", "sitemaintenance", "sessiontimeout", "dmlreadexception"}
    | {"dmltransactionexception", "ddlexecuteerror", "locktimeout"},
    RejectedForNowError: {WRITE_FAILED},
    RejectedInDoubtError: {"invalidresponse"},  # What a function returns is checked when it has done its work.
}
#: A token that has expired is refused with the second code once, and with the first one from then on (observed).
_STALE_TOKEN_CODES: Final = frozenset({"invalidtoken", "accessexception"})


class MoodleCredentials(ChannelSettings):
    """A web service token, or a user's name and password to get one with."""

    token: SecretStr | None = Field(default=None, description="A token of the web service.")
    username: str = Field(default="", description="Without a token: whom to log in as.")
    password: SecretStr | None = Field(default=None, description="Without a token: the user's password.")

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
    debuginfo: str | None = None  #: Only of sites with debugging on.


class _LoggedIn(BaseModel):
    token: str = Field(min_length=1)


T = TypeVar("T")


class WebService:
    """Calls the functions of one Moodle's web service."""

    def __init__(self, client: LMSClient, credentials: MoodleCredentials, *, service: str) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            service: the web service's short name, under which a token is asked for.
        """
        self.client = client
        self._credentials = credentials
        self._service = service
        self._token = tokens.Token(client, self._log_in, given=fields.shown(credentials.token))

    def call(self, function: Function, arguments: Mapping[str, str], kind: type[T]) -> T:
        """Call ``function`` and return its value, a ``kind``; log in first, and again if the token is stale by now.

        Raises:
            RetryableError, RejectedError, CredentialsError, ConfigurationError: by status and error code.
        """

        def call_with(token: str) -> T:
            # Control parameters come last: where PHP cuts a long request, it then cuts the token, and nothing is done.
            # Without the first one Moodle escapes replies for HTML: "R&D" would read "R&amp;D" (observed).
            control = {"wstoken": token, "wsfunction": function.value, "moodlewsrestformat": "json"}
            return self._ask(SERVER, kind, form={**arguments, "moodlewssettingraw": "1", **control})

        return self._token.used_by(call_with, is_stale=lambda error: error.vendor_code in _STALE_TOKEN_CODES)

    def explained(self, message: str, code: str) -> str:
        """Return Moodle's own message for an error, as plain text without secrets, and the remedy if there is one."""
        # Redacted before and after: a secret may hold what looks like a tag, or be escaped for HTML.
        words = self.client.redacted(text.plain(self.client.redacted(message))) or "an error without a text"
        told = f"Moodle: {words}"
        if code not in _REMEDIES:
            return told
        return f"{told if told.endswith(('.', '!', '?')) else f'{told}.'} {_REMEDIES[code]}"

    def _log_in(self) -> str:
        who = {"username": self._credentials.username, "password": fields.shown(self._credentials.password)}
        where = {"service": self._service}
        # Whatever Moodle has against a log-in, it is no item.
        found = self._ask(LOGIN, _LoggedIn, otherwise=CredentialsError, params=where, form=who, answer_is_secret=True)
        return found.token

    def _ask(self, path: str, kind: type[T], *, otherwise: type[SyncError] = RejectedError, **request: Any) -> T:
        """Send a request and return the answer's value, a ``kind``.

        Args:
            otherwise: what is raised for error codes that are not known.
        """
        answer = self.client.send("POST", path, accept=(401, 403, 404), **request)
        answers.require_there(answer, f"There is no Moodle web service at the base URL: nothing is found at {path}.")
        if (status := answer.status_code) >= 400:
            message = f"Moodle answered {status}: its web services or their REST protocol are switched off."
            raise CredentialsError(message, status_code=status)
        if path == SERVER and answer.content.startswith(b"<?xml"):
            # The last parameter did not arrive. If it is the only one, the call was carried out.
            message = "Moodle answered in XML: PHP cut the request; its max_input_vars is lower than the settings say."
            raise RetryableError(message, status_code=status)
        value = answer.json()
        if not isinstance(value, dict) or not {"exception", "errorcode", "error"} & value.keys():
            return answers.validated(kind, value, status_code=status)
        failure = answers.validated(_Failure, value, status_code=status)
        code = failure.errorcode or ""
        message = self.explained(failure.message or failure.error or failure.exception or "", code)
        error = next((error for error, codes in _ERRORS.items() if code in codes), otherwise)
        raise databases.narrowed(error, failure.debuginfo)(message, status_code=status, vendor_code=code)
