"""Canvas sandbox: consent, tokens, accounts, and courses with their states, over the REST API.

Its behavior follows Canvas's source code and documentation. It serves ``/login/oauth2/auth``, ``/login/oauth2/token``
and ``/api/v1``; any other path returns 404. API requests have JSON bodies. ``settings.py``, ``login.py`` and
``courses.py`` contain the settings of the site, the login and the courses.

Not simulated: enrollments, files, terms, and asynchronous changes of many courses. Parallel requests do not add up in
the bucket, because the sandbox has one lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug import Response

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response
from enterprise_catalog.sandbox.canvas.courses import CourseTable, InvalidCourseError
from enterprise_catalog.sandbox.canvas.login import AUTHORIZATION_PAGE, TOKEN_PAGE, CanvasLogin
from enterprise_catalog.sandbox.canvas.settings import REFRESH_TOKEN, ROOT_ACCOUNT_ID, Bucket, CanvasSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from werkzeug import Request

    from enterprise_catalog.sandbox.canvas.courses import Course
    from enterprise_catalog.sandbox.json_objects import JSONObject

API = "/api/v1"

DEFAULT_PER_PAGE = 10
MAX_PER_PAGE = 100
SHORTEST_SEARCH = 2  #: Minimum length of a search term, in characters.

_PERMISSION_OF_EVENT = {
    "offer": ("manage_courses_publish", "change_course_state"),
    "claim": ("manage_courses_publish", "change_course_state"),
    "conclude": ("manage_courses_conclude", "change_course_state"),
    "delete": ("manage_courses_delete", "change_course_state"),
    "undelete": ("manage_courses_delete", "change_course_state"),
}
_MANAGES = ("manage_courses_admin", "manage_courses")


class _RefusedError(Exception):
    """Canvas rejects the request; ``answer`` is the response."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(kw_only=True, eq=False)
class CanvasSandbox(CanvasSite, SandboxApplication):
    """A Canvas as a WSGI application. The arguments are the fields of ``CanvasSite``.

    Tests use ``table`` (to read courses, or to add courses without validation), ``login`` (tokens), ``buckets``,
    ``calls`` and ``faults``. Operations are named by method and path, as in Canvas's documentation:
    ``PUT /api/v1/courses/:id``.
    """

    table: CourseTable = field(init=False, default_factory=CourseTable)
    login: CanvasLogin = field(init=False)
    buckets: dict[str, Bucket] = field(init=False, default_factory=dict)  #: By access token.

    def __post_init__(self) -> None:
        self.login = CanvasLogin(self)

    def content(self) -> Sequence[Mapping[str, object]]:
        """Return every course with all its fields, by ascending id."""
        includes = ("syllabus_body", "course_image")
        rows = sorted(self.table.rows.values(), key=lambda course: course.id)
        return [{**course.other, **course.as_json(shows_sis=True, includes=includes)} for course in rows]

    def offered(self) -> Mapping[str, str]:
        """Return integration ID -> name of the published courses."""
        published = [course for course in self.table.rows.values() if course.workflow_state == "available"]
        return {course.integration_id: course.name for course in published if course.integration_id}

    def channel_credentials(self) -> Mapping[str, str]:
        """Return the developer key, and the refresh token of a user who has consented."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, "refresh_token": REFRESH_TOKEN}

    def channel_settings(self) -> Mapping[str, object]:
        """Return the account for new courses."""
        return {"account_id": ROOT_ACCOUNT_ID}

    def expire_tokens(self) -> None:
        """Expire all access tokens."""
        with self.lock:
            self.login.access_tokens = dict.fromkeys(self.login.access_tokens, self.clock() - 1)

    def reset(self) -> None:
        """Also clear courses, tokens and buckets. The published refresh token becomes valid again."""
        with self.lock:
            super().reset()
            self.table = CourseTable()
            self.login = CanvasLogin(self)
            self.buckets.clear()

    def route(self, request: Request) -> Operation:
        """Return the login page or the API call of the request."""
        pages = {
            f"GET {AUTHORIZATION_PAGE}": partial(self.login.consent, request.args),
            f"POST {TOKEN_PAGE}": partial(self.login.give_token, request.form),
        }
        if page := pages.get(f"{request.method} {request.path}"):
            return Operation(f"{request.method} {request.path}", page)
        for name, call in self._calls().items():
            method, _, template = name.partition(" ")
            if method == request.method and (named := _named(template, request.path)) is not None:
                return Operation(name, partial(self._throttle, request, partial(call, request, named)))
        return Operation(request.path, _not_found)

    def _calls(self) -> Mapping[str, Callable[[Request, str], Response]]:
        """Return the API calls by method and path. Each call receives the request and the ID from the path."""
        return {
            f"GET {API}/accounts": self._list_accounts,
            f"GET {API}/accounts/:id": self._show_account,
            f"GET {API}/accounts/:account_id/permissions": self._show_permissions,
            f"GET {API}/accounts/:account_id/courses": self._list_courses,
            f"POST {API}/accounts/:account_id/courses": self._create_course,
            f"GET {API}/courses/:id": self._show_course,
            f"PUT {API}/courses/:id": self._update_course,
            f"DELETE {API}/courses/:id": self._end_course,
        }

    # --- throttling and authentication ------------------------------------------------------------------------------

    def _throttle(self, request: Request, call: Callable[[], Response]) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        bucket = self.buckets.setdefault(token, Bucket())
        if bucket.is_full(self):
            return self._throttle_response()
        answer = self._authenticate(token, call)
        bucket.count += self.request_cost
        answer.headers["X-Request-Cost"] = str(self.request_cost)
        answer.headers["X-Rate-Limit-Remaining"] = str(self.high_water - bucket.count)
        return answer

    def _throttle_response(self) -> Response:
        """Return the 403 or 429 of a full bucket."""
        status = int(self.throttle_style)
        phrase = "Forbidden" if status == 403 else "Too Many Requests"
        headers = {"X-Rate-Limit-Remaining": "0.0"}
        text = f"{status} {phrase} (Rate Limit Exceeded)\n"
        return Response(text, status=status, headers=headers, content_type="text/plain; charset=utf-8")

    def _authenticate(self, token: str, call: Callable[[], Response]) -> Response:
        if not self.login.is_valid(token):
            answer = json_response({"errors": [{"message": "Invalid access token."}]}, status=401)
            answer.headers["WWW-Authenticate"] = 'Bearer realm="canvas-lms"'
            return answer
        try:
            return call()
        except _RefusedError as refused:
            return refused.answer
        except InvalidCourseError as invalid:
            return json_response({"errors": invalid.errors}, status=400)

    def _require(self, *any_of: str) -> None:
        if not self.may(*any_of):
            raise _RefusedError(self._unauthorized())

    def _unauthorized(self) -> Response:
        body = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
        return json_response(body, status=self.refusal_status)

    # --- accounts ---------------------------------------------------------------------------------------------------

    def _list_accounts(self, request: Request, _: str) -> Response:
        return _page(request, [self._account_json(account_id) for account_id in sorted(self.accounts)])

    def _show_account(self, request: Request, name: str) -> Response:
        account_id = self._account_id(name)
        self._require("read_course_list", *_MANAGES)
        return json_response(self._account_json(account_id))

    def _show_permissions(self, request: Request, name: str) -> Response:
        self._account_id(name)
        return json_response({asked: self.may(asked) for asked in request.args.getlist("permissions[]")})

    def _account_id(self, name: str) -> int:
        roots = [account_id for account_id, parent in self.accounts.items() if parent is None]
        account_id = roots[0] if name == "self" else int(name) if name.isdecimal() else 0
        if account_id not in self.accounts:
            raise _RefusedError(_not_found())
        return account_id

    def _account_json(self, account_id: int) -> dict[str, object]:
        parent = self.accounts[account_id]
        root = None if parent is None else ROOT_ACCOUNT_ID
        named = {"id": account_id, "name": f"Account {account_id}", "workflow_state": "active"}
        return {**named, "parent_account_id": parent, "root_account_id": root}

    # --- courses ----------------------------------------------------------------------------------------------------

    def _list_courses(self, request: Request, name: str) -> Response:
        account_id = self._account_id(name)
        self._require("read_course_list", *_MANAGES)
        term = request.args.get("search_term")
        if term is not None and len(term) < SHORTEST_SEARCH:
            body = {"status": "argument_error", "message": f"search_term of {SHORTEST_SEARCH} or more characters"}
            return json_response(body, status=400)
        states = set(request.args.getlist("state[]")) or {"created", "claimed", "available", "completed"}
        found = [
            course.as_json(shows_sis=self.sees_sis, includes=request.args.getlist("include[]"))
            for course in sorted(self.table.rows.values(), key=lambda course: course.id)
            if self.is_within(course.account_id, account_id)
            and ("all" in states or course.workflow_state in states)
            and (term is None or self._matches(course, term.lower()))
        ]
        return _page(request, found)

    def _matches(self, course: Course, term: str) -> bool:
        """Return True if a search finds the course. Integration IDs are not searched."""
        texts = [course.name, course.course_code, *([course.sis_course_id or ""] if self.sees_sis else [])]
        return str(course.id) == term or any(term in text.lower() for text in texts)

    def _create_course(self, request: Request, name: str) -> Response:
        body = _body(request)
        account_id = self._account_id(name)
        self._require("manage_courses_add", "manage_courses")
        fields = dict(body.get("course") or {})
        if not self.keeps_integration_ids:
            fields["integration_id"] = None
        course = self.table.build(account_id, self._permitted(fields), is_offered=body.get("offer") is True)
        return json_response(course.as_json(shows_sis=self.sees_sis), status=self.created_status)

    def _show_course(self, request: Request, name: str) -> Response:
        includes = request.args.getlist("include[]")
        course = self._course(name, deleted_too="all_courses" in includes)
        self._require_course(course, "read_course_list", *_MANAGES)
        return json_response(course.as_json(shows_sis=self.sees_sis, includes=includes))

    def _update_course(self, request: Request, name: str) -> Response:
        course = self._course(name, deleted_too=True)
        fields = dict(_body(request).get("course") or {})
        event = fields.get("event")
        if event in _PERMISSION_OF_EVENT:
            self._require_course(course, *_PERMISSION_OF_EVENT[event])
        if event == "undelete" and not self.can_undelete:
            raise InvalidCourseError({"workflow_state": [{"message": "The course cannot be recovered."}]})
        if fields.keys() - {"event"}:
            self._require_course(course, *_MANAGES)
        changed = self.table.change(course, self._permitted(fields))
        return json_response(changed.as_json(shows_sis=self.sees_sis))

    def _end_course(self, request: Request, name: str) -> Response:
        event = request.args.get("event") or _body(request).get("event")
        course = self._course(name, deleted_too=True)
        if event not in {"delete", "conclude"}:
            message = 'Only "delete" and "conclude" events are allowed.'
            return json_response({"message": message}, status=400)
        self._require_course(course, *_PERMISSION_OF_EVENT[event])
        self.table.change(course, {"event": event})
        return json_response({event: True})

    def _course(self, name: str, *, deleted_too: bool) -> Course:
        """Return the course for an ID from a path.

        As in Canvas, spaces at both ends are stripped. An ID with a slash never gets here, because the web server
        rejects it.
        """
        name = name.strip()
        kind, _, value = name.removeprefix("hex:").partition(":")
        if name.startswith("hex:"):
            value = bytes.fromhex(value).decode()
        for course in self.table.rows.values():
            names = {"sis_integration_id": course.integration_id, "sis_course_id": course.sis_course_id}
            is_meant = names.get(kind) == value if value else str(course.id) == name
            if is_meant and (deleted_too or course.workflow_state != "deleted"):
                return course
        raise _RefusedError(_not_found())

    def _require_course(self, course: Course, *any_of: str) -> None:
        if course.id in self.forbidden_course_ids:
            raise _RefusedError(self._unauthorized())
        self._require(*any_of)

    def _permitted(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return ``fields`` without the fields that the user may not set. Canvas ignores them silently."""
        if self.may("manage_course_visibility"):
            return dict(fields)
        return {**{name: value for name, value in fields.items() if name != "indexed"}, "is_public": False}


def _named(template: str, path: str) -> str | None:
    """Return the ID in ``path``; empty if the template has no ID, ``None`` if the path does not match it."""
    expected, parts = template.split("/"), path.split("/")
    pairs = list(zip(expected, parts, strict=False))
    if len(expected) != len(parts) or any(a != b for a, b in pairs if not a.startswith(":")):
        return None
    return next((part for name, part in pairs if name.startswith(":")), "")


def _body(request: Request) -> JSONObject:
    value = request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


def _page(request: Request, rows: Sequence[object]) -> Response:
    """Return one page of ``rows``, with links to other pages in the ``Link`` header."""
    per_page = min(max(request.args.get("per_page", DEFAULT_PER_PAGE, int), 1), MAX_PER_PAGE)
    page = max(request.args.get("page", 1, int), 1)
    last = max(-(-len(rows) // per_page), 1)
    numbers = {"current": page, "next": page + 1, "prev": page - 1, "first": 1, "last": last}
    answer = json_response(rows[(page - 1) * per_page : page * per_page])
    answer.headers["Link"] = ",".join(_links(request, numbers, per_page=per_page, last=last))
    return answer


def _links(request: Request, numbers: Mapping[str, int], *, per_page: int, last: int) -> Iterable[str]:
    parameters = [(name, value) for name, value in request.args.items(multi=True) if name not in {"page", "per_page"}]
    for relation, number in numbers.items():
        if 1 <= number <= last:
            query = urlencode([*parameters, ("page", number), ("per_page", per_page)])
            yield f'<{request.base_url}?{query}>; rel="{relation}"'


def _not_found() -> Response:
    return json_response({"errors": [{"message": "The specified resource does not exist."}]}, status=404)
