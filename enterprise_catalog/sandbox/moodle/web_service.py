"""Moodle sandbox: the login page that issues tokens, and the REST server for courses.

Its behavior was observed on a real Moodle 4.5. It serves ``POST /login/token.php`` and ``GET`` or ``POST
/webservice/rest/server.php``; any other path returns the web server's HTML 404. Almost every error has status 200, and
is XML unless ``moodlewsrestformat=json`` arrived. The other modules of this package contain settings,
functions and texts.

Not simulated:

* the race of parallel creates (``table.add`` can create its result),
* the duration of operations other than creates (``sort_seconds_per_course``); use a fault's delay,
* PHP's limit on the size of a body.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response
from enterprise_catalog.sandbox.moodle import answers, errors
from enterprise_catalog.sandbox.moodle.answers import RestFormat
from enterprise_catalog.sandbox.moodle.changes import CourseEditor
from enterprise_catalog.sandbox.moodle.courses import SITE_COURSE_ID, CourseTable
from enterprise_catalog.sandbox.moodle.lookups import CourseFinder
from enterprise_catalog.sandbox.moodle.parameters import NoParameters, validate
from enterprise_catalog.sandbox.moodle.php_forms import read_parameters
from enterprise_catalog.sandbox.moodle.settings import TOKEN, MoodleSite, SiteState
from enterprise_catalog.sandbox.moodle.sorting import RowLocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug import Request, Response

    from enterprise_catalog.sandbox.moodle.courses import CourseRecord
    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray

LOGIN_PAGE = "login/token.php"
REST_PAGE = "webservice/rest/server.php"
CREATE = "core_course_create_courses"

TOKEN_LIFETIME_SECONDS = 12 * 7 * 24 * 60 * 60  #: Of tokens from the login page; Moodle's default ``tokenduration``.

_FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})


@dataclass(kw_only=True, eq=False)
class MoodleSandbox(MoodleSite, SandboxApplication):
    """A Moodle site as a WSGI application. The arguments are the fields of ``MoodleSite``.

    Tests use ``table`` (to read rows, or to add rows without validation), ``courses``, ``tokens``, ``calls``,
    ``row_locks`` and ``faults``. Operations are named by their web service function, ``login/token.php``, or the path.
    """

    table: CourseTable = field(init=False, default_factory=CourseTable)
    #: Token -> expiry time in epoch seconds; ``None`` if it never expires. An expired token is deleted on its next use.
    tokens: dict[str, float | None] = field(init=False, default_factory=lambda: {TOKEN: None})
    _tokens_made: int = field(init=False, default=0)
    row_locks: RowLocks = field(init=False, repr=False, default_factory=RowLocks)

    @property
    def courses(self) -> Sequence[CourseRecord]:
        """All courses except the site course, by ascending id, with their text as it was sent."""
        return [course.as_record() for course in self.table.all() if course.id != SITE_COURSE_ID]

    def content(self) -> Sequence[CourseRecord]:
        """Return ``courses``."""
        return self.courses

    def offered(self) -> Mapping[str, str]:
        """Return ID number -> full name of the visible courses."""
        return {course["idnumber"]: course["fullname"] for course in self.courses if course["visible"]}

    def channel_credentials(self) -> Mapping[str, str]:
        """Return a token that never expires."""
        return {"token": TOKEN}

    def channel_settings(self) -> Mapping[str, object]:
        """Return the category for new courses."""
        return {"category_id": min(self.category_ids)}

    def expire_tokens(self) -> None:
        """Expire all tokens. The next use of a token is rejected and deletes the token."""
        with self.lock:
            self.tokens = dict.fromkeys(self.tokens, self.clock() - 1)

    def reset(self) -> None:
        """Also clear courses and tokens. The published token becomes valid again."""
        with self.lock:
            super().reset()
            self.table = CourseTable()
            self.tokens = {TOKEN: None}

    def route(self, request: Request) -> Operation:
        """Return the operation of the request: the login page, a web service function, or a 404 page."""
        page = request.path.removeprefix(f"{self._base_path}/")
        parameters = read_parameters(request, max_input_vars=self.max_input_vars)
        if page == LOGIN_PAGE:
            return Operation(page, partial(self._open_page, request, partial(self._log_in, parameters)))
        if page == REST_PAGE:
            function = parameters.get("wsfunction")
            name = function if isinstance(function, str) and function else page
            serve = partial(self._open_page, request, partial(self._serve, parameters))
            if name == CREATE and self.sort_seconds_per_course:
                return Operation(name, partial(self._create_slowly, parameters, serve), takes_lock_itself=True)
            return Operation(name, serve)
        return Operation(request.path, partial(answers.html_page, "404 Not Found", status=404))

    @property
    def _base_path(self) -> str:
        return urlsplit(self.wwwroot or "").path

    def _create_slowly(self, parameters: PHPArray, serve: Callable[[], Response]) -> Response:
        try:
            with self.row_locks.lock_and_sort(self, self.table, parameters), self.lock:
                return serve()
        except errors.MoodleError as refusal:
            return answers.error(refusal, RestFormat.JSON, debug=self.debug)

    def _open_page(self, request: Request, run_page: Callable[[], Response]) -> Response:
        """Run the checks of Moodle's start-up (maintenance mode, ``wwwroot``), then the page."""
        if self.state is SiteState.CLI_MAINTENANCE:
            return answers.html_page("503 This site is undergoing maintenance", status=503)
        if self.wwwroot is not None and not f"{request.base_url}/".startswith(f"{self.wwwroot}/"):
            place = f"{self.wwwroot}{request.full_path.removeprefix(self._base_path).removesuffix('?')}"
            headers = {"Location": place, "X-Redirect-By": "Moodle"}
            return answers.html_page("Incorrect access detected", status=303, headers=headers)
        return run_page()

    def _log_in(self, parameters: PHPArray) -> Response:
        try:
            return json_response({"token": self._issue_token(parameters), "privatetoken": None})
        except errors.MoodleError as refusal:
            return answers.login_error(refusal)

    def _issue_token(self, parameters: PHPArray) -> str:
        """Return the account's newest valid token, or a new one."""
        self._refuse_when_down()
        if self.state is SiteState.WEB_SERVICES_OFF:
            raise errors.web_services_disabled()
        username, password, service = (_required(parameters, name) for name in ("username", "password", "service"))
        if self.suspended or username.strip().lower() != self.username.lower() or password != self.password:
            raise errors.login_failed()
        self._refuse_in_maintenance()
        if not self.service_enabled or service != self.service:
            raise errors.service_not_available()
        now = self.clock()
        self.tokens = {token: until for token, until in self.tokens.items() if until is None or until >= now}
        if not self.tokens:
            self._tokens_made += 1
            token = hashlib.sha256(f"token {self._tokens_made}".encode()).hexdigest()[: len(TOKEN)]
            self.tokens[token] = now + TOKEN_LIFETIME_SECONDS
        return list(self.tokens)[-1]

    def _serve(self, parameters: PHPArray) -> Response:
        if self.state is SiteState.WEB_SERVICES_OFF:
            return answers.empty_page(status=403)
        is_json = parameters.pop("moodlewsrestformat", None) == RestFormat.JSON
        rest_format = RestFormat.JSON if is_json else RestFormat.XML
        try:
            return answers.result(self._call_function(parameters), rest_format)
        except errors.MoodleError as refusal:
            return answers.error(refusal, rest_format, debug=self.debug)

    def _call_function(self, parameters: PHPArray) -> object:
        self._refuse_when_down()
        self._authenticate(parameters.pop("wstoken", None))
        function = self._find_function(parameters.pop("wsfunction", None), raw=_take_raw_setting(parameters))
        return function(parameters)

    def _refuse_when_down(self) -> None:
        if self.state is SiteState.DATABASE_DOWN:
            raise errors.database_down()
        if self.state is SiteState.UPGRADING:
            raise errors.upgrade_running()

    def _refuse_in_maintenance(self) -> None:
        if self.state is SiteState.WEB_MAINTENANCE and not self.is_admin:
            raise errors.site_maintenance()

    def _authenticate(self, token: object) -> None:
        if not isinstance(token, str) or token not in self.tokens:
            raise errors.invalid_token()
        valid_until = self.tokens[token]
        if valid_until is not None and valid_until < self.clock():
            del self.tokens[token]
            raise errors.access_denied()
        self._refuse_in_maintenance()
        if self.suspended:
            raise errors.user_suspended(self.username)
        if not self.may("webservice/rest:use"):
            raise errors.access_denied()

    def _find_function(self, name: object, *, raw: bool) -> Callable[[PHPArray], object]:
        editor = CourseEditor(site=self, table=self.table)
        finder = CourseFinder(site=self, table=self.table, raw=raw)
        functions: dict[object, Callable[[PHPArray], object]] = {
            CREATE: editor.create_courses,
            "core_course_update_courses": editor.update_courses,
            "core_course_delete_courses": editor.delete_courses,
            "core_course_get_courses": finder.get_courses,
            "core_course_get_courses_by_field": finder.get_courses_by_field,
            "core_webservice_get_site_info": self._site_info,
        }
        if not isinstance(name, str) or not name:
            raise errors.invalid_parameter(reason="Missing function name")
        if name not in functions:
            raise errors.record_not_found("external_functions")
        if not self.service_enabled or name not in self.functions:
            raise errors.access_denied()
        return functions[name]

    def _site_info(self, parameters: PHPArray) -> dict[str, object]:
        """Return the account and the functions of its service. Also works for a blocked account, as apps require."""
        validate(NoParameters, parameters)
        return {
            "sitename": "Sandbox site",
            "username": self.username,
            "userid": 2,
            "siteurl": self.wwwroot or "",
            "functions": [{"name": name, "version": "2024100706"} for name in sorted(self.functions)],
            "release": "4.5.6",
            "userissiteadmin": self.is_admin,
        }


def _required(parameters: PHPArray, name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str):
        raise errors.parameter_missing(name)
    return value


def _take_raw_setting(parameters: PHPArray) -> bool:
    """Remove the web service settings from ``parameters``, and return True if text stays raw.

    The functions would reject the settings as unknown keys.
    """
    raw = parameters.pop("moodlewssettingraw", "")
    for other in ("fileurl", "filter", "lang", "timezone"):
        parameters.pop(f"moodlewssetting{other}", None)
    return isinstance(raw, str) and raw.strip().lower() not in _FALSE_WORDS
