"""Courses at a Blackboard, and the page in each: found, created, updated and taken away.

A course's ``externalId`` is our content key. The page is a folder with one document. Learners never see a course that
has no page: it is created hidden, shown when its page is there, and its page is changed in place.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels.answers import read
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, OneByOneChannel
from enterprise_catalog.integrated_channels.channels.blackboard import access, transform
from enterprise_catalog.integrated_channels.channels.blackboard.api import API, Page
from enterprise_catalog.integrated_channels.channels.oauth import OAuthConsentingChannel
from enterprise_catalog.integrated_channels.channels.results import done, failed, gone
from enterprise_catalog.integrated_channels.channels.text import path_part
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError
from enterprise_catalog.integrated_channels.types import RateLimit, RemoteItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from enterprise_catalog.integrated_channels.http import Answer
    from enterprise_catalog.integrated_channels.types import ContentItem, ItemResult, Outgoing, Payload

COURSES: Final = "/learn/api/public/v3/courses"
#: Contents and tasks of courses are still where the first version of the API had them.
PARTS: Final = "/learn/api/public/v1/courses"

#: For each site, as a developer group has it at first; "Developer Groups, Site Quotas, and Rate Limits" of the vendor.
CALLS_PER_DAY: Final = 10_000

_DAY_SECONDS: Final = 24 * 60 * 60
_SHOWN: Final = {"availability": {"available": "Yes"}}
_HIDDEN: Final = {"availability": {"available": "No"}}
#: Web servers take these for something else in a path, however they are escaped.
_UNSAFE_IN_PATH: Final = frozenset("/\\;%")
_TASK_ID: Final = re.compile(r"/tasks/([^/?#]+)/?$")


class DeletePolicy(StrEnum):
    """What becomes of a course that leaves the catalogs; the first two are values of ``availability``."""

    NO = "No"
    DISABLED = "Disabled"
    DELETE = "Delete"


class BlackboardSettings(ChannelSettings):
    """What differs from one Blackboard site to the next."""

    course_view: transform.CourseView = Field(
        default=transform.CourseView.ULTRA, description="Ultra or Classic (Original); Ultra takes fewer HTML tags."
    )
    delete_policy: DeletePolicy = Field(
        default=DeletePolicy.NO, description="What courses that leave become: No (unavailable), Disabled, or deleted."
    )
    page_title: str = Field(
        default=transform.DEFAULT_PAGE_TITLE, min_length=1, max_length=255, description="The title of our page."
    )
    data_source_id: str = Field(
        default="", description="The data source of new courses, such as externalId:CATALOG; empty for the site's own."
    )
    calls_per_day: int = Field(
        default=CALLS_PER_DAY, ge=1, description="The most calls in 24 hours, as the site's contract has it."
    )
    parallel_calls: int = Field(default=4, ge=1, le=16, description="How many courses are worked on at a time.")
    deletion_checks: int = Field(
        default=5, ge=1, le=50, description="How often a real delete is asked whether it is done, before the next run."
    )


class _Availability(BaseModel):
    available: str = ""


class _Course(BaseModel):
    id: str = Field(min_length=1)
    externalId: str = ""  # noqa: N815  (Blackboard's names, here and below)
    name: str = ""
    availability: _Availability = _Availability()


class _Handler(BaseModel):
    id: str = ""


class _Content(BaseModel):
    id: str = Field(min_length=1)
    title: str = ""
    availability: _Availability = _Availability()
    contentHandler: _Handler = _Handler()  # noqa: N815


class Blackboard(OneByOneChannel[BlackboardSettings, access.BlackboardCredentials], OAuthConsentingChannel):
    """Blackboard Learn, Ultra or Original. A course takes four calls, whether it is created or updated."""

    code = "BLACKBOARD"
    label = "Blackboard Learn"
    max_key_length = transform.MAX_EXTERNAL_ID_LENGTH

    def prepare(self) -> None:
        policy = self.settings.delete_policy
        scopes = (*access.SCOPES, access.DELETE_SCOPE) if policy is DeletePolicy.DELETE else access.SCOPES
        self.consent = access.BlackboardConsent(self, scopes=scopes)
        self._api = API(self.client, self.consent.fetch_token)
        self.parallel_calls = self.settings.parallel_calls
        self.rate_limit = RateLimit(self.settings.calls_per_day, seconds=_DAY_SECONDS)

    def transform(self, item: ContentItem) -> Payload:
        return transform.to_course(item, view=self.settings.course_view, page_title=self.settings.page_title)

    def probe(self) -> Sequence[str]:
        """Read a course, and compare what Blackboard grants us with what the settings count on."""
        answer = self._found(self._api.send("GET", COURSES, params={"limit": "1", "fields": "id"}))
        read(Page[_Course], answer)
        mend = [f"The consent lacks {scope!r}: authorize again." for scope in self.consent.missing_scopes()]
        limit, remaining = (answer.headers.get(f"x-rate-limit-{name}", "") for name in ("limit", "remaining"))
        if limit.isdecimal() and int(limit) < self.settings.calls_per_day:
            mend.append(f"Blackboard takes {int(limit):,} calls; calls_per_day says {self.settings.calls_per_day:,}.")
        if remaining == "0":
            mend.append("Blackboard takes no more calls for now.")
        return mend

    def list_items(self) -> Iterator[RemoteItem]:
        """Yield each course of the site that we may see; the external ID of most others is their course ID."""
        for course in self._courses():
            if course.externalId:
                is_offered = course.availability.available not in ("No", "Disabled")
                fields = {"externalId": course.externalId, "name": course.name}
                yield RemoteItem(course.externalId, course.id, is_offered, course.name, fields)

    def find_item(self, key: str) -> str | None:
        """Ask for the course by its external ID.

        Of a key that no path may hold the courses that contain it are searched for: more calls, for few keys.
        """
        return self.chosen(key, [course.id for course in self._courses_with(key) if course.externalId == key])

    def create_item(self, item: Outgoing) -> ItemResult:
        """Create a course that is hidden, give it its page, and show it.

        A course ID or external ID that is taken is a refusal, after which the engine looks for the course.
        """
        fields = {name: value for name, value in item.payload.items() if name != "page"} | _HIDDEN
        if self.settings.data_source_id:
            fields["dataSourceId"] = self.settings.data_source_id
        taken = f"Blackboard has another course with the course ID {fields['courseId']!r} or the external ID"
        answer = self._api.send("POST", COURSES, json=fields, is_refused=f"{taken} {item.content_key!r}")
        course = read(_Course, self._found(answer)).id
        contents = _contents_of(course)
        self._add_document(contents, self._add_folder(contents, item), item)
        return self._change(course, item, _SHOWN)

    def update_item(self, item: Outgoing) -> ItemResult:
        """Make the page what it should be, then the course, which is shown."""
        if not self._make_page(_contents_of(item.remote_id), item):
            return _gone(item)
        # A course keeps its ID and its view.
        fields = {name: item.payload[name] for name in ("externalId", "name", "description")}
        return self._change(item.remote_id, item, fields | _SHOWN)

    def delete_item(self, item: Outgoing) -> ItemResult:
        if self.settings.delete_policy is DeletePolicy.DELETE:
            return self._delete(item)
        return self._change(item.remote_id, item, {"availability": {"available": self.settings.delete_policy.value}})

    # --- courses ----------------------------------------------------------------------------------------------------

    def _courses(self, **params: str) -> Iterator[_Course]:
        courses = self._api.listed(COURSES, Page[_Course], params=params)
        if courses is None:
            raise ConfigurationError(
                "This Blackboard has no such list of courses: it is older than 3900.", status_code=404
            )
        return courses

    def _courses_with(self, key: str) -> Iterable[_Course]:
        """Return the course that Blackboard finds by an external ID, or some of which one may be it."""
        fields = {"fields": "id,externalId"}
        if _UNSAFE_IN_PATH & set(key):
            return self._courses(externalId=key, **fields)
        answer = self._api.send("GET", f"{COURSES}/externalId:{path_part(key)}", params=fields)
        return [read(_Course, answer)] if answer else []

    def _change(self, course: str, item: Outgoing, fields: Payload) -> ItemResult:
        taken = f"Blackboard has another course with the external ID {item.content_key!r}"
        answer = self._api.send("PATCH", f"{COURSES}/{path_part(course)}", json=fields, is_refused=taken)
        if answer is None:
            return _gone(item)
        read(_Course, answer)
        return done(item, course)

    def _delete(self, item: Outgoing) -> ItemResult:
        """Delete a course for ever. Blackboard does it in a task of its own, which is asked a few times."""
        course = path_part(item.remote_id)
        answer = self._api.send("DELETE", f"{COURSES}/{course}")
        if answer is None:
            return _gone(item)
        # Only the task's id is taken from there: no other address is gone to.
        if task := _TASK_ID.search(answer.headers.get("location", "")):
            path = f"{PARTS}/{course}/tasks/{path_part(task[1])}"
            for _ in range(self.settings.deletion_checks):
                answer = self._api.send("GET", path)
                if answer is None:
                    break
                if answer.status_code == 303:
                    return done(item)
        # The next run's delete finds the course gone, or its task still under way.
        message = "Blackboard has begun to delete the course, and has not said yet that it is done."
        return failed(item, RetryableError(message, status_code=202))

    # --- the page of a course: a folder, and a document in it -------------------------------------------------------

    def _make_page(self, contents: str, item: Outgoing) -> bool:
        """Make the page what it should be, whatever there is of it; return whether there is such a course."""
        on_top = self._api.listed(contents, Page[_Content])
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
            page["document"], self._api.listed(f"{_part_of(contents, folder.id)}/children", Page[_Content]) or ()
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
        """Send a folder or a document, and return its id."""
        return read(_Content, self._found(self._api.send(method, path, json=fields))).id

    @staticmethod
    def _found(answer: Answer | None) -> Answer:
        if answer is None:
            raise RetryableError("What was worked on at Blackboard went away in the midst of it.", status_code=404)
        return answer


def _contents_of(course: str) -> str:
    return f"{PARTS}/{path_part(course)}/contents"


def _part_of(contents: str, part: str) -> str:
    return f"{contents}/{path_part(part)}"


def _like(payload: Payload, contents: Iterable[_Content]) -> _Content | None:
    """Return what has the title and the handler of ``payload``; the first one counts."""
    wanted = (payload["title"], payload["contentHandler"]["id"])
    return next((part for part in contents if (part.title, part.contentHandler.id) == wanted), None)


def _gone(item: Outgoing) -> ItemResult:
    return gone(item, message="Blackboard has no such course any more.")
