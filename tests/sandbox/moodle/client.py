"""A client for the sandbox Moodle: sends form fields, returns JSON as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from enterprise_catalog.sandbox.moodle.settings import PASSWORD, SERVICE, SUFFICIENT_CAPABILITIES, TOKEN, USERNAME
from enterprise_catalog.sandbox.moodle.web_service import LOGIN_PAGE, REST_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

MOODLE = "core\\exception\\moodle_exception"
INVALID_TOKEN = {"exception": MOODLE, "errorcode": "invalidtoken", "message": "Invalid token - token not found"}
INVALID_PARAMETER = {
    "exception": "core\\exception\\invalid_parameter_exception",
    "errorcode": "invalidparameter",
    "message": "Invalid parameter value detected",
}


class MoodleClient:
    """Calls ``sandbox`` in-process, without following redirects."""

    def __init__(self, sandbox: MoodleSandbox, *, base_url: str = "http://moodle.test") -> None:
        self.http = httpx.Client(transport=httpx.WSGITransport(app=sandbox), base_url=base_url)

    def log_in(self, **fields: str) -> Any:
        """Request a token; ``fields`` replace the valid form fields."""
        asked = {"service": SERVICE, "username": USERNAME, "password": PASSWORD, **fields}
        return self.http.post(f"/{LOGIN_PAGE}", data=asked).json()

    def post(self, fields: Mapping[str, str]) -> httpx.Response:
        """Post ``fields`` to the REST server as they are."""
        return self.http.post(f"/{REST_PAGE}", data=dict(fields))

    def call(self, function: str, fields: Mapping[str, str] | None = None) -> Any:
        """Call ``function`` with the published token and return the JSON response."""
        return self.post({**(fields or {}), **control(function)}).json()

    def create(self, *courses: Mapping[str, str]) -> Any:
        """Create ``courses``; missing required fields get default values."""
        return self.call("core_course_create_courses", numbered(*({**new_course(), **course} for course in courses)))

    def update(self, *courses: Mapping[str, str]) -> Any:
        """Update ``courses``; each needs its id."""
        return self.call("core_course_update_courses", numbered(*courses))

    def delete(self, *ids: int) -> Any:
        """Delete the courses with ``ids``."""
        return self.call("core_course_delete_courses", {f"courseids[{i}]": str(id_) for i, id_ in enumerate(ids)})

    def find(self, field: str, value: str) -> Any:
        """Look up courses by a field."""
        return self.call("core_course_get_courses_by_field", {"field": field, "value": value})

    def found_ids(self, field: str, value: str) -> list[int]:
        """Return the ids of the courses found by a field."""
        return [course["id"] for course in self.find(field, value)["courses"]]


def control(function: str, *, token: str = TOKEN) -> dict[str, str]:
    """Return the fields that every call needs. Send them last: a request that PHP truncates then fails as a whole."""
    return {"wstoken": token, "wsfunction": function, "moodlewsrestformat": "json"}


def new_course() -> dict[str, str]:
    """Return the required fields of a new course."""
    return {"fullname": "Data for All", "shortname": "Data for All (DATA101)", "categoryid": "1"}


def numbered(*courses: Mapping[str, str]) -> dict[str, str]:
    """Return ``courses`` as ``courses[0][fullname]`` and so on."""
    return {f"courses[{i}][{name}]": value for i, course in enumerate(courses) for name, value in course.items()}


def without(*capabilities: str) -> frozenset[str]:
    """Return the account's capabilities without the given ``moodle/course:`` capabilities."""
    return SUFFICIENT_CAPABILITIES - {f"moodle/course:{capability}" for capability in capabilities}


def codes(reply: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[tuple[int, str]]:
    """Return id and code of each warning in a reply."""
    return [(warning["itemid"], warning["warningcode"]) for warning in reply["warnings"]]
