"""Cornerstone sandbox: a client that polls our feed of courses. It has no API for courses.

``poll`` makes one request to the feed. It authenticates with HTTP Basic, or first requests a token. It sends the start
time of the last successful poll as ``If-Modified-Since``; the first poll sends no such header. It stores each course
whose ``LastModifiedUTC`` is strictly later than that of the stored course. If the connection breaks, or the response is
not a list, the poll stores nothing and keeps the old start time.

``POST /_sandbox/poll`` with ``{"url": base URL of our service, "customer": UUID}`` polls over HTTP. It returns
``{"read": courses in the response, "taken": courses stored, "refused": [[id, reason], …]}``, or 502 if the poll fails.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from werkzeug import Response

from enterprise_catalog.sandbox.application import CONTROL_PREFIX, Operation, SandboxApplication, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug import Request

    from enterprise_catalog.sandbox.json_objects import JSONObject, PollReport

FEED: Final = "/integrated-channels/cornerstone/course-list"
TOKEN: Final = "/integrated-channels/cornerstone/token"

# Published; valid only in the sandbox.
USERNAME: Final = "cornerstone-sandbox"
PASSWORD: Final = "not-a-real-cornerstone-password"

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def _address(text: str) -> str:
    if urlsplit(text).scheme not in {"http", "https"}:
        raise ValueError("is no address")
    return text


_Address = Annotated[str, AfterValidator(_address)]


class _Partner(BaseModel):
    Name: str = Field(min_length=1, max_length=500)


class CourseEntry(BaseModel):
    """A valid feed entry. An invalid entry is rejected without affecting the rest of the feed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ID: str = Field(max_length=50, pattern=r"^[A-Za-z0-9_-]+$")
    Title: str = Field(min_length=1)
    Description: str = Field(min_length=1)
    URL: _Address
    Thumbnail: _Address | None = None
    IsActive: bool
    IsMobile: bool = False
    LastModifiedUTC: str = Field(pattern=_TIME.pattern)
    Duration: str | None = Field(default=None, pattern=r"^\d{2,}:\d\d:00$")
    Partners: list[_Partner] = Field(min_length=1)
    Languages: list[str] = Field(min_length=1)
    Subjects: list[str] = Field(default=[])


@dataclass(frozen=True, slots=True)
class Poll:
    """The result of a poll."""

    read: int  #: Number of courses in the response.
    taken: int  #: Number of courses stored.
    refused: list[tuple[str, str]]  #: ID and reason of each rejected course.


class PollFailedError(Exception):
    """The poll failed. The message contains the reason."""


@dataclass(kw_only=True, eq=False)
class CornerstoneSandbox(SandboxApplication):
    """A portal as a WSGI application with control pages only. Fields are knobs, and can be changed while it runs."""

    polls: ClassVar[bool] = True

    with_token: bool = False  #: Polls request a token first; ``False`` for HTTP Basic.
    sends_since: bool = True  #: Polls send ``If-Modified-Since``.
    skew_seconds: float = 0.0  #: Time by which the portal's clock is ahead of ours.
    breaks: int = 0  #: Number of further polls that break the connection in the middle of the response.
    count: int | None = None  #: Number of courses that a poll requests; ``None`` to send no ``count``.
    clock: Callable[[], float] = time.time  #: Epoch seconds.
    username: str = USERNAME
    password: str = PASSWORD
    courses: dict[str, CourseEntry] = field(init=False, default_factory=dict)  #: By ID.
    known_since: float | None = field(init=False, default=None)  #: Start of the last successful poll, in epoch seconds.

    def route(self, request: Request) -> Operation:
        return Operation(request.path, partial(Response, "This portal serves nothing.", status=404))

    def content(self) -> Sequence[Mapping[str, object]]:
        """Return every course by ascending ID, including retired courses."""
        return [self.courses[key].model_dump(exclude_none=True) for key in sorted(self.courses)]

    def offered(self) -> Mapping[str, str]:
        """Return content key -> title of the active courses."""
        return {content_key_of(course): course.Title for course in self.courses.values() if course.IsActive}

    def channel_credentials(self) -> Mapping[str, str]:
        """Return the credentials that the portal sends when it polls."""
        return {"username": self.username, "password": self.password}

    def channel_settings(self) -> Mapping[str, object]:
        """Return a sample mapping of subjects."""
        return {"subjects": {"Computer Science": "Technology"}}

    def reset(self) -> None:
        """Also clear courses and the time of the last poll."""
        with self.lock:
            super().reset()
            self.courses.clear()
            self.known_since = None

    def poll(self, client: httpx.Client, customer: str) -> Poll:
        """Poll the feed once.

        Args:
            client: its base URL is the URL of our service.
            customer: UUID of the customer.

        Raises:
            PollFailedError: the request failed, or the response is broken or not a list; nothing was stored.
        """
        began = self.clock() + self.skew_seconds
        with self.lock:
            self.calls["poll"] += 1
        headers = {"Authorization": self._authorization(client)}
        if self.sends_since and self.known_since is not None:
            headers["If-Modified-Since"] = formatdate(self.known_since, usegmt=True)
        asked = {"ciid": customer} | ({} if self.count is None else {"count": str(self.count)})
        entries = self._read(client, headers, asked)
        with self.lock:
            result = self._take(entries)
            self.known_since = began
        return result

    def _authorization(self, client: httpx.Client) -> str:
        basic = "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if not self.with_token:
            return basic
        answer = client.post(TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": basic})
        if answer.status_code != 200:
            raise PollFailedError(f"the token request returned {answer.status_code}: {answer.text[:200]}")
        return f"Bearer {answer.json()['access_token']}"

    def _read(self, client: httpx.Client, headers: Mapping[str, str], asked: Mapping[str, str]) -> list[JSONObject]:
        try:
            with client.stream("GET", FEED, params=asked, headers=headers) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise PollFailedError(f"{answer.status_code}: {answer.text[:200]}")
                content = self._receive(answer)
            entries = json.loads(content)
        except (httpx.HTTPError, ValueError) as error:
            raise PollFailedError(f"{type(error).__name__}: {error}") from error
        if not isinstance(entries, list):
            raise PollFailedError("the response is not a list")
        return entries

    def _receive(self, answer: httpx.Response) -> bytes:
        """Return the body. If ``breaks`` is above 0, break the connection after the first byte instead."""
        if not self.breaks:
            return answer.read()
        self.breaks -= 1
        next(answer.iter_raw(1), None)
        raise PollFailedError("the portal closed the connection")

    def _take(self, entries: Sequence[JSONObject]) -> Poll:
        taken, refused = 0, []
        for entry in entries:
            try:
                course = CourseEntry.model_validate(entry)
            except ValidationError as error:
                first = error.errors()[0]
                refused.append((str(entry.get("ID"))[:80], f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))
                continue
            known = self.courses.get(course.ID)
            if known is None or _moment(known) < _moment(course):
                self.courses[course.ID] = course
                taken += 1
        return Poll(len(entries), taken, refused)

    def _control(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", f"{CONTROL_PREFIX}poll"):
            return super()._control(request)
        asked = request.get_json()
        try:
            with httpx.Client(base_url=asked["url"], timeout=60, trust_env=False) as client:
                result = self.poll(client, asked["customer"])
        except PollFailedError as error:
            return json_response({"error": str(error)}, status=502)
        report: PollReport = {"read": result.read, "taken": result.taken, "refused": result.refused}
        return json_response(report)


def content_key_of(course: CourseEntry) -> str:
    """Return the content key from the course's enrollment URL; if the URL has none, return the course's ID."""
    address = urlsplit(course.URL)
    if run := parse_qs(address.query).get("course_run_key"):
        return run[0]
    _, found, key = address.path.rpartition("/course/")
    return unquote(key) if found and "enterprise" in address.netloc else course.ID


def _moment(course: CourseEntry) -> datetime:
    return datetime.strptime(course.LastModifiedUTC, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
