"""Degreed courses: look-up, create, update, retire, list. A course's ``external-id`` is our content key.

A course takes two calls: one for the course, one for its skills. If the second call fails, the course stays. The item's
result contains the error and the course's id. When the item is next due, an update repeats both calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.base import OneByOneChannel
from enterprise_catalog.integrated_channels.channels.content.text import path_part
from enterprise_catalog.integrated_channels.channels.degreed import auth, transform
from enterprise_catalog.integrated_channels.channels.fields import CallsPerMinute, TokenBaseURL, rate_limit
from enterprise_catalog.integrated_channels.channels.protocols import json_api
from enterprise_catalog.integrated_channels.channels.results import done, failed, gone, made_meanwhile
from enterprise_catalog.integrated_channels.domain import RemoteItem
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, ItemResult, Outgoing, Payload
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

CONTENT: Final = "/api/v2/content"
COURSES: Final = f"{CONTENT}/courses"

#: https://developer.degreed.com/docs/rate-limiting; reportedly 200 since June 2026.
CALLS_PER_MINUTE: Final = 70
MOST_LISTED: Final = "100"  #: Page size (``limit``); the maximum according to a client library (unverified).

_GONE: Final = frozenset({404, 410})
#: Statuses for a write to a nonexistent id, if our key has the permission to write.
_HARMLESS: Final = frozenset({400, 404, 409, 410, 422})
_NO_SUCH_ID: Final = "no-such-course-of-the-enterprise-catalog"


class DegreedSettings(transform.CourseSettings):
    """Settings of one Degreed organization."""

    token_base_url: TokenBaseURL = ""  #: ``https://degreed.com`` for the base URL ``https://api.degreed.com``.
    scope: str = Field(
        default="content:read,content:write", min_length=1, description="Scopes to request, separated by commas."
    )
    delete_policy: Literal["obsolete", "delete"] = Field(
        default="obsolete",
        description="Treatment of courses that leave the catalogs: hidden as obsolete, or deleted permanently.",
    )
    skill_type: str = Field(default="skills", min_length=1, description="JSON:API type of skills (unverified).")
    calls_per_minute: CallsPerMinute = CALLS_PER_MINUTE
    parallel_calls: int = Field(default=2, ge=1, le=8, description="Maximum number of calls at the same time.")


class Degreed(OneByOneChannel[DegreedSettings, auth.DegreedCredentials]):
    """Degreed. By default, courses are marked as obsolete instead of deleted."""

    code = "DEGREED2"
    label = "Degreed"
    max_key_length = transform.MAX_EXTERNAL_ID_LENGTH

    def prepare(self) -> None:
        self.parallel_calls = self.settings.parallel_calls
        self.rate_limit = rate_limit(self.settings.calls_per_minute)
        self.api = json_api.JSONAPIClient(self.client, self._fetch_token, media_type=auth.MEDIA_TYPE)

    def _fetch_token(self) -> str:
        token_client = self.client.at(self.settings.token_base_url or self.client.base_url)
        return auth.fetch_token(token_client, self.credentials, scope=self.settings.scope)

    def transform(self, item: ContentItem) -> Payload:
        return transform.to_course(item, self.settings)

    def check_connection(self) -> Sequence[str]:
        """Check that the API key can read and write: look up, and then write to, a course that does not exist."""
        self.find([_NO_SUCH_ID])
        problems = []
        data = {"type": "content/courses", "id": _NO_SUCH_ID, "attributes": {"obsolete": True}}
        if self._is_forbidden(_path(_NO_SUCH_ID), data):
            problems.append("The API key may not write content. Grant it the scope content:write.")
        if self.settings.send_skills and self._is_forbidden(_skills_path(_NO_SUCH_ID), []):
            problems.append("The API key may not set skills. Grant it this permission, or set send_skills to false.")
        return problems

    def list_items(self) -> Iterator[RemoteItem]:
        """Yield the courses that Degreed lists. Its list omits obsolete courses."""
        for course in self.api.fetch_resources(COURSES, {"limit": MOST_LISTED}):
            key = course.attributes.get("external-id")
            if isinstance(key, str) and key:
                yield _remote_item(key, course)

    def look_up(self, key: str) -> RemoteItem | None:
        """Look up the key. Ignores courses that the filter returns with another ``external-id``."""
        courses = self.api.fetch_resources(COURSES, {"filter[external_id]": key})
        found = {course.id: course for course in courses if course.attributes.get("external-id") == key}
        remote_id = self.choose(key, found)
        return None if remote_id is None else _remote_item(key, found[remote_id])

    def create_item(self, item: Outgoing) -> ItemResult:
        """Create a course. Degreed rejects an ``external-id`` or ``url`` of an existing course, obsolete or not."""
        try:
            course = json_api.one_resource(self.api.send("POST", COURSES, data=_document(item)))
        except RejectedError as error:
            if error.status_code != 409:
                raise
            # If ``may_be_there`` is false, the engine looks up the key after this error.
            if item.may_be_there and self.find_item(item.content_key):
                return made_meanwhile(item, error, known_as="external-id")
            raise _clash(item, error) from error
        returned_key = course.attributes.get("external-id")
        if returned_key != item.content_key:
            raise RetryableError(
                f"The course {item.content_key!r} was sent, but Degreed's response is about {returned_key!r}."
            )
        return self._with_skills(item, course.id) if item.payload.get(transform.SKILLS) else done(item, course.id)

    def update_item(self, item: Outgoing) -> ItemResult:
        try:
            response = self._patch(item, _document(item))
        except RejectedError as error:
            if error.status_code != 409:
                raise
            raise _clash(item, error) from error
        if response.status_code in _GONE:
            return gone(item, response.status_code)
        return self._with_skills(item, item.remote_id) if transform.SKILLS in item.payload else done(item)

    def delete_item(self, item: Outgoing) -> ItemResult:
        if self.settings.delete_policy == "delete":
            response = self.api.send("DELETE", _path(item.remote_id), accept=_GONE)
            if response.status_code not in _GONE and response.content.strip():
                response.json()  # Raises for the HTML page of a proxy: then nothing was deleted.
        else:
            response = self._patch(item, _document(item, is_obsolete=True))
        return gone(item, response.status_code) if response.status_code in _GONE else done(item)

    def _patch(self, item: Outgoing, data: Mapping[str, object]) -> LMSResponse:
        response = self.api.send("PATCH", _path(item.remote_id), data=data, accept=_GONE)
        if response.status_code not in _GONE and (returned_id := json_api.one_resource(response).id) != item.remote_id:
            raise RetryableError(
                f"The course {item.remote_id} was sent, but Degreed's response is about {returned_id}."
            )
        return response

    def _with_skills(self, item: Outgoing, remote_id: str) -> ItemResult:
        """Replace the skills of a course that is otherwise up to date, and return the result for the item.

        A missing permission to set skills fails only this item. The run continues with the next course.
        """
        data = [{"type": self.settings.skill_type, "id": skill} for skill in item.payload[transform.SKILLS]]
        try:
            response = self.api.send("PATCH", _skills_path(remote_id), data=data, accept={403})
        except (RejectedError, RetryableError) as error:
            return failed(item, error, remote_id=remote_id, message=_but_for_skills(error.message))
        if response.status_code == 403:
            code, detail = self.client.explained(response, json_api.explain)
            reason = f"the API key may not set skills. Grant it this permission, or set send_skills to false. {detail}"
            refusal = RejectedError(_but_for_skills(reason), status_code=403, vendor_code=code)
            return failed(item, refusal, remote_id=remote_id)
        return done(item, remote_id)

    def _is_forbidden(self, path: str, data: object) -> bool:
        return self.api.send("PATCH", path, data=data, accept={403, *_HARMLESS}).status_code == 403


def _path(remote_id: str) -> str:
    return f"{COURSES}/{path_part(remote_id)}"


def _skills_path(remote_id: str) -> str:
    return f"{CONTENT}/{path_part(remote_id)}/relationships/skills"


def _document(item: Outgoing, *, is_obsolete: bool = False) -> Mapping[str, object]:
    attributes = {name: value for name, value in item.payload.items() if name != transform.SKILLS} | {
        "obsolete": is_obsolete
    }
    identity = {"id": item.remote_id} if item.remote_id else {}
    return {"type": "content/courses", **identity, "attributes": attributes}


def _clash(item: Outgoing, error: RejectedError) -> RejectedError:
    """Return the error for a ``url`` that another course has.

    The conflict cannot be about the ``external-id``: it was looked up, or belongs to this course.
    """
    url = item.payload["url"]
    remedy = "" if item.remote_id else f", or change its external-id to {item.content_key!r}"
    message = (
        f"Another course in Degreed has the url {url}. It has another external-id, or is not visible to the API key."
        f" Delete that course{remedy}. {error.message}"
    )
    return RejectedError(message, status_code=error.status_code, vendor_code=error.vendor_code)


def _but_for_skills(reason: str) -> str:
    return f"The course in Degreed is up to date, except for its skills: {reason}"


def _remote_item(key: str, course: json_api.Resource) -> RemoteItem:
    is_offered, title = not course.attributes.get("obsolete"), course.attributes.get("title")
    return RemoteItem(key, course.id, is_offered, str(title or ""), course.attributes)
