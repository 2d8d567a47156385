"""SAP SuccessFactors Learning sandbox: two token endpoints, and the import of OCN courses.

Based on documentation and on requests of Open edX, without access to a SAP system. Unknown behavior is a knob. The
token endpoints are ``POST /learning/oauth-api/rest/v1/token`` (JSON, Basic) and ``POST /oauth/token`` (SAML assertion).
The import is ``POST /learning/odatav4/public/admin/ocn/v1/OcnCourses``.

Not simulated: the job that copies courses from the content network into the catalog that learners see.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Final

from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import XMLVerifier
from werkzeug import Response

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response
from enterprise_catalog.sandbox.sap.courses import CourseRules, CourseTable, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug import Request

TOKEN_SERVER: Final = "/learning/oauth-api/rest/v1/token"
SAML_ENDPOINT: Final = "/oauth/token"
IMPORT: Final = "/learning/odatav4/public/admin/ocn/v1/OcnCourses"

# Published; valid only in the sandbox.
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "not-a-real-client-secret"
COMPANY_ID: Final = "SandboxCompany"
USER_ID: Final = "sandbox-admin"

AUDIENCE: Final = "www.successfactors.com"
SAML_GRANT: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
TOKEN_LIFETIME_SECONDS: Final = 1_800
MAX_COURSES: Final = 1_000
SAP_WINDOW_MS: Final = 300_000
#: For demonstrations, which should not wait five minutes.
NO_WINDOW_MS: Final = 0

_NAMESPACES: Final = {"saml2": "urn:oasis:names:tc:SAML:2.0:assertion"}


class BadItem(Enum):
    """Behavior of an import with an invalid course. The behavior of a real SAP system is unknown."""

    REFUSES_ALL = auto()  #: Returns 400 and imports nothing.
    IS_LEFT_OUT = auto()  #: Imports the valid courses. The response omits the invalid course.


@dataclass(kw_only=True, eq=False)
class SAPSandbox(CourseRules, SandboxApplication):
    """A customer's Learning as a WSGI application. Operations are named by their paths."""

    window_ms: int = SAP_WINDOW_MS  #: Window of the rate limit ``calls_per_window``; 0 for no limit.
    calls_per_window: int = 1
    tells_retry_after: bool = False  #: A 429 has a ``Retry-After`` header.
    bad_item: BadItem = BadItem.REFUSES_ALL
    echoes_foreign_courses: bool = False  #: Responses contain courses that were not sent.
    has_token_server: bool = True  #: The old token server exists; SAP will retire it.
    certificate: str | None = None  #: PEM certificate that verifies assertions; ``None`` rejects all assertions.
    may_import: bool = True  #: The account has the permission to import courses.
    clock: Callable[[], float] = time.time  #: Epoch seconds.

    table: CourseTable = field(init=False, default_factory=CourseTable)
    imports: list[list[Record]] = field(init=False, default_factory=list)  #: Imported courses of each call.
    tokens: dict[str, float] = field(init=False, default_factory=dict)  #: Token -> expiry time in epoch seconds.
    _calls_at: list[float] = field(init=False, default_factory=list)
    _tokens_made: int = field(init=False, default=0)

    def content(self) -> Sequence[Record]:
        """Return all courses with any status."""
        return list(self.table.rows.values())

    def offered(self) -> Mapping[str, str]:
        """Return course ID -> title of the active courses."""
        return {course["courseID"]: course["title"][0]["value"] for course in self.table.active()}

    def import_menu(self) -> Sequence[Record]:
        """Return the courses that an administrator can copy into the customer's catalog."""
        return self.table.import_menu()

    def channel_credentials(self) -> Mapping[str, str]:
        """Return credentials for the token server."""
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    def channel_settings(self) -> Mapping[str, object]:
        """Return company, user and window. The window is one second longer, to allow for network latency."""
        return {"company_id": COMPANY_ID, "user_id": USER_ID, "window_seconds": self.window_ms / 1_000 + 1}

    def expire_tokens(self) -> None:
        """Expire all tokens."""
        with self.lock:
            self.tokens.clear()

    def reset(self) -> None:
        """Also clear courses, tokens and the rate limit window."""
        with self.lock:
            super().reset()
            self.table, self.imports = CourseTable(), []
            self.tokens, self._calls_at = {}, []

    def route(self, request: Request) -> Operation:
        """Return the operation of the request: a token endpoint, the import, or a 404 page."""
        pages = {TOKEN_SERVER: self._serve_secret, SAML_ENDPOINT: self._serve_assertion, IMPORT: self._import}
        page = pages.get(request.path)
        if request.method != "POST" or page is None or (page == self._serve_secret and not self.has_token_server):
            return Operation(request.path, partial(_html_page, 404))
        return Operation(request.path, partial(page, request))

    # --- tokens ---------------------------------------------------------------------------------------------------

    def _serve_secret(self, request: Request) -> Response:
        given = request.authorization
        if given is None or (given.username, given.password) != (CLIENT_ID, CLIENT_SECRET):
            return _error(403, "Forbidden", "Invalid client credentials")
        asked = _json(request)
        scope = {"companyId": COMPANY_ID, "userId": USER_ID, "resourceType": "learning_public_api"}
        if not isinstance(asked, dict) or asked.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type", "The grant type is not supported")
        given_scope = asked.get("scope")
        if not isinstance(given_scope, dict) or not scope.items() <= given_scope.items():
            return _error(400, "invalid_scope", "The scope is not valid")
        if given_scope.get("userType") not in ("admin", "user"):
            return _error(400, "invalid_scope", "The user type is not valid")
        return json_response({**self._new_token(), "userId": USER_ID, "userType": given_scope["userType"]})

    def _serve_assertion(self, request: Request) -> Response:
        form = request.form
        if form.get("grant_type") != SAML_GRANT:
            return _saml_error(400, "Unsupported grant type.")
        if (form.get("company_id"), form.get("client_id")) != (COMPANY_ID, CLIENT_ID):
            return _saml_error(401, "Unable to authenticate the client (Invalid API key)")
        if problem := self._problem_of_assertion(form.get("assertion", ""), recipient=request.base_url):
            return _saml_error(401, f"Unable to authenticate the client ({problem})")
        return json_response({**self._new_token(), "token_type": "Bearer"})

    def _problem_of_assertion(self, assertion: str, *, recipient: str) -> str | None:
        """Return the reason why an assertion is invalid, or ``None``. Only signed content is considered."""
        try:
            xml = base64.b64decode(assertion, validate=True)
            signed = XMLVerifier().verify(xml, x509_cert=self.certificate or "")
        except (SignXMLException, binascii.Error, ValueError, etree.XMLSyntaxError) as error:
            return f"Invalid SAML assertion: {type(error).__name__}"
        if isinstance(signed, list) or signed.signed_xml is None:
            return "Invalid SAML assertion: not signed as a whole"
        signed_xml = signed.signed_xml
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))
        expected = {
            "Subject/saml2:NameID/text()": USER_ID,
            "Conditions/saml2:AudienceRestriction/saml2:Audience/text()": AUDIENCE,
            "Subject/saml2:SubjectConfirmation/saml2:SubjectConfirmationData/@Recipient": recipient,
            "AttributeStatement/saml2:Attribute[@Name='api_key']/saml2:AttributeValue/text()": CLIENT_ID,
        }
        for path, value in expected.items():
            if _strings(signed_xml, path) != [value]:
                return f"Invalid {path}"
        [starts], [ends] = (_strings(signed_xml, f"Conditions/@{name}") for name in ("NotBefore", "NotOnOrAfter"))
        return None if starts <= now < ends else "SAML assertion expired"

    def _new_token(self) -> Mapping[str, object]:
        self._tokens_made += 1
        token = hashlib.sha256(f"token {self._tokens_made}".encode()).hexdigest()
        self.tokens[token] = self.clock() + TOKEN_LIFETIME_SECONDS
        return {"access_token": token, "expires_in": TOKEN_LIFETIME_SECONDS}

    # --- the import -----------------------------------------------------------------------------------------------

    def _import(self, request: Request) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= self.clock():
            return _error(401, "401", "Unauthorized: the token is not valid")
        if not self.may_import:
            return _error(403, "403", "The user is not allowed to do this")
        if (wait := self._seconds_to_wait()) > 0:
            answer = _error(429, "429", "API calling limit exceeded, Try later")
            if self.tells_retry_after:
                answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        self._calls_at.append(self.clock())
        body = _json(request)
        courses = body.get("ocnCourses") if isinstance(body, dict) else None
        if not isinstance(courses, list) or not courses:
            return _error(400, "400", "ocnCourses is missing")
        if len(courses) > MAX_COURSES:
            return _error(400, "400", f"No more than {MAX_COURSES} courses can be imported at once")
        return self._take(courses)

    def _take(self, courses: list[Record]) -> Response:
        problems = [self.problem_of(course) for course in courses]
        if any(problems) and self.bad_item is BadItem.REFUSES_ALL:
            # The message does not name the invalid course.
            return _error(400, "OCN_INVALID", f"Invalid course: {next(filter(None, problems))}")
        taken = [course for course, problem in zip(courses, problems, strict=True) if problem is None]
        for course in taken:
            self.table.upsert(course)
        self.imports.append(taken)
        foreign = [{"courseID": "of-another-provider", "providerID": "OTHER"}] if self.echoes_foreign_courses else []
        return json_response(
            {
                "@odata.context": "$metadata#OcnCourses/$entity",
                "@odata.metadataEtag": 'W/"sandbox"',
                "ocnCourses": [*foreign, *taken],
            }
        )

    def _seconds_to_wait(self) -> float:
        """Return the seconds until the next import is accepted; 0 if it is now. Imports that got a 400 count too."""
        window = self.window_ms / 1_000
        recent = [moment for moment in self._calls_at if moment > self.clock() - window]
        if len(recent) < self.calls_per_window:
            return 0
        return recent[0] + window - self.clock()


def _json(request: Request) -> object:
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def _strings(element: etree._Element, path: str) -> list[str]:
    found = element.xpath(f"saml2:{path}", namespaces=_NAMESPACES)
    return [str(each) for each in found] if isinstance(found, list) else []


def _error(status: int, code: str, message: str) -> Response:
    return json_response({"error": {"code": code, "message": message}}, status=status)


def _saml_error(status: int, message: str) -> Response:
    return json_response({"errorHttpCode": str(status), "errorMessage": message}, status=status)


def _html_page(status: int) -> Response:
    return Response(f"<html><body><h1>{status}</h1></body></html>", status=status, content_type="text/html")
