"""Courses in SAP SuccessFactors Learning. One import creates, updates and deletes. ``courseID`` is our content key.

SAP imports courses into its Open Content Network. A job set up by an administrator later copies them into the
customer's Learning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.base import UpsertChannel
from enterprise_catalog.integrated_channels.channels.protocols.tokens import BearerClient
from enterprise_catalog.integrated_channels.channels.responses import read, read_or_none
from enterprise_catalog.integrated_channels.channels.sap_success_factors import auth, transform
from enterprise_catalog.integrated_channels.channels.sap_success_factors.transform import CourseStatus
from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outcome, RateLimit
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RejectedError, ThrottledError
from enterprise_catalog.service_client.http_dates import retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, Outgoing, Payload
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

IMPORT_PATH: Final = "/learning/odatav4/public/admin/ocn/v1/OcnCourses"
MAX_COURSES_PER_CALL: Final = 1_000  #: From SDKs that are generated from SAP's documentation.
#: Required pause of 300 seconds after "API calling limit exceeded" (KBA 3159263).
WINDOW_SECONDS: Final = 300

#: ``delete_policy`` -> status of a course that has left the catalogs.
_RETIRED: Final = {"deactivate": CourseStatus.INACTIVE, "delete": CourseStatus.DELETED}

_NEGATION: Final = "(?:unknown|invalid|unsupported|unregistered|inactive|disabled|not)"

#: Our vendor code for a course whose result is missing from the response, or contradicts the request.
UNKNOWN: Final = "unknown"


class SAPSettings(auth.LogInSettings, transform.CourseSettings):
    """Settings of one SAP customer, including values that SAP does not document."""

    delete_policy: Literal["deactivate", "delete"] = Field(
        default="deactivate", description="Status of courses that leave: INACTIVE ('deactivate') or DELETED ('delete')."
    )
    courses_per_call: int = Field(
        default=MAX_COURSES_PER_CALL, ge=1, le=MAX_COURSES_PER_CALL, description="Maximum number of courses per import."
    )
    calls_per_window: int = Field(default=1, ge=1, description="Maximum number of imports per time window.")
    window_seconds: float = Field(default=WINDOW_SECONDS, gt=0, description="Length of the time window in seconds.")


class _EchoedCourse(BaseModel):
    courseID: str
    providerID: str | None = None
    status: str | None = None


class _Echo(BaseModel):
    ocnCourses: list[_EchoedCourse]


class _Error(BaseModel):
    code: str | int = ""
    errorCode: str | int = ""
    message: str = ""


class _ErrorResponse(BaseModel):
    error: _Error


class SAPSuccessFactors(UpsertChannel[SAPSettings, auth.SAPCredentials]):
    """The Open Content Network of SAP SuccessFactors Learning."""

    code = "SAP"
    label = "SAP SuccessFactors"
    items_per_call = MAX_COURSES_PER_CALL
    max_key_length = transform.MAX_COURSE_ID_LENGTH

    def prepare(self) -> None:
        self.items_per_call = self.settings.courses_per_call
        self.rate_limit = RateLimit(self.settings.calls_per_window, seconds=self.settings.window_seconds)
        self.log_in = auth.LogIn(self.client, self.settings, self.credentials)
        self.bearer = BearerClient(self.client, self.log_in.fetch_token)

    def transform(self, item: ContentItem) -> Payload:
        return transform.to_course(item, self.settings)

    def check_connection(self) -> Sequence[str]:
        """Fetch a token. An import would change data or use up the rate limit, and SAP has no other call."""
        self.log_in.fetch_token()
        return ()

    def apply(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Import ``items``. Safe to repeat: SAP overwrites existing courses.

        The response lists the imported courses. For a course missing from the response, the result is unknown.
        """
        courses = [self._course(item) for item in items]
        body = {"ocnCourses": courses}
        try:
            response = self.bearer.send("POST", IMPORT_PATH, json=body, accept={404, 429}, explain=_explain)
        except RejectedError as error:
            if settings_error := self._settings_error(error, courses):
                raise settings_error from error
            raise
        self._raise_unless_about_items(response)
        echo = read(_Echo, response).ocnCourses
        ours = {course.courseID: course for course in echo if course.providerID in (None, self.settings.provider_id)}
        return [
            _result(course, ours.get(item.content_key), status_code=response.status_code)
            for item, course in zip(items, courses, strict=True)
        ]

    def _course(self, item: Outgoing) -> Payload:
        if item.action is not Action.DELETE:
            return item.payload
        status = _RETIRED[self.settings.delete_policy]
        return transform.retired_course(item.content_key, item.title, status, self.settings)

    def _settings_error(self, error: RejectedError, courses: Sequence[Payload]) -> ConfigurationError | None:
        """Return an error if SAP reports the provider or a locale of all ``courses`` as unknown; else ``None``.

        Splitting such an import would not help: SAP would reject every course.
        """
        locales = {self.settings.default_locale, *self.settings.additional_locales}
        for course in courses:
            locales &= {text["locale"] for text in course["title"]}
        suspects = [("provider", self.settings.provider_id, "provider_id")]
        suspects += [("locale", name, "default_locale or additional_locales") for name in sorted(locales)]
        for kind, name, setting in suspects:
            if _is_called_unknown(kind, name, error.message):
                remedy = f"Register it in SAP, or correct {setting}."
                message = f"SAP rejects the {kind} {name!r}, which all courses have. {remedy} {error.message}"
                return ConfigurationError(message, status_code=error.status_code, vendor_code=error.vendor_code)
        return None

    def _raise_unless_about_items(self, response: LMSResponse) -> None:
        status = response.status_code
        if status not in (404, 429):
            return
        code, text = self.client.explained(response, _explain)
        message = f"SAP returned {status}: {text}"
        if status == 404:
            raise ConfigurationError(f"{message} Check the base URL.", status_code=status, vendor_code=code)
        wait = max(retry_after_seconds(response.headers) or 0, WINDOW_SECONDS, self.settings.window_seconds)
        raise ThrottledError(message, status_code=status, vendor_code=code, retry_after_seconds=wait)


def _is_called_unknown(kind: str, name: str, message: str) -> bool:
    """Return True if the message ``message`` says that the provider or locale ``name`` does not exist.

    SAP does not publish its error messages. Any message that does not match counts as a rejection of items.
    """
    named = rf"\b{kind}(?: ID| name)?\W+{re.escape(name)}(?!\w)"
    patterns = (rf"\b{_NEGATION}\W+{named}", rf"{named}\W+(?:(?:is|does|has|was)\W+)?{_NEGATION}\b")
    return any(re.search(pattern, message, re.IGNORECASE) for pattern in patterns)


def _explain(response: LMSResponse) -> tuple[str, str]:
    """Return SAP's error code and message; both empty if the response has no error object."""
    refusal = read_or_none(_ErrorResponse, response)
    return (str(refusal.error.code or refusal.error.errorCode), refusal.error.message) if refusal else ("", "")


def _result(course: Payload, echoed: _EchoedCourse | None, *, status_code: int) -> ItemResult:
    key, message = course["courseID"], ""
    if echoed is None:
        message = "SAP's response does not list the course. It may or may not have been imported."
    elif echoed.status not in (None, course["status"]):
        message = f"The course was sent as {course['status']}, but SAP's response lists it as {echoed.status}."
    if message:
        return ItemResult(key, Outcome.RETRY, status_code=status_code, vendor_code=UNKNOWN, message=message)
    return ItemResult(key, Outcome.DONE, remote_id=key, status_code=status_code)
