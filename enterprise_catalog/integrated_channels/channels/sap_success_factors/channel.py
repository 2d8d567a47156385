"""Courses at SAP SuccessFactors Learning: one import carries creates, updates and deletes. A ``courseID`` is our key.

SAP takes an import into its Open Content Network; an administrator's job brings it into the customer's Learning later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.answers import read, read_or_none
from enterprise_catalog.integrated_channels.channels.base import UpsertChannel
from enterprise_catalog.integrated_channels.channels.sap_success_factors.log_in import (
    SAMLBearer,
    SAPCredentials,
    TokenProvider,
    TokenServer,
)
from enterprise_catalog.integrated_channels.channels.sap_success_factors.transform import (
    MAX_COURSE_ID_LENGTH,
    CourseSettings,
    CourseStatus,
    retired_course,
    to_course,
)
from enterprise_catalog.integrated_channels.channels.tokens import BearerClient
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, ThrottledError
from enterprise_catalog.integrated_channels.http import retry_after_seconds
from enterprise_catalog.integrated_channels.types import Action, ItemResult, Outcome, RateLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.http import Answer, LMSClient
    from enterprise_catalog.integrated_channels.types import ContentItem, Outgoing, Payload

IMPORT_PATH: Final = "/learning/odatav4/public/admin/ocn/v1/OcnCourses"
MAX_COURSES_PER_CALL: Final = 1_000  #: As SDKs made from SAP's documentation have it.
#: KBA 3159263: after "API calling limit exceeded", 300 seconds have to pass.
WINDOW_SECONDS: Final = 300

#: Our word for what an answer says nothing about.
UNKNOWN: Final = "unknown"


class SAPSettings(CourseSettings):
    """What differs from one SAP customer to the next, and what SAP's documentation leaves open."""

    company_id: str = Field(min_length=1, description="The customer's company ID at SAP.")
    token_kind: Literal["token_server", "saml_bearer"] = Field(
        default="token_server",
        description="'token_server' (client secret), or 'saml_bearer' (signed assertion), which SAP replaces it with.",
    )
    user_id: str = Field(default="", description="Whom imports are made for; not needed with a given assertion.")
    user_type: Literal["admin", "user"] = Field(
        default="admin", description="'admin' or 'user'; only for the token server."
    )
    token_base_url: str = Field(default="", description="Where tokens come from, if not from the base URL.")
    saml_issuer: str = Field(default="", description="The issuer of our assertions; empty for the client ID.")
    saml_audience: str = Field(default="www.successfactors.com", description="The audience of our assertions.")
    delete_policy: Literal["deactivate", "delete"] = Field(
        default="deactivate",
        description="What leaves the catalogs is made INACTIVE ('deactivate') or DELETED ('delete').",
    )
    courses_per_call: int = Field(
        default=MAX_COURSES_PER_CALL, ge=1, le=MAX_COURSES_PER_CALL, description="The most courses of one import."
    )
    calls_per_window: int = Field(default=1, ge=1, description="The most imports in a window of time.")
    window_seconds: float = Field(default=WINDOW_SECONDS, gt=0, description="How long that window is.")


class _EchoedCourse(BaseModel):
    courseID: str  # noqa: N815  (SAP's name)
    providerID: str | None = None  # noqa: N815
    status: str | None = None


class _Echo(BaseModel):
    ocnCourses: list[_EchoedCourse]  # noqa: N815


class _Fault(BaseModel):
    code: str | int = ""
    errorCode: str | int = ""  # noqa: N815
    message: str = ""


class _Refusal(BaseModel):
    error: _Fault


class SAPSuccessFactors(UpsertChannel[SAPSettings, SAPCredentials]):
    """The Open Content Network of SAP SuccessFactors Learning."""

    code = "SAP"
    label = "SAP SuccessFactors"
    items_per_call = MAX_COURSES_PER_CALL
    max_key_length = MAX_COURSE_ID_LENGTH

    def __init__(self, client: LMSClient, settings: SAPSettings, credentials: SAPCredentials) -> None:
        super().__init__(client, settings, credentials)
        self.items_per_call = settings.courses_per_call
        self.rate_limit = RateLimit(settings.calls_per_window, seconds=settings.window_seconds)
        self.fetch_token = _token_provider(client, settings, credentials)
        self.bearer = BearerClient(client, self.fetch_token)

    def transform(self, item: ContentItem) -> Payload:
        return to_course(item, self.settings)

    def probe(self) -> Sequence[str]:
        """Fetch a token. An import would change something or use up the window, and SAP has no other call to try."""
        self.fetch_token()
        return ()

    def apply(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Import all of ``items``; SAP overwrites what it has, so that a repeat is harmless.

        It answers with the courses that it took. Whether one that is left out was taken is not known.
        """
        courses = [self._course(item) for item in items]
        body = {"ocnCourses": courses}
        answer = self.bearer.send("POST", IMPORT_PATH, json=body, accept={404, 429}, explain=_explain)
        self._raise_if_it_is_no_items_fault(answer)
        echo = read(_Echo, answer).ocnCourses
        ours = {course.courseID: course for course in echo if course.providerID in (None, self.settings.provider_id)}
        return [
            _result(course, ours.get(item.content_key), status_code=answer.status_code)
            for item, course in zip(items, courses, strict=True)
        ]

    def _course(self, item: Outgoing) -> Payload:
        if item.action is not Action.DELETE:
            return item.payload
        status = CourseStatus.DELETED if self.settings.delete_policy == "delete" else CourseStatus.INACTIVE
        return retired_course(item.content_key, item.title, status, self.settings)

    def _raise_if_it_is_no_items_fault(self, answer: Answer) -> None:
        status = answer.status_code
        if status not in (404, 429):
            return
        code, words = _explain(answer)
        message = f"SAP answered {status}: {self.client.redacted(words) or answer.excerpt}"
        if status == 404:
            raise ConfigurationError(f"{message} Is the base URL right?", status_code=status, vendor_code=code)
        wait = max(retry_after_seconds(answer.headers) or 0, WINDOW_SECONDS, self.settings.window_seconds)
        raise ThrottledError(message, status_code=status, vendor_code=code, retry_after_seconds=wait)


def _token_provider(client: LMSClient, settings: SAPSettings, credentials: SAPCredentials) -> TokenProvider:
    """Return what fetches tokens in the customer's way.

    Raises:
        ConfigurationError: it needs settings or credentials that are not there.
    """
    source = client.at(settings.token_base_url) if settings.token_base_url else client
    who = {"client": source, "credentials": credentials, **settings.model_dump(include={"company_id", "user_id"})}
    if settings.token_kind == "saml_bearer":  # noqa: S105  (a name)
        return SAMLBearer(issuer=settings.saml_issuer, audience=settings.saml_audience, **who)
    return TokenServer(user_type=settings.user_type, **who)


def _explain(answer: Answer) -> tuple[str, str]:
    """Return SAP's own code and words for a refusal, as far as it has any."""
    refusal = read_or_none(_Refusal, answer)
    return (str(refusal.error.code or refusal.error.errorCode), refusal.error.message) if refusal else ("", "")


def _result(course: Payload, echoed: _EchoedCourse | None, *, status_code: int) -> ItemResult:
    key, message = course["courseID"], ""
    if echoed is None:
        message = "SAP's answer leaves the course out; whether it was imported is not known."
    elif echoed.status not in (None, course["status"]):
        message = f"SAP was sent the course as {course['status']} and answers that it is {echoed.status}."
    if message:
        return ItemResult(key, Outcome.RETRY, status_code=status_code, vendor_code=UNKNOWN, message=message)
    return ItemResult(key, Outcome.DONE, remote_id=key, status_code=status_code)
