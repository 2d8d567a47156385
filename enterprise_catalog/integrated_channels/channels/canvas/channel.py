"""Canvas courses: look-up, create, update, conclude, delete, list. The integration ID is our content key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, Field

from enterprise_catalog.integrated_channels.channels import responses, results
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, OneByOneChannel
from enterprise_catalog.integrated_channels.channels.canvas import auth, client, transform
from enterprise_catalog.integrated_channels.channels.content import text
from enterprise_catalog.integrated_channels.channels.protocols import oauth
from enterprise_catalog.integrated_channels.domain import ContentItem, ItemResult, Outgoing, Payload, RemoteItem
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

#: Keys that can be used in a path in the documented form. All other keys are sent in hexadecimal, which Canvas supports
#: for old clients (source: lib/api.rb, ``sis_parse_id``). In the documented form, Canvas drops trailing spaces and
#: ``.json`` from an ID, and web servers in front of Canvas may mishandle an encoded slash.
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_:+-]+")

#: Includes deleted courses, which Canvas omits by default. They keep their integration IDs (source).
_DELETED_TOO: Final = {"include[]": "all_courses"}

#: Required ability -> permissions of the user who consented. One suffices; the names depend on Canvas's version.
_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "add courses": ("manage_courses_add", "manage_courses"),
    "manage courses": ("manage_courses_admin", "manage_courses"),
    "publish courses": ("manage_courses_publish", "change_course_state"),
    "read SIS data": ("read_sis", "manage_sis"),
}


class CanvasSettings(ChannelSettings):
    """Settings of one Canvas."""

    account_id: int | None = Field(default=None, ge=1, description="Account of new courses. Empty: the root account.")
    delete_policy: Literal["conclude", "delete"] = Field(
        default="conclude", description="Treatment of courses that leave the catalogs. Concluding keeps enrollments."
    )
    is_public: bool = Field(default=True, description="Show the courses to users who are not logged in.")
    self_enrollment: bool = Field(default=True, description="Let learners enroll themselves.")
    indexed: bool = Field(default=True, description="List the courses in the public course index.")
    default_view: Literal["syllabus", "feed", "modules", "assignments"] = Field(
        default="syllabus", description="Home page of each course. The content is in the syllabus."
    )
    enforces_scopes: bool = Field(default=False, description="Set to true if the developer key enforces scopes.")
    parallel_calls: int = Field(default=2, ge=1, le=client.MAX_PARALLEL_CALLS, description="Maximum of parallel calls.")


class _Course(BaseModel):
    id: int
    workflow_state: str
    integration_id: str | None = None  #: Missing if the user may not read SIS data.
    name: str | None = None
    course_code: str | None = None
    default_view: str | None = None


_COURSES_PATH: Final = "/api/v1/courses"
_OFFERED: Final = "available"
_IMAGE: Final = "image_url"
#: Settings that are sent as fields of every course.
_OF_EVERY_COURSE: Final = frozenset({"is_public", "self_enrollment", "indexed", "default_view"})


class Canvas(OneByOneChannel[CanvasSettings, auth.CanvasCredentials], oauth.OAuthConsentingChannel):
    """Canvas, hosted or self-hosted. By default, courses are concluded instead of deleted."""

    code = "CANVAS"
    label = "Canvas"
    max_key_length = transform.MAX_INTEGRATION_ID_LENGTH

    def prepare(self) -> None:
        self.parallel_calls = self.settings.parallel_calls
        self.consent = auth.CanvasConsent(self, scopes=auth.SCOPES if self.settings.enforces_scopes else ())
        self.api = client.CanvasAPI(self.client, self.consent.fetch_token, parallel_calls=self.parallel_calls)
        self._is_allowed = False  #: ``True`` once a check has found no missing permission in the account.
        #: ``self`` is Canvas's alias for the root account of the domain (object_ids.md).
        self._account = f"/api/v1/accounts/{self.settings.account_id or 'self'}"

    def transform(self, item: ContentItem) -> Payload:
        return {**transform.to_course(item), **self.settings.model_dump(include={*_OF_EVERY_COURSE})}

    def check_connection(self) -> Sequence[str]:
        """Check that the account exists, and that the user who consented has all required permissions in it."""
        self._require_account(self.api.send("GET", self._account))
        policy = self.settings.delete_policy
        needed = {**_NEEDED, f"{policy} courses": (f"manage_courses_{policy}", "change_course_state")}
        asked = sorted({name for names in needed.values() for name in names})
        response = self.api.send("GET", f"{self._account}/permissions", params={"permissions[]": asked})
        held = responses.read(dict[str, bool], self._require_account(response))
        return [
            f"The user who authorized this configuration may not {deed} in the account."
            f" Grant one of these permissions: {', '.join(names)}."
            for deed, names in needed.items()
            if not any(held.get(name) for name in names)
        ]

    def list_items(self) -> Iterator[RemoteItem]:
        for page in self.api.fetch_pages(f"{self._account}/courses", {"state[]": "all", "per_page": client.PER_PAGE}):
            courses = responses.read(list[_Course], self._require_account(page))
            yield from (_remote_item(key, course) for course in courses if (key := self._key_of(course)))

    def look_up(self, key: str) -> RemoteItem | None:
        """Look up the key. Also finds deleted courses, because they keep their integration IDs."""
        response = self.api.send("GET", _path_of(key), params=_DELETED_TOO)
        if response.status_code == 404:
            return None
        course = responses.read(_Course, self._require_course(response))
        return _remote_item(key, course) if self._key_of(course) == key else None

    def create_item(self, item: Outgoing) -> ItemResult:
        """Create and publish the course, then set its image with an update, because creates do not accept one.

        If setting the image fails, the next run finds the course by its key and updates it completely.
        """
        fields = {name: value for name, value in item.payload.items() if name != _IMAGE}
        response = self.api.send("POST", f"{self._account}/courses", json={"course": fields, "offer": True})
        if response.status_code == 400 and item.may_be_there:
            named, reason = self.client.explained(response, client.explain)
            if "integration_id" in named:
                # The course was created after our look-up, or the look-up used a stale database replica (source).
                message = f"Canvas has the course, although the look-up did not find it: {reason}"
                raise RetryableError(message, status_code=400)
        course = self._read(item, self._require_account(response))
        changes = {_IMAGE: item.payload[_IMAGE]} if _IMAGE in item.payload else {}
        if course.workflow_state != _OFFERED:
            changes["event"] = "offer"
        return self._change(item, str(course.id), changes) if changes else results.done(item, course.id)

    def update_item(self, item: Outgoing) -> ItemResult:
        image = {} if _IMAGE in item.payload else {"remove_image": True}
        return self._change(item, item.remote_id, {**item.payload, **image, "event": "offer"})

    def delete_item(self, item: Outgoing) -> ItemResult:
        path, policy = f"{_COURSES_PATH}/{item.remote_id}", self.settings.delete_policy
        response = self.api.send("DELETE", path, params={"event": policy})
        if response.status_code >= 400 and self.api.send("GET", path).status_code == 404:
            # The course never existed or has been deleted: by default, Canvas does not return deleted courses.
            return results.gone(item, response.status_code)
        if not responses.read(dict[str, bool], self._require_course(response)).get(policy):
            raise RetryableError(f"Canvas did not confirm the event {policy!r} of the course: {response.excerpt}")
        return results.done(item)

    def _change(self, item: Outgoing, course_id: str, changes: Payload) -> ItemResult:
        path = f"{_COURSES_PATH}/{course_id}"
        response = self.api.send("PUT", path, json={"course": changes})
        if response.status_code in {400, 401, 403} and self._is_undeleted(path):
            response = self.api.send("PUT", path, json={"course": changes})
        if response.status_code == 404:
            return results.gone(item)
        course = self._read(item, self._require_course(response))
        if course.workflow_state != _OFFERED:
            raise RetryableError(f"Canvas accepted the change, but course {course.id} is {course.workflow_state}.")
        return results.done(item, course.id)

    def _is_undeleted(self, path: str) -> bool:
        """Restore a deleted course. Return ``False`` if it was not deleted. A restored course is unpublished.

        Raises:
            RejectedError: Canvas cannot restore the course.
        """
        response = self.api.send("GET", path, params=_DELETED_TOO)
        if response.status_code != 200 or responses.read(_Course, response).workflow_state != "deleted":
            return False
        self._require_course(self.api.send("PUT", path, json={"course": {"event": "undelete"}}))
        return True

    def _read(self, item: Outgoing, response: LMSResponse) -> _Course:
        """Parse the course in the response to a change.

        Raises:
            ConfigurationError: Canvas has not stored the integration ID. Every run would create another course.
        """
        course = responses.read(_Course, response)
        if "integration_id" in course.model_fields_set and course.integration_id != item.content_key:
            wrong = f"Canvas stored course {course.id} with the integration ID {course.integration_id!r}"
            remedy = "Grant the user who authorized this configuration the permission to manage SIS data."
            raise ConfigurationError(f"{wrong} instead of {item.content_key!r}. {remedy}")
        return course

    def _key_of(self, course: _Course) -> str:
        if "integration_id" not in course.model_fields_set:
            remedy = "Grant the user who authorized this configuration the permission 'SIS Data - read'."
            raise ConfigurationError(f"Canvas does not return integration IDs, which identify the courses. {remedy}")
        return course.integration_id or ""

    def _require_account(self, response: LMSResponse) -> LMSResponse:
        """Return the response to a request about the account if it is not an error.

        Raises:
            CredentialsError: the user lacks a permission.
            ConfigurationError: the account does not exist.
            RejectedError: any other error status.
        """
        if response.status_code == 404:
            message = f"Canvas has no account {self._account}. Check account_id and the base URL."
            raise ConfigurationError(message, status_code=404)
        return self.api.require(response, where="in the Canvas account", forbidden=CredentialsError)

    def _require_course(self, response: LMSResponse) -> LMSResponse:
        """Return the response to a request about one course if it is not an error.

        A missing permission may concern only this course, for example if it was moved, or the whole account. The
        permissions in the account are therefore checked. If one is missing there, the run stops.

        Raises:
            CredentialsError: the user lacks a required permission in the account.
            RejectedError: Canvas rejects the request for this course.
        """
        if response.status_code in client.FORBIDDEN and not self._is_allowed:
            if problems := self.check_connection():
                raise CredentialsError(" ".join(problems), status_code=response.status_code)
            self._is_allowed = True
        return self.api.require(response, where="for this Canvas course")


def _path_of(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key):
        return f"{_COURSES_PATH}/sis_integration_id:{text.path_part(key)}"
    return f"{_COURSES_PATH}/hex:sis_integration_id:{key.encode().hex()}"


def _remote_item(key: str, course: _Course) -> RemoteItem:
    fields = course.model_dump(include={"name", "course_code", "integration_id", "default_view"})
    return RemoteItem(key, str(course.id), course.workflow_state == _OFFERED, course.name or "", fields)
