"""Blackboard courses and their description pages: look-up, create, update, hide, delete, list.

A course's ``externalId`` is our content key. The page is a folder with one document. Learners never see a course
without its page: a course is created hidden and shown once its page exists. Updates change the page in place.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, OneByOneChannel
from enterprise_catalog.integrated_channels.channels.blackboard import auth, transform
from enterprise_catalog.integrated_channels.channels.blackboard.client import API, Page
from enterprise_catalog.integrated_channels.channels.content.text import path_part
from enterprise_catalog.integrated_channels.channels.protocols.oauth import OAuthConsentingChannel
from enterprise_catalog.integrated_channels.channels.responses import read
from enterprise_catalog.integrated_channels.channels.results import done, failed, gone
from enterprise_catalog.integrated_channels.domain import RateLimit, RemoteItem
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, ItemResult, Outgoing, Payload
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

COURSES: Final = "/learn/api/public/v3/courses"
#: Contents and tasks of courses are still in version 1 of the API.
PARTS: Final = "/learn/api/public/v1/courses"

#: Initial quota of a developer group per site; see the vendor's "Developer Groups, Site Quotas, and Rate Limits".
CALLS_PER_DAY: Final = 10_000

_DAY_SECONDS: Final = 24 * 60 * 60
_SHOWN: Final = {"availability": {"available": "Yes"}}
_HIDDEN: Final = {"availability": {"available": "No"}}
#: Characters that web servers misinterpret in a path even if they are escaped.
_UNSAFE_IN_PATH: Final = frozenset("/\\;%")
_TASK_ID: Final = re.compile(r"/tasks/([^/?#]+)/?$")


class DeletePolicy(StrEnum):
    """Treatment of a course that leaves the catalogs. ``No`` and ``Disabled`` are values of ``availability``."""

    NO = "No"
    DISABLED = "Disabled"
    DELETE = "Delete"


class BlackboardSettings(ChannelSettings):
    """Settings of one Blackboard site."""

    course_view: transform.CourseView = Field(
        default=transform.CourseView.ULTRA, description="Ultra or Classic (Original). Ultra accepts fewer HTML tags."
    )
    delete_policy: DeletePolicy = Field(
        default=DeletePolicy.NO,
        description="Treatment of courses that leave the catalogs: No (unavailable), Disabled, or Delete.",
    )
    page_title: str = Field(
        default=transform.DEFAULT_PAGE_TITLE,
        min_length=1,
        max_length=255,
        description="Title of the page that is added to each course.",
    )
    data_source_id: str = Field(
        default="", description="Data source of new courses, such as externalId:CATALOG; empty for the site's default."
    )
    calls_per_day: int = Field(
        default=CALLS_PER_DAY, ge=1, description="Maximum number of calls in 24 hours, as agreed for the site."
    )
    parallel_calls: int = Field(
        default=4, ge=1, le=16, description="Maximum number of courses that are processed at the same time."
    )
    deletion_checks: int = Field(
        default=5, ge=1, le=50, description="Maximum number of status checks per run after a real delete."
    )


class _Availability(BaseModel):
    available: str = ""


class _Course(BaseModel):
    id: str = Field(min_length=1)
    externalId: str = ""
    name: str = ""
    availability: _Availability = _Availability()


class _Handler(BaseModel):
    id: str = ""


class _Content(BaseModel):
    id: str = Field(min_length=1)
    title: str = ""
    availability: _Availability = _Availability()
    contentHandler: _Handler = _Handler()


class Blackboard(OneByOneChannel[BlackboardSettings, auth.BlackboardCredentials], OAuthConsentingChannel):
    """Blackboard Learn, Ultra or Original. A create and an update each take four calls."""

    code = "BLACKBOARD"
    label = "Blackboard Learn"
    max_key_length = transform.MAX_EXTERNAL_ID_LENGTH

    def prepare(self) -> None:
        policy = self.settings.delete_policy
        scopes = (*auth.SCOPES, auth.DELETE_SCOPE) if policy is DeletePolicy.DELETE else auth.SCOPES
        self.consent = auth.BlackboardConsent(self, scopes=scopes)
        self._api = API(self.client, self.consent.fetch_token)
        self.parallel_calls = self.settings.parallel_calls
        self.rate_limit = RateLimit(self.settings.calls_per_day, seconds=_DAY_SECONDS)

    def transform(self, item: ContentItem) -> Payload:
        return transform.to_course(item, view=self.settings.course_view, page_title=self.settings.page_title)

    def check_connection(self) -> Sequence[str]:
        """Read a course, and compare the granted scopes and rate limit with the settings."""
        response = self._require_found(self._api.send("GET", COURSES, params={"limit": "1", "fields": "id"}))
        read(Page[_Course], response)
        problems = [
            f"The consent lacks the scope {scope!r}. Authorize again." for scope in self.consent.missing_scopes()
        ]
        limit, remaining = (response.headers.get(f"x-rate-limit-{name}", "") for name in ("limit", "remaining"))
        if limit.isdecimal() and int(limit) < self.settings.calls_per_day:
            configured = f"calls_per_day is {self.settings.calls_per_day:,}"
            problems.append(f"{configured}, but Blackboard accepts only {int(limit):,}. Reduce calls_per_day.")
        if remaining == "0":
            problems.append("Blackboard's quota of calls is used up. Wait until Blackboard renews it.")
        return problems

    def list_items(self) -> Iterator[RemoteItem]:
        """Yield every course that the user may see. For most courses that are not ours, the key is the course ID."""
        for course in self._list_courses():
            if course.externalId:
                yield _remote_item(course.externalId, course)

    def look_up(self, key: str) -> RemoteItem | None:
        """Look up the course by its external ID.

        A key that is unsafe in a path is searched in the list of courses instead. This takes more calls, but few keys
        need it.
        """
        found = {course.id: course for course in self._find_courses(key) if course.externalId == key}
        remote_id = self.choose(key, found)
        return None if remote_id is None else _remote_item(key, found[remote_id])

    def create_item(self, item: Outgoing) -> ItemResult:
        """Create a hidden course, add its page, and show the course.

        Raises ``RejectedError`` if the course ID or external ID is taken. The engine then looks up the course.
        """
        fields = {name: value for name, value in item.payload.items() if name != "page"} | _HIDDEN
        if self.settings.data_source_id:
            fields["dataSourceId"] = self.settings.data_source_id
        taken = f"Another Blackboard course has the course ID {fields['courseId']!r} or the external ID"
        response = self._api.send("POST", COURSES, json=fields, is_refused=f"{taken} {item.content_key!r}")
        course = read(_Course, self._require_found(response)).id
        contents = _contents_of(course)
        self._add_document(contents, self._add_folder(contents, item), item)
        return self._change(course, item, _SHOWN)

    def update_item(self, item: Outgoing) -> ItemResult:
        """Update the page, then the course, and show the course."""
        if not self._make_page(_contents_of(item.remote_id), item):
            return _gone(item)
        # Course ID and view stay unchanged.
        fields = {name: item.payload[name] for name in ("externalId", "name", "description")}
        return self._change(item.remote_id, item, fields | _SHOWN)

    def delete_item(self, item: Outgoing) -> ItemResult:
        if self.settings.delete_policy is DeletePolicy.DELETE:
            return self._delete(item)
        return self._change(item.remote_id, item, {"availability": {"available": self.settings.delete_policy.value}})

    # --- courses ----------------------------------------------------------------------------------------------------

    def _list_courses(self, **params: str) -> Iterator[_Course]:
        courses = self._api.fetch_list(COURSES, Page[_Course], params=params)
        if courses is None:
            raise ConfigurationError(
                "Blackboard cannot list courses: it is older than version 3900. Upgrade it.", status_code=404
            )
        return courses

    def _find_courses(self, key: str) -> Iterable[_Course]:
        """Return candidates for an external ID: the course with this ID, or the courses whose ID contains it."""
        fields = {"fields": "id,externalId,name,availability"}
        if _UNSAFE_IN_PATH & set(key):
            return self._list_courses(externalId=key, **fields)
        response = self._api.send("GET", f"{COURSES}/externalId:{path_part(key)}", params=fields)
        return [read(_Course, response)] if response else []

    def _change(self, course: str, item: Outgoing, fields: Payload) -> ItemResult:
        taken = f"Another Blackboard course has the external ID {item.content_key!r}"
        response = self._api.send("PATCH", f"{COURSES}/{path_part(course)}", json=fields, is_refused=taken)
        if response is None:
            return _gone(item)
        read(_Course, response)
        return done(item, course)

    def _delete(self, item: Outgoing) -> ItemResult:
        """Delete a course permanently. Blackboard deletes in a background task, which is polled a few times."""
        course = path_part(item.remote_id)
        response = self._api.send("DELETE", f"{COURSES}/{course}")
        if response is None:
            return _gone(item)
        # Only the task's id is read from the header, so a request never goes to another host.
        if task := _TASK_ID.search(response.headers.get("location", "")):
            path = f"{PARTS}/{course}/tasks/{path_part(task[1])}"
            for _ in range(self.settings.deletion_checks):
                response = self._api.send("GET", path)
                if response is None:
                    break
                if response.status_code == 303:
                    return done(item)
        # The delete in the next run finds that the course is gone, or that the task is still running.
        message = "Blackboard is still deleting the course. The next sync checks again."
        return failed(item, RetryableError(message, status_code=202))

    # --- the page of a course: a folder with one document -----------------------------------------------------------

    def _make_page(self, contents: str, item: Outgoing) -> bool:
        """Create or update the page, and make it visible. Return ``False`` if the course does not exist."""
        on_top = self._api.fetch_list(contents, Page[_Content])
        if on_top is None:
            return False
        page = item.payload["page"]
        folder = _like(page["folder"], on_top)
        if folder is None:
            self._add_document(contents, self._add_folder(contents, item), item)
            return True
        if folder.availability.available not in ("Yes", ""):
            self._send_content("PATCH", _part_of(contents, folder.id), _SHOWN)
        document = _like(
            page["document"], self._api.fetch_list(f"{_part_of(contents, folder.id)}/children", Page[_Content]) or ()
        )
        if document is None:
            self._add_document(contents, folder.id, item)
        else:
            changes = {"title": page["document"]["title"], "body": page["document"]["body"], **_SHOWN}
            self._send_content("PATCH", _part_of(contents, document.id), changes)
        return True

    def _add_folder(self, contents: str, item: Outgoing) -> str:
        return self._send_content("POST", contents, {**item.payload["page"]["folder"], "position": 0, **_SHOWN})

    def _add_document(self, contents: str, folder: str, item: Outgoing) -> None:
        path = f"{_part_of(contents, folder)}/children"
        self._send_content("POST", path, {**item.payload["page"]["document"], **_SHOWN})

    def _send_content(self, method: str, path: str, fields: Payload) -> str:
        """Create or update a folder or document, and return its id."""
        return read(_Content, self._require_found(self._api.send(method, path, json=fields))).id

    @staticmethod
    def _require_found(response: LMSResponse | None) -> LMSResponse:
        if response is None:
            message = "Blackboard did not find the object of the call. It may have been deleted during the sync."
            raise RetryableError(message, status_code=404)
        return response


def _contents_of(course: str) -> str:
    return f"{PARTS}/{path_part(course)}/contents"


def _part_of(contents: str, part: str) -> str:
    return f"{contents}/{path_part(part)}"


def _like(payload: Payload, contents: Iterable[_Content]) -> _Content | None:
    """Return the first content with the title and handler of ``payload``; ``None`` if there is no such content."""
    wanted = (payload["title"], payload["contentHandler"]["id"])
    return next((part for part in contents if (part.title, part.contentHandler.id) == wanted), None)


def _gone(item: Outgoing) -> ItemResult:
    return gone(item, message="The course no longer exists in Blackboard.")


def _remote_item(key: str, course: _Course) -> RemoteItem:
    is_offered = course.availability.available not in ("No", "Disabled")
    return RemoteItem(key, course.id, is_offered, course.name, {"externalId": key, "name": course.name})
