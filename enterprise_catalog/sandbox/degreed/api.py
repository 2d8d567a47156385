"""Degreed sandbox: the token endpoint, and the courses of API v2.

Its behavior follows Degreed's documentation (https://developer.degreed.com), or else the expectations of Open edX's
channel. Behavior that neither describes is a knob. One process serves both hosts, for tokens and for the API. Every API
response has the three rate limit headers.

Not simulated: providers, other content types, and scopes for anything but content.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from werkzeug import Response

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response
from enterprise_catalog.sandbox.degreed import errors
from enterprise_catalog.sandbox.degreed.courses import COURSE_TYPE, Course, CourseTable, read_course, read_skills
from enterprise_catalog.sandbox.degreed.errors import DegreedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from werkzeug import Request

# Published; valid only in the sandbox.
CLIENT_ID = "sandbox-key"
CLIENT_SECRET = "not-a-real-secret"

TOKEN_PAGE = "/oauth/token"
COURSES_PAGE = "/api/v2/content/courses"

READ, WRITE = "content:read", "content:write"
DOCUMENTED_CALLS_PER_MINUTE = 70
UNHURRIED_CALLS_PER_MINUTE = 60_000  #: For demonstrations, which would otherwise take half an hour.
TOKEN_LIFETIME_SECONDS = 5_183_999
WINDOW_SECONDS = 60
CURSOR_LIFETIME_SECONDS = 120  #: "The snapshotted set of data becomes obsolete".
DEFAULT_LIMIT, MOST_LIMIT = 10, 100  #: Default and maximum page size.

# Names of operations; ``…`` is a placeholder for an id.
TOKEN = f"POST {TOKEN_PAGE}"
CREATE, LIST = f"POST {COURSES_PAGE}", f"GET {COURSES_PAGE}"
READ_ONE, UPDATE, DELETE = (f"{method} {COURSES_PAGE}/…" for method in ("GET", "PATCH", "DELETE"))
SKILLS = "PATCH /api/v2/content/…/relationships/skills"


@dataclass(slots=True)
class _Token:
    expires_at: float
    scopes: frozenset[str]


@dataclass(slots=True)
class _Cursor:
    expires_at: float
    courses: Sequence[Course]  #: The remaining courses of the snapshot.


@dataclass(kw_only=True, eq=False)
class DegreedSandbox(SandboxApplication):
    """A Degreed organization with one API key, as a WSGI application. Every argument is a knob.

    Tests use ``table``, ``tokens``, ``calls`` and ``faults``. Operations are named by method and path, with ``…`` in
    place of an id.
    """

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    scopes: Collection[str] = frozenset({READ, WRITE})  #: Scopes of the API key.
    may_set_skills: bool = True
    calls_per_minute: int = DOCUMENTED_CALLS_PER_MINUTE
    clock: Callable[[], float] = time.time  #: Epoch seconds.
    gone_status: int = 410  #: Status for the id of a deleted course: 410 or 404.
    delete_status: int = 204
    skills_status: int = 201
    skill_type: str = "skills"
    deleted_stay_taken: bool = False  #: External ids and urls of deleted courses cannot be reused.
    filter_finds_obsolete: bool = True
    filter_is_loose: bool = False  #: The filter finds external ids that contain the text, ignoring case.
    unseen_external_ids: Collection[str] = frozenset()  #: Courses of another provider, invisible to the API key.

    table: CourseTable = field(init=False, default_factory=CourseTable)
    tokens: dict[str, _Token] = field(init=False, default_factory=dict)
    _tokens_made: int = field(init=False, default=0)
    _cursors: dict[str, _Cursor] = field(init=False, default_factory=dict)
    _window_started_at: float = field(init=False, default=0.0)
    _window_calls: int = field(init=False, default=0)

    def content(self) -> Sequence[Mapping[str, object]]:
        """Return id, skills and attributes of every course that is not deleted, by ascending id."""
        return [{"id": course.id, "skills": list(course.skills), **course.attributes} for course in self.table.all()]

    def offered(self) -> Mapping[str, str]:
        """Return external id -> title of the courses that are not obsolete."""
        offered = (course for course in self.table.all() if not course.is_obsolete)
        return {course.external_id: str(course.attributes["title"]) for course in offered}

    def channel_credentials(self) -> Mapping[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}

    def channel_settings(self) -> Mapping[str, object]:
        """Return the limit per minute. Tokens come from the same base URL."""
        return {"calls_per_minute": self.calls_per_minute}

    def expire_tokens(self) -> None:
        """Expire all tokens."""
        with self.lock:
            self.tokens.clear()

    def reset(self) -> None:
        """Also clear courses, tokens, cursors and the rate limit window."""
        with self.lock:
            super().reset()
            self.table = CourseTable()
            self.tokens, self._cursors, self._window_calls = {}, {}, 0

    def route(self, request: Request) -> Operation:
        method, path = request.method, request.path
        if path == TOKEN_PAGE:
            return Operation(f"{method} {path}", partial(self._handle_errors, partial(self._give_token, request)))
        name, scope, serve = self._page(method, path, request)
        return Operation(name, partial(self._answer_in_window, request, scope, serve))

    def _page(self, method: str, path: str, request: Request) -> tuple[str, str, Callable[[], Response]]:
        """Return the operation's name, the scope that it requires, and the function that executes it."""
        relative_path = path.removeprefix("/api/v2/content/")
        page: tuple[str, str, Callable[[], Response]]
        match method, [unquote(part) for part in relative_path.split("/")] if relative_path != path else []:
            case "POST", ["courses"]:
                page = CREATE, WRITE, partial(self._create, request)
            case "GET", ["courses"]:
                page = LIST, READ, partial(self._list, request)
            case "GET", ["courses", course_id]:
                page = READ_ONE, READ, partial(self._read, course_id)
            case "PATCH", ["courses", course_id]:
                page = UPDATE, WRITE, partial(self._update, request, course_id)
            case "DELETE", ["courses", course_id]:
                page = DELETE, WRITE, partial(self._delete, course_id)
            case "PATCH", [course_id, "relationships", "skills"]:
                page = SKILLS, WRITE, partial(self._set_skills, request, course_id)
            case _:
                page = f"{method} {path}", READ, _no_page
        return page

    # --- errors, rate limit and authentication ----------------------------------------------------------------------

    def _handle_errors(self, serve: Callable[[], Response]) -> Response:
        try:
            return serve()
        except DegreedError as refusal:
            return refusal.answer()

    def _answer_in_window(self, request: Request, scope: str, serve: Callable[[], Response]) -> Response:
        answer = self._handle_errors(partial(self._serve, request, scope, serve))
        ends_at = self._window_started_at + WINDOW_SECONDS
        answer.headers["X-Rate-Limit-Limit"] = "1m"
        answer.headers["X-Rate-Limit-Remaining"] = str(max(self.calls_per_minute - self._window_calls, 0))
        answer.headers["X-Rate-Limit-Reset"] = datetime.fromtimestamp(ends_at, UTC).isoformat().replace("+00:00", "Z")
        if answer.status_code == 429:
            answer.headers["Retry-After"] = str(ceil(ends_at - self.clock()))
        return answer

    def _serve(self, request: Request, scope: str, serve: Callable[[], Response]) -> Response:
        token = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if token is None or token.expires_at <= self.clock():
            raise errors.unauthorized()
        self._count()
        if "application/json" not in request.headers.get("Accept", ""):
            raise errors.not_acceptable()
        if request.method in {"POST", "PATCH"} and request.mimetype != "application/json":
            raise errors.not_acceptable()
        if scope not in token.scopes:
            raise errors.forbidden(f"The access token lacks the scope {scope}.")
        return serve()

    def _count(self) -> None:
        now = self.clock()
        if now >= self._window_started_at + WINDOW_SECONDS:
            self._window_started_at, self._window_calls = now, 0
        if self._window_calls >= self.calls_per_minute:
            raise errors.quota_exceeded(self.calls_per_minute)
        self._window_calls += 1

    def _give_token(self, request: Request) -> Response:
        form = request.form
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            raise errors.bad_request("grant_type must be client_credentials.")
        asked = frozenset(form.get("scope", "").split(","))
        key = (form.get("client_id"), form.get("client_secret"))
        if key != (self.client_id, self.client_secret) or not asked <= set(self.scopes):
            raise errors.forbidden("The client credentials or scopes are incorrect.")
        self._tokens_made += 1
        token = f"sandbox-token-{self._tokens_made:06}"
        self.tokens[token] = _Token(self.clock() + TOKEN_LIFETIME_SECONDS, asked)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_LIFETIME_SECONDS}
        return json_response({**answer, "refresh_token": f"sandbox-refresh-{self._tokens_made:06}"})

    # --- pages ------------------------------------------------------------------------------------------------------

    def _create(self, request: Request) -> Response:
        attributes = {"obsolete": False, **read_course(_json_of(request), course_id=None)}
        self.table.refuse_duplicates(attributes, with_deleted=self.deleted_stay_taken)
        course = self.table.add(attributes)
        return json_response({"data": _resource(course, request)}, status=201)

    def _read(self, course_id: str) -> Response:
        return json_response({"data": _resource(self._existing(course_id))})

    def _update(self, request: Request, course_id: str) -> Response:
        course = self._existing(course_id)
        attributes = {**course.attributes, **read_course(_json_of(request), course_id=course_id)}
        self.table.refuse_duplicates(attributes, but_for=course_id, with_deleted=self.deleted_stay_taken)
        changed = replace(course, attributes=attributes)
        self.table.put(changed)
        return json_response({"data": _resource(changed, request)})

    def _delete(self, course_id: str) -> Response:
        self.table.delete(self._existing(course_id))
        return Response(status=self.delete_status)

    def _set_skills(self, request: Request, course_id: str) -> Response:
        if not self.may_set_skills:
            raise errors.forbidden("The API key may not tag content with skills.")
        course = self._existing(course_id)
        skills = read_skills(_json_of(request), skill_type=self.skill_type)
        self.table.put(replace(course, skills=skills))
        return Response(status=self.skills_status)

    def _list(self, request: Request) -> Response:
        limit = request.args.get("limit", DEFAULT_LIMIT, int)
        if not 1 <= limit <= MOST_LIMIT:
            raise errors.bad_request(f"limit must be 1 to {MOST_LIMIT}.")
        wanted = request.args.get("filter[external_id]")
        cursor = request.args.get("next")
        courses = self._snapshot(wanted) if cursor is None else self._rest(cursor)
        links: dict[str, str | None] = {"self": request.base_url, "next": None}
        if courses[limit:]:
            following = f"p{len(self._cursors) + 1:06}"
            self._cursors[following] = _Cursor(self.clock() + CURSOR_LIFETIME_SECONDS, courses[limit:])
            links["next"] = f"{request.base_url}?{urlencode({**request.args, 'limit': limit, 'next': following})}"
        return json_response({"links": links, "data": [_resource(course, request) for course in courses[:limit]]})

    def _snapshot(self, wanted: str | None) -> Sequence[Course]:
        """Return the courses of a list: all courses that are not obsolete, or the matches of the filter."""
        if wanted is None:
            found = [course for course in self.table.all() if not course.is_obsolete]
        elif self.filter_is_loose:
            found = [course for course in self.table.all() if wanted.lower() in course.external_id.lower()]
        else:
            found = list(self.table.with_external_id(wanted))
        seen = [course for course in found if course.external_id not in self.unseen_external_ids]
        return [course for course in seen if self.filter_finds_obsolete or not course.is_obsolete]

    def _rest(self, cursor: str) -> Sequence[Course]:
        rest = self._cursors.get(cursor)
        if rest is None or rest.expires_at <= self.clock():
            raise errors.bad_request("The value of next is unknown or has expired.")
        return rest.courses

    def _existing(self, course_id: str) -> Course:
        course = self.table.get(course_id)
        if course is None or course.external_id in self.unseen_external_ids:
            raise errors.not_found()
        if course.is_deleted:
            raise errors.gone() if self.gone_status == 410 else errors.not_found()
        return course


def _no_page() -> Response:
    raise errors.not_found()


def _json_of(request: Request) -> object:
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise errors.bad_request("The body is not JSON.") from None


def _resource(course: Course, request: Request | None = None) -> Mapping[str, object]:
    host = request.host_url.rstrip("/") if request is not None else ""
    attributes = {**course.attributes, "degreed-url": f"https://degreed.com/courses/{quote(course.id)}"}
    links = {"self": f"{host}{COURSES_PAGE}/{quote(course.id)}"}
    return {"type": COURSE_TYPE, "id": course.id, "attributes": attributes, "links": links}
