"""Blackboard Learn sandbox: OAuth 2 with single-use refresh tokens, courses and contents, deletions, daily quota.

It serves ``/learn/api/public``; any other path returns the web server's HTML 404. Consent is always granted.
``courses.py`` contains the courses and their validation.

Not simulated: users, memberships, files, other searches, PKCE, and the gradual refill of the quota. The sandbox resets
the whole quota one day after the first call.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from base64 import b64encode
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from werkzeug import Response

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response
from enterprise_catalog.sandbox.blackboard.courses import BlackboardError, BlackboardSite, as_page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from werkzeug import Request

    from enterprise_catalog.sandbox.blackboard.courses import Course

ROOT: Final = "/learn/api/public"
TOKENS: Final = f"{ROOT}/v1/oauth2/token"
CONSENT: Final = f"{ROOT}/v1/oauth2/authorizationcode"

# Published; valid only in the sandbox.
CLIENT_ID: Final = "11111111-2222-3333-4444-555555555555"
CLIENT_SECRET: Final = "not-a-real-secret"
SCOPES: Final = frozenset({"read", "write", "delete", "offline"})

TOKEN_SECONDS: Final = 3_599  #: Lifetime of an access token.
DAY_SECONDS: Final = 24 * 60 * 60
UNHURRIED_CALLS_PER_DAY = 1_000_000  #: For demonstrations with more courses than Blackboard accepts in a day.
MOST_RESULTS: Final = 100  #: Maximum page size of a list.

#: Operation -> entitlement that the user who consented needs.
ENTITLEMENTS: Final = {
    "GET courses": "system.course.VIEW",
    "GET courses/:id": "system.course.VIEW",
    "POST courses": "system.course.CREATE",
    "PATCH courses/:id": "system.course.MODIFY",
    "DELETE courses/:id": "system.course.DELETE",
    "GET tasks": "system.course.DELETE",
    "GET contents": "course.content.VIEW",
    "GET contents/:id": "course.content.VIEW",
    "POST contents": "course.content.CREATE",
    "PATCH contents/:id": "course.content.MODIFY",
    "DELETE contents/:id": "course.content.DELETE",
}
_SCOPE_OF_METHOD: Final = {"GET": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}

_PLACES: Final = (
    ("tasks", re.compile(rf"{ROOT}/v1/courses/(?P<course>[^/]+)/tasks/(?P<part>[^/]+)")),
    ("contents", re.compile(rf"{ROOT}/v1/courses/(?P<course>[^/]+)/contents(?:/(?P<part>[^/]+)/children)?")),
    ("contents/:id", re.compile(rf"{ROOT}/v1/courses/(?P<course>[^/]+)/contents/(?P<part>[^/]+)")),
    ("courses", re.compile(rf"{ROOT}/v[123]/courses")),
    ("courses/:id", re.compile(rf"{ROOT}/v[123]/courses/(?P<course>.+)")),
)


@dataclass(slots=True)
class Grant:
    """A user's consent: its scopes and current access token. Stored under the current refresh token."""

    scopes: frozenset[str]
    access_token: str = ""
    expires_at: float = 0.0


@dataclass(kw_only=True, eq=False)
class BlackboardSandbox(BlackboardSite, SandboxApplication):
    """A Blackboard as a WSGI application. Operations are named ``POST courses``, ``PATCH contents/:id`` and so on.

    Tests use ``courses``, ``bare_courses``, ``calls`` and ``faults``.
    """

    is_installed: bool = True  #: The application is installed on the site.
    is_enabled: bool = True  #: The site's administrators have enabled the application.
    entitlements: Collection[str] = frozenset(ENTITLEMENTS.values())  #: Entitlements of the user who consented.
    calls_per_day: int | None = 10_000  #: The vendor's default; ``None`` for no limit.
    clock: Callable[[], float] = time.time  #: Epoch seconds.
    grants: dict[str, Grant] = field(init=False, default_factory=dict)  #: By refresh token.
    _codes: dict[str, tuple[str, frozenset[str]]] = field(init=False, default_factory=dict)
    _published: str = field(init=False, default="")
    _made: int = field(init=False, default=0)
    _used: int = field(init=False, default=0)
    _used_since: float = field(init=False, default=0.0)

    def content(self) -> Sequence[Mapping[str, object]]:
        """Return every course with its contents, by ascending id."""
        return [
            {**course.as_record(), "contents": [part.as_record() for part in course.contents.values()]}
            for course in self.courses.values()
        ]

    def offered(self) -> Mapping[str, str]:
        """Return external id -> name of the available courses."""
        return {course.external_id: course.name for course in self.courses.values() if course.is_offered}

    def channel_credentials(self) -> Mapping[str, str]:
        """Return key, secret and a refresh token. Once the token has been used, return one of a new consent."""
        with self.lock:
            if self._published not in self.grants:
                self._published = self._new_secret()
                self.grants[self._published] = Grant(SCOPES)
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": self._published}

    def channel_settings(self) -> Mapping[str, object]:
        """Return the daily limit, if there is one."""
        return {} if self.calls_per_day is None else {"calls_per_day": self.calls_per_day}

    def reset(self) -> None:
        """Also clear courses and reset the quota. Consents stay."""
        with self.lock:
            super().reset()
            self.courses.clear()
            self.bare_courses.clear()
            self._used = 0

    def expire_tokens(self) -> None:
        """Expire all access tokens."""
        with self.lock:
            for grant in self.grants.values():
                grant.expires_at = 0.0

    def route(self, request: Request) -> Operation:
        """Return the operation of the request: token, consent, API call, or a 404 page."""
        if request.path == TOKENS and request.method == "POST":
            return Operation("POST token", partial(self._give_token, request))
        if request.path == CONSENT and request.method == "GET":
            return Operation("GET authorizationcode", partial(self._consent, request))
        for name, place in _PLACES:
            if match := place.fullmatch(request.path):
                operation = f"{request.method} {name}"
                found = {key: value or "" for key, value in match.groupdict().items()}
                return Operation(operation, partial(self._answer_api, request, operation, found))
        page = Response("<html><h1>404 Not Found</h1></html>", status=404, content_type="text/html; charset=utf-8")
        return Operation(request.path, lambda: page)

    # --- OAuth 2 ----------------------------------------------------------------------------------------------------

    def _consent(self, request: Request) -> Response:
        """Redirect with a code, as if a user had consented on the page."""
        asked = request.args
        if not self.is_installed or asked.get("client_id") != CLIENT_ID:
            return json_response({"error": "invalid_client"}, status=400)
        if asked.get("response_type") != "code":
            return json_response({"error": "unsupported_response_type"}, status=400)
        scopes = frozenset(asked.get("scope", "").split())
        if not scopes or scopes - SCOPES:
            return json_response({"error": "invalid_scope"}, status=400)
        code = self._new_secret()
        self._codes[code] = (asked.get("redirect_uri", ""), scopes)
        query = urlencode({"code": code, "state": asked.get("state", "")})
        return Response(status=302, headers={"Location": f"{asked.get('redirect_uri', '')}?{query}"})

    def _give_token(self, request: Request) -> Response:
        if not self.is_installed:
            return _failure(404, "The application is not installed.")
        basic = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {basic}":
            return json_response({"error": "invalid_client", "error_description": "Invalid client"}, status=401)
        match request.form.get("grant_type"):
            case "authorization_code":
                return self._redeem(request)
            case "refresh_token":
                grant = self.grants.pop(request.form.get("refresh_token", ""), None)
                return self._issue_tokens(grant) if grant else _no_grant()
        return json_response({"error": "unsupported_grant_type"}, status=400)

    def _redeem(self, request: Request) -> Response:
        redirect_uri, scopes = self._codes.pop(request.form.get("code", ""), ("", frozenset()))
        if not scopes or request.form.get("redirect_uri") != redirect_uri:
            return _no_grant()
        return self._issue_tokens(Grant(scopes))

    def _issue_tokens(self, grant: Grant) -> Response:
        """Return the current access token, or a new one if it has expired, and a new refresh token."""
        now = self.clock()
        if grant.expires_at <= now:
            grant.access_token, grant.expires_at = self._new_secret(), now + TOKEN_SECONDS
        answer: dict[str, object] = {
            "access_token": grant.access_token,
            "token_type": "bearer",
            "expires_in": int(grant.expires_at - now),
            "scope": " ".join(sorted(grant.scopes)),
            "user_id": "0123456789abcdef0123456789abcdef",
        }
        refresh_token = self._new_secret()
        self.grants[refresh_token] = grant
        if "offline" in grant.scopes:
            answer["refresh_token"] = refresh_token
        return json_response(answer)

    def _new_secret(self) -> str:
        self._made += 1
        return hashlib.sha256(f"secret {self._made}".encode()).hexdigest()[:32]

    # --- the API ----------------------------------------------------------------------------------------------------

    def _answer_api(self, request: Request, operation: str, found: Mapping[str, str]) -> Response:
        try:
            self._require_entry(request, operation)
            if (wait := self._spend_call()) is not None:
                answer = _failure(429, "Too many requests.")
                answer.headers["Retry-After"] = str(wait)
            else:
                answer = self._carry_out(request, operation, found)
        except BlackboardError as error:
            answer = _failure(error.status, error.message)
        if self.calls_per_day is not None:
            answer.headers["X-Rate-Limit-Limit"] = str(self.calls_per_day)
            answer.headers["X-Rate-Limit-Remaining"] = str(max(self.calls_per_day - self._used, 0))
        return answer

    def _require_entry(self, request: Request, operation: str) -> None:
        if not self.is_installed:
            raise BlackboardError(404, "The application is not installed.")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grants = [grant for grant in self.grants.values() if token and grant.access_token == token]
        if not grants or grants[0].expires_at <= self.clock():
            raise BlackboardError(401, "Bearer token is invalid")
        if operation not in ENTITLEMENTS:
            raise BlackboardError(405, "Method not allowed")
        scope = _SCOPE_OF_METHOD[request.method]
        if not self.is_enabled or scope not in grants[0].scopes or ENTITLEMENTS[operation] not in self.entitlements:
            raise BlackboardError(403, "User has insufficient privileges.")

    def _spend_call(self) -> int | None:
        """Count one call. Return the seconds until the quota is reset if no calls are left; else ``None``."""
        now = self.clock()
        if now - self._used_since >= DAY_SECONDS:
            self._used, self._used_since = 0, now
        if self.calls_per_day is not None and self._used >= self.calls_per_day:
            return int(self._used_since + DAY_SECONDS - now) + 1
        self._used += 1
        return None

    def _carry_out(self, request: Request, operation: str, found: Mapping[str, str]) -> Response:
        if operation == "GET courses":
            courses = self.search(external_id=request.args.get("externalId", ""))
            return self._list_page(request, [course.as_record() for course in courses])
        if operation == "POST courses":
            return json_response(self.create_course(_body_of(request)).as_record(), status=201)
        course = self.course(found["course"])
        if operation == "GET tasks":
            return self._task(course, found["part"])
        if operation.endswith("courses/:id"):
            return self._carry_out_on_course(request, course)
        return self._carry_out_on_part(request, operation, course, found["part"])

    def _carry_out_on_course(self, request: Request, course: Course) -> Response:
        if request.method == "GET":
            return json_response(course.as_record())
        if request.method == "PATCH":
            return json_response(self.change_course(course, _body_of(request)).as_record())
        location = f"{ROOT}/v1/courses/{course.id}/tasks/{self.begin_deletion(course)}"
        return Response(status=202, headers={"Location": location})

    def _carry_out_on_part(self, request: Request, operation: str, course: Course, part: str) -> Response:
        match operation:
            case "GET contents":
                return self._list_page(request, [content.as_record() for content in self.parts(course, part)])
            case "POST contents":
                return json_response(self.create_part(course, part, _body_of(request)).as_record(), status=201)
            case "GET contents/:id":
                return json_response(self.part(course, part).as_record())
            case "PATCH contents/:id":
                changed = self.change_part(course, self.part(course, part), _body_of(request))
                return json_response(changed.as_record())
        self.remove_part(course, self.part(course, part))
        return Response(status=204)

    def _task(self, course: Course, task: str) -> Response:
        if course.task != task:
            raise BlackboardError(404, f"Could not find object with ID: {task}")
        if self.is_deleted(course):
            return Response(status=303, headers={"Location": f"{ROOT}/v3/courses/{course.id}"})
        return json_response({"id": course.task, "status": "Running", "percentComplete": 50})

    def _list_page(self, request: Request, records: Sequence[Mapping[str, object]]) -> Response:
        limit = min(request.args.get("limit", MOST_RESULTS, int), MOST_RESULTS)
        offset = request.args.get("offset", 0, int)
        return json_response(as_page(records, path=request.path, offset=offset, limit=limit))


def _body_of(request: Request) -> object:
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise BlackboardError(400, "The body is not JSON.") from error


def _failure(status: int, message: str) -> Response:
    return json_response({"status": status, "message": message}, status=status)


def _no_grant() -> Response:
    return json_response({"error": "invalid_grant", "error_description": "Invalid token or code"}, status=400)
