"""Client for Moodle's REST web service: functions, tokens, calls, responses and error codes. Independent of courses.

Moodle returns 200 for almost everything. The shape of the body indicates success; an ``errorcode`` identifies an error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel

from enterprise_catalog.integrated_channels.channels import fields, responses
from enterprise_catalog.integrated_channels.channels.content import text
from enterprise_catalog.integrated_channels.channels.moodle import auth
from enterprise_catalog.integrated_channels.channels.protocols import database_errors, tokens
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

    from typing_extensions import Unpack

    from enterprise_catalog.integrated_channels.lms.client import LMSClient, RequestOptions

SERVER: Final = "/webservice/rest/server.php"

#: Number of variables that each call adds to its arguments: ``moodlewssettingraw``, ``wstoken``, ``wsfunction`` and
#: ``moodlewsrestformat``.
CONTROL_VARIABLES: Final = 4


class Function(StrEnum):
    """All web service functions that this channel calls. The how-to lists the same functions, which a test checks."""

    CREATE = "core_course_create_courses"
    UPDATE = "core_course_update_courses"
    FIND = "core_course_get_courses_by_field"
    LIST = "core_course_get_courses"
    SITE_INFO = "core_webservice_get_site_info"


#: Error code -> remedy, for accounts that Moodle blocks in every course until someone acts (source: ``require_login``
#: in lib/moodlelib.php). An update reports these codes as warnings, one per course.
BLOCKED_ACCOUNT: Final[Mapping[str, str]] = {
    "forcepasswordchangenotice": "Log in to Moodle as this account and change its password.",
    "nopasswordchangeforced": "A Moodle administrator must switch off the account's forced password change.",
    "usernotfullysetup": "Log in to Moodle as this account and complete its profile.",
    "sitepolicynotagreed": "Log in to Moodle as this account and agree to the site policy.",
}
#: Error code -> remedy, including accounts that the web service itself rejects, and missing permissions of the role.
_REMEDIES: Final[Mapping[str, str]] = {
    **BLOCKED_ACCOUNT,
    "accessexception": (
        "The token has expired or is bound to other IP addresses, its service is disabled, or the service lacks this"
        " function; test_channel lists the missing functions."
    ),
    "nopermissions": "Add this capability to the account's role in the system context.",
    "wsaccessusersuspended": "A Moodle administrator must activate the account.",
    "wsaccessuserexpired": "The account's password has expired: log in to Moodle as this account and change it.",
    "wsaccessuserunconfirmed": "A Moodle administrator must confirm the account.",
    "wsaccessusernologin": "A Moodle administrator must set the account's authentication to manual accounts.",
    "wsaccessuserdeleted": "The account was deleted: enter the credentials of another account.",
    "errorcatcontextnotvalid": "Check category_id; test_channel shows whether Moodle blocks the account itself.",
    "errorcoursecontextnotvalid": (
        "Add moodle/course:view and moodle/course:viewhiddencourses to the account's role in the system context;"
        " test_channel shows whether Moodle blocks the account itself."
    ),
}

#: A failed database write: a value is too long, or a lock timed out. Only ``debuginfo`` distinguishes the two.
WRITE_FAILED: Final = "dmlwriteexception"
#: Exception -> Moodle's error codes. Any other code means that Moodle rejects the call because of an item.
#: ``invalidrecord`` means that this Moodle lacks the function.
_ERRORS: Final[Mapping[type[SyncError], set[str]]] = {
    CredentialsError: {"invalidtoken", "accessexception", "nopermissions", "requireloginerror", "wsaccessuserdeleted"}
    | {"wsaccessuserexpired", "wsaccessusernologin", "wsaccessusersuspended", "wsaccessuserunconfirmed"}
    | {"errorcoursecontextnotvalid", "missingrequiredcapability", *BLOCKED_ACCOUNT},
    ConfigurationError: {"errorcatcontextnotvalid", "invalidrecord"},
    RetryableError: {"dbconnectionfailed", "upgraderunning", "sitemaintenance", "sessiontimeout", "dmlreadexception"}
    | {"dmltransactionexception", "ddlexecuteerror", "locktimeout"},
    RejectedForNowError: {WRITE_FAILED},
    RejectedInDoubtError: {"invalidresponse"},  # Moodle validates the return value after the function has run.
}
#: An expired token is rejected once with ``accessexception``, and afterwards with ``invalidtoken`` (observed).
_STALE_TOKEN_CODES: Final = frozenset({"invalidtoken", "accessexception"})


class _Failure(BaseModel):
    """An error response, sent with status 200. ``errorcode`` may be missing (observed)."""

    exception: str | None = None
    errorcode: str | None = None
    message: str | None = None
    error: str | None = None  #: The message, in responses of the login endpoint.
    debuginfo: str | None = None  #: Only sent by sites with debugging enabled.


T = TypeVar("T")


class WebService:
    """Calls the web service functions of one Moodle."""

    def __init__(self, client: LMSClient, credentials: auth.MoodleCredentials, *, service: str) -> None:
        """Store the parameters. Sends nothing yet.

        Args:
            service: short name of the web service, which a token request must contain.
        """
        self.client = client
        self._credentials = credentials
        self._service = service
        self._token = tokens.Token(client, self._log_in, given=fields.shown(credentials.token))

    def call(self, function: Function, arguments: Mapping[str, str], kind: type[T]) -> T:
        """Call ``function`` and parse its return value as a ``kind``. Logs in if needed, and again after expiry.

        Raises:
            RetryableError, RejectedError, CredentialsError, ConfigurationError: depending on status and error code.
        """

        def call_with(token: str) -> T:
            # The control parameters come last. If PHP cuts a long request, it then drops the token, and Moodle does
            # nothing. Without ``moodlewssettingraw``, Moodle escapes responses: "R&D" becomes "R&amp;D" (observed).
            control = {"wstoken": token, "wsfunction": function.value, "moodlewsrestformat": "json"}
            return self._ask(SERVER, kind, form={**arguments, "moodlewssettingraw": "1", **control})

        return self._token.use(call_with, is_stale=lambda error: error.vendor_code in _STALE_TOKEN_CODES)

    def explained(self, message: str, code: str) -> str:
        """Return Moodle's error message as redacted plain text, followed by the remedy if one is known."""
        # Redacted before and after: a secret may contain something like a tag, or be escaped for HTML.
        plain_text = self.client.redacted(text.plain(self.client.redacted(message))) or "an error without a message"
        explanation = f"Moodle: {plain_text}"
        if code not in _REMEDIES:
            return explanation
        return f"{explanation if explanation.endswith(('.', '!', '?')) else f'{explanation}.'} {_REMEDIES[code]}"

    def _log_in(self) -> str:
        # A rejected login never concerns an item, so unknown error codes are a problem of the credentials.
        request = auth.login_request(self._credentials, service=self._service)
        return self._ask(auth.LOGIN, auth.LoginResponse, otherwise=CredentialsError, **request).token

    def _ask(
        self, path: str, kind: type[T], *, otherwise: type[SyncError] = RejectedError, **request: Unpack[RequestOptions]
    ) -> T:
        """Send a request and parse the response as a ``kind``.

        Args:
            otherwise: the exception class for unknown error codes.
        """
        response = self.client.send("POST", path, accept=(401, 403, 404), **request)
        responses.require_there(response, f"The base URL has no Moodle web service at {path}. Check the base URL.")
        if (status := response.status_code) >= 400:
            message = f"Moodle returned {status}: web services or the REST protocol are disabled. Enable both."
            raise CredentialsError(message, status_code=status)
        if path == SERVER and response.content.startswith(b"<?xml"):
            # PHP dropped ``moodlewsrestformat``, the last parameter. If it dropped no other, Moodle executed the call.
            message = "Moodle returned XML, because PHP cut the request. Reduce max_input_vars in the settings."
            raise RetryableError(message, status_code=status)
        value = response.json()
        if not isinstance(value, dict) or not {"exception", "errorcode", "error"} & value.keys():
            return responses.validated(kind, value, status_code=status)
        failure = responses.validated(_Failure, value, status_code=status)
        code = failure.errorcode or ""
        message = self.explained(failure.message or failure.error or failure.exception or "", code)
        error = next((error for error, codes in _ERRORS.items() if code in codes), otherwise)
        raise database_errors.narrowed(error, failure.debuginfo)(message, status_code=status, vendor_code=code)
