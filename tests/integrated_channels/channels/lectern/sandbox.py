"""A fake Lectern: courses in a dictionary, found, listed, created and changed over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug import Request, Response

API_KEY: Final = "lectern-api-key"
COURSES: Final = "/api/courses"
PAGE_SIZE: Final = 100
MAX_TITLE_LENGTH: Final = 120


@dataclass(kw_only=True, eq=False)
class LecternSandbox(SandboxApplication):
    """A Lectern site as a WSGI application."""

    courses: dict[int, dict[str, str]] = field(init=False, default_factory=dict)

    def route(self, request: Request) -> Operation:
        """Return the operation of a request. Its name is the path without the course's id."""
        fields = request.form.to_dict()
        if fields.pop("api_key", "") != API_KEY:
            return Operation("login", partial(json_response, {"error": "Unknown API key."}, status=401))
        match request.path.removeprefix(COURSES):
            case "":
                return Operation("create", partial(self._create, fields))
            case "/search":
                return Operation("search", partial(self._search, json.loads(fields["external_ids"])))
            case "/list":
                return Operation("list", partial(self._list, int(fields["page"])))
            case rest:
                return Operation("change", partial(self._change, int(rest.removeprefix("/")), fields))

    def _create(self, fields: dict[str, str]) -> Response:
        if len(fields["title"]) > MAX_TITLE_LENGTH:
            return json_response({"error": "title is too long"}, status=422)
        if any(course["external_id"] == fields["external_id"] for course in self.courses.values()):
            return json_response({"error": "external_id is taken"}, status=409)
        number = len(self.courses) + 1
        self.courses[number] = {"archived": "0", **fields}
        return json_response(self._record(number), status=201)

    def _change(self, number: int, fields: dict[str, str]) -> Response:
        if number not in self.courses:
            return json_response({"error": "no such course"}, status=404)
        self.courses[number] |= fields
        return json_response(self._record(number))

    def _search(self, external_ids: Sequence[str]) -> Response:
        found = [number for number, course in self.courses.items() if course["external_id"] in external_ids]
        return json_response([self._record(number) for number in found])

    def _list(self, page: int) -> Response:
        rest = list(self.courses)[(page - 1) * PAGE_SIZE :]
        next_page = page + 1 if len(rest) > PAGE_SIZE else None
        return json_response({"courses": [self._record(n) for n in rest[:PAGE_SIZE]], "next_page": next_page})

    def _record(self, number: int) -> dict[str, object]:
        return {"id": number, **self.courses[number]}

    def content(self) -> Sequence[Mapping[str, object]]:
        """Return every course, by ascending id."""
        return [self._record(number) for number in self.courses]

    def offered(self) -> Mapping[str, str]:
        """Return external id -> title of the courses that are not archived."""
        active = [course for course in self.courses.values() if course["archived"] == "0"]
        return {course["external_id"]: course["title"] for course in active}

    def channel_credentials(self) -> Mapping[str, str]:
        """Return the valid API key."""
        return {"api_key": API_KEY}

    def channel_settings(self) -> Mapping[str, object]:
        """Return no settings: the defaults are enough."""
        return {}

    def reset(self) -> None:
        """Also delete the courses."""
        with self.lock:
            super().reset()
            self.courses.clear()
