"""Moodle's REST web service: tokens, calls, answers and error codes. Nothing here knows what a course is.

Moodle answers 200 to almost everything: success is told by the body's shape, errors by their ``errorcode``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, Field, SecretStr, model_validator

from enterprise_catalog.integrated_channels.channels import answers, fields, tokens
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RejectedInDoubtError,
    RetryableError,
    SyncError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.http import LMSClient

SERVER: Final = "/webservice/rest/server.php"
LOGIN: Final = "/login/token.php"

#: How many variables each call has beside its arguments: ``wstoken``, ``wsfunction`` and ``moodlewsrestformat``.
CONTROL_VARIABLES: Final = 3

#: What error codes of Moodle mean for us; all other codes refuse the call because of an item.
#: ``invalidrecord`` means a function that this Moodle does not have.
_ERRORS: Final[Mapping[type[SyncError], set[str]]] = {
    CredentialsError: {"invalidtoken", "accessexception", "nopermissions", "requireloginerror", "wsaccessuserdeleted"}
    | {"wsaccessuserexpired", "wsaccessusernologin", "wsaccessusersuspended", "wsaccessuserunconfirmed"},
    ConfigurationError: {"errorcatcontextnotvalid", "invalidrecord"},
    RetryableError: {"dbconnectionfailed", "upgraderunning", "sitemaintenance", "sessiontimeout", "dmlreadexception"}
    | {"dmltransactionexception", "ddlexecuteerror"},
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

    def call(self, function: str, arguments: Mapping[str, str], kind: type[T]) -> T:
        """Call ``function`` and return its value, a ``kind``; log in first, and again if the token is stale by now.

        Raises:
            RetryableError, RejectedError, CredentialsError, ConfigurationError: by status and error code.
        """

        def call_with(token: str) -> T:
            # Control parameters come last: where PHP cuts a long request, it then cuts the token, and nothing is done.
            control = {"wstoken": token, "wsfunction": function, "moodlewsrestformat": "json"}
            return self._ask(SERVER, kind, form={**arguments, **control})

        return self._token.used_by(call_with, is_stale=lambda error: error.vendor_code in _STALE_TOKEN_CODES)

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
        text = self.client.redacted(failure.message or failure.error or failure.exception or "an error without a text")
        code = failure.errorcode or ""
        error = next((error for error, codes in _ERRORS.items() if code in codes), otherwise)
        raise error(f"Moodle: {text}", status_code=status, vendor_code=code)
