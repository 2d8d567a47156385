"""Courses at a Canvas: found, created, updated, concluded or deleted. Their integration ID is our content key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter

from enterprise_catalog.integrated_channels.channels.answers import read
from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, ConsentingChannel, PushChannel
from enterprise_catalog.integrated_channels.channels.canvas.api import SCOPES, CanvasAPI, CanvasCredentials
from enterprise_catalog.integrated_channels.channels.canvas.transform import MAX_INTEGRATION_ID_LENGTH, to_course
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
)
from enterprise_catalog.integrated_channels.types import ItemResult, Outcome, RemoteItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.http import Answer, LMSClient
    from enterprise_catalog.integrated_channels.types import ContentItem, Outgoing, Payload

#: Keys that stand in a path as they are documented to. All others are sent in hexadecimal, which Canvas takes for old
#: clients' sake (source: lib/api.rb, ``sis_parse_id``): it drops spaces at the end of an ID, and ``.json``, and web
#: servers in front of it stumble over an encoded slash.
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_:+-]+")

#: Canvas leaves out deleted courses if it is not asked so, although they keep their integration IDs (source).
_DELETED_TOO: Final = {"include[]": "all_courses"}

#: What the person who consented has to be allowed to, and the permissions that allow it, by Canvas's version.
_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "add courses": ("manage_courses_add", "manage_courses"),
    "manage courses": ("manage_courses_admin", "manage_courses"),
    "publish courses": ("manage_courses_publish", "change_course_state"),
    "conclude courses": ("manage_courses_conclude", "change_course_state"),
    "read SIS data": ("read_sis", "manage_sis"),
}
_NEEDED_TO_DELETE: Final[Mapping[str, Sequence[str]]] = {
    "delete courses": ("manage_courses_delete", "change_course_state")
}


class CanvasSettings(ChannelSettings):
    """What differs from one Canvas to the next."""

    account_id: int | None = Field(
        default=None, ge=1, description="The account that new courses go into; without it, the root account."
    )
    delete_policy: Literal["conclude", "delete"] = Field(
        default="conclude",
        description="What is done to courses that leave the catalogs: concluding can be undone and keeps enrollments.",
    )
    is_public: bool = Field(default=True, description="Whether people who have not logged in may see the courses.")
    self_enrollment: bool = Field(default=True, description="Whether learners may enroll themselves.")
    indexed: bool = Field(default=True, description="Whether the courses are in the public index of courses.")
    default_view: Literal["syllabus", "feed", "modules", "assignments"] = Field(
        default="syllabus", description="The page that a course opens with; ours are in the syllabus."
    )
    enforces_scopes: bool = Field(
        default=False, description="Whether the developer key enforces scopes; consent then asks for those we need."
    )
    parallel_calls: int = Field(
        default=2, ge=1, le=8, description="The most calls at the same time; Canvas throttles each token by itself."
    )


class _Course(BaseModel):
    id: int
    workflow_state: str
    integration_id: str | None = None  #: Left out unless we may read SIS data.
    name: str | None = None
    course_code: str | None = None
    default_view: str | None = None


_COURSE: Final = TypeAdapter(_Course)
_COURSES: Final = TypeAdapter(list[_Course])
_FLAGS: Final = TypeAdapter(dict[str, bool])

_COURSES_PATH: Final = "/api/v1/courses"
_OFFERED: Final = "available"
_IMAGE: Final = "image_url"
#: Settings that are fields of every course.
_OF_EVERY_COURSE: Final = frozenset({"is_public", "self_enrollment", "indexed", "default_view"})


class Canvas(PushChannel[CanvasSettings, CanvasCredentials], ConsentingChannel):
    """Canvas, hosted or self-run. Courses are concluded instead of deleted unless the settings say otherwise."""

    code = "CANVAS"
    label = "Canvas"
    items_per_call = 1
    max_key_length = MAX_INTEGRATION_ID_LENGTH
    can_list = True
    settings_class = CanvasSettings
    credentials_class = CanvasCredentials

    def __init__(self, client: LMSClient, settings: CanvasSettings, credentials: CanvasCredentials) -> None:
        super().__init__(client, settings, credentials)
        self.parallel_calls = settings.parallel_calls
        self.api = CanvasAPI(client, credentials, parallel_calls=settings.parallel_calls)
        self._is_allowed = False  #: Whether it is known that nothing is missing in the account.
        #: ``self`` is Canvas's own word for the root account of an address (object_ids.md).
        self._account = f"/api/v1/accounts/{settings.account_id or 'self'}"

    def transform(self, item: ContentItem) -> Payload:
        return {**to_course(item), **self.settings.model_dump(include={*_OF_EVERY_COURSE})}

    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        scopes = SCOPES if self.settings.enforces_scopes else ()
        return self.api.authorization_url(redirect_uri=redirect_uri, state=state, scopes=scopes)

    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        return {"refresh_token": self.api.redeem(code, redirect_uri=redirect_uri)}

    def probe(self) -> Sequence[str]:
        """Look at the account, and at what the person who consented may do in it."""
        self._require_account(self.api.send("GET", self._account))
        needed = {**_NEEDED, **(_NEEDED_TO_DELETE if self.settings.delete_policy == "delete" else {})}
        asked = sorted({name for names in needed.values() for name in names})
        answer = self.api.send("GET", f"{self._account}/permissions", params={"permissions[]": asked})
        held = read(_FLAGS, self._require_account(answer))
        return [
            f"The person who authorized us may not {deed} in the account; needed is one of {', '.join(names)}."
            for deed, names in needed.items()
            if not any(held.get(name) for name in names)
        ]

    def list_items(self) -> Iterator[RemoteItem]:
        for page in self.api.pages(f"{self._account}/courses", {"state[]": "all"}):
            for course in read(_COURSES, self._require_account(page)):
                if key := self._key_of(course):
                    fields = course.model_dump(include={"name", "course_code", "integration_id", "default_view"})
                    is_offered = course.workflow_state == _OFFERED
                    yield RemoteItem(key, str(course.id), is_offered, course.name or "", fields)

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Look each key up by itself; deleted courses are found, too, since their integration IDs stay taken."""
        found = {}
        for key in keys:
            answer = self.api.send("GET", _path_of(key), params=_DELETED_TOO)
            if answer.status_code == 404:
                continue
            course = read(_COURSE, self._require_course(answer))
            if self._key_of(course) == key:
                found[key] = str(course.id)
        return found

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create and publish the course, then give it its image, which Canvas takes from updates only.

        If the image does not get there, the next run finds the course by its key and updates it with all it has.
        """
        [item] = items
        fields = {name: value for name, value in item.payload.items() if name != _IMAGE}
        answer = self.api.send("POST", f"{self._account}/courses", json={"course": fields, "offer": True})
        if answer.status_code == 400:
            return [self._not_created(item, answer)]
        course = self._read(item, self._require_account(answer))
        changes = {_IMAGE: item.payload[_IMAGE]} if _IMAGE in item.payload else {}
        if course.workflow_state != _OFFERED:
            changes["event"] = "offer"
        done = ItemResult(item.content_key, Outcome.DONE, remote_id=str(course.id))
        return [self._change(item, str(course.id), changes) if changes else done]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        [item] = items
        image = {} if _IMAGE in item.payload else {"remove_image": True}
        return [self._change(item, item.remote_id, {**item.payload, **image, "event": "offer"})]

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        [item] = items
        path, policy = f"{_COURSES_PATH}/{item.remote_id}", self.settings.delete_policy
        answer = self.api.send("DELETE", path, params={"event": policy})
        if answer.status_code >= 400 and self.api.send("GET", path).status_code == 404:
            # Never there, or deleted by somebody: Canvas shows no deleted course unless it is asked to.
            return [ItemResult(item.content_key, Outcome.GONE, status_code=answer.status_code)]
        if not read(_FLAGS, self._require_course(answer)).get(policy):
            raise RetryableError(f"Canvas does not say that it did {policy} the course: {answer.excerpt}")
        return [ItemResult(item.content_key, Outcome.DONE, remote_id=item.remote_id)]

    def _change(self, item: Outgoing, course_id: str, changes: Payload) -> ItemResult:
        path = f"{_COURSES_PATH}/{course_id}"
        answer = self.api.send("PUT", path, json={"course": changes})
        if answer.status_code in {400, 401, 403} and self._is_undeleted(path):
            answer = self.api.send("PUT", path, json={"course": changes})
        if answer.status_code == 404:
            return ItemResult(item.content_key, Outcome.GONE, status_code=404)
        if answer.status_code == 400:
            return self._rejected(item, self.api.refusal(answer), remote_id=course_id)
        course = self._read(item, self._require_course(answer))
        if course.workflow_state != _OFFERED:
            raise RetryableError(f"Canvas took the change, but the course {course.id} is {course.workflow_state}.")
        return ItemResult(item.content_key, Outcome.DONE, remote_id=str(course.id))

    def _is_undeleted(self, path: str) -> bool:
        """Recover the course if it was deleted, and return whether it was; it is then unpublished.

        Raises:
            RejectedError: it cannot be recovered.
        """
        answer = self.api.send("GET", path, params=_DELETED_TOO)
        if answer.status_code != 200 or read(_COURSE, answer).workflow_state != "deleted":
            return False
        self._require_course(self.api.send("PUT", path, json={"course": {"event": "undelete"}}))
        return True

    def _not_created(self, item: Outgoing, answer: Answer) -> ItemResult:
        """Return the refusal of a new course.

        Raises:
            RejectedError: its key may be taken, and nobody has looked yet; or by a course that we cannot see.
        """
        error = self.api.refusal(answer)
        if error.vendor_code and "integration_id" not in error.vendor_code:
            return self._rejected(item, error)
        if item.may_be_there and self.find([item.content_key]):
            reason = f"A course with the integration ID {item.content_key!r} was made after we had looked for it."
            return ItemResult(item.content_key, Outcome.RETRY, status_code=400, message=reason)
        raise error

    def _rejected(self, item: Outgoing, error: RejectedError, *, remote_id: str = "") -> ItemResult:
        return ItemResult(
            item.content_key,
            Outcome.REJECTED,
            remote_id=remote_id,
            status_code=error.status_code,
            vendor_code=error.vendor_code,
            message=error.message,
        )

    def _read(self, item: Outgoing, answer: Answer) -> _Course:
        """Return the course of an answer to a change.

        Raises:
            ConfigurationError: Canvas left the integration ID out; without it, each run would make a course more.
        """
        course = read(_COURSE, answer)
        if "integration_id" in course.model_fields_set and course.integration_id != item.content_key:
            raise ConfigurationError(
                f"Canvas gives the course {course.id} the integration ID {course.integration_id!r} instead of"
                f" {item.content_key!r}; may the person who authorized us manage SIS data?"
            )
        return course

    def _key_of(self, course: _Course) -> str:
        if "integration_id" not in course.model_fields_set:
            raise ConfigurationError(
                "Canvas does not show integration IDs, by which courses are recognized, to the person who authorized"
                " us; the permission 'SIS Data - read' is needed."
            )
        return course.integration_id or ""

    def _require_account(self, answer: Answer) -> Answer:
        """Return an answer about the account.

        Raises:
            CredentialsError, ConfigurationError, RejectedError: by what Canvas refuses.
        """
        match answer.status_code:
            case 401 | 403:
                told = f"The person who authorized us may not do this in the account of Canvas: {answer.excerpt}"
                raise CredentialsError(told, status_code=answer.status_code)
            case 404:
                account = self.settings.account_id or "that is the root account"
                raise ConfigurationError(f"There is no account {account} at the base URL.", status_code=404)
            case 400:
                raise self.api.refusal(answer)
        return answer

    def _require_course(self, answer: Answer) -> Answer:
        """Return an answer about one course.

        A refused right may be about this course, which somebody has moved, or about all of them: then the run stops.

        Raises:
            CredentialsError: what we need is not allowed in the whole account.
            RejectedError: Canvas refuses what was asked for, of this course.
        """
        if answer.status_code in {401, 403}:
            if not self._is_allowed:
                if mend := self.probe():
                    raise CredentialsError(" ".join(mend), status_code=answer.status_code)
                self._is_allowed = True
            told = f"The person who authorized us may not do this with this course of Canvas: {answer.excerpt}"
            raise RejectedError(told, status_code=answer.status_code)
        if answer.status_code == 404:
            raise RejectedError("Canvas no longer has the course.", status_code=404)
        if answer.status_code == 400:
            raise self.api.refusal(answer)
        return answer


def _path_of(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key):
        return f"{_COURSES_PATH}/sis_integration_id:{quote(key, safe='')}"
    return f"{_COURSES_PATH}/hex:sis_integration_id:{key.encode().hex()}"
