"""The calls of Lectern's course API: one course per call. Courses are archived instead of deleted."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

import orjson
from pydantic import BaseModel, Field, SecretStr

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, OneByOneChannel
from enterprise_catalog.integrated_channels.channels.protocols.paging import follow_pages
from enterprise_catalog.integrated_channels.channels.responses import read
from enterprise_catalog.integrated_channels.channels.results import done, gone, made_meanwhile
from enterprise_catalog.integrated_channels.domain import RateLimit, RemoteItem
from enterprise_catalog.integrated_channels.exceptions import RejectedError
from tests.integrated_channels.channels.lectern.transform import MAX_EXTERNAL_ID_LENGTH, to_course

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, ItemResult, Outgoing, Payload

T = TypeVar("T")

_COMPARED = {"title", "link", "description"}  #: Fields that drift checks compare.


class LecternSettings(ChannelSettings):
    """Settings of one Lectern site."""

    language: str = Field(default="en", description="Language of the courses, as a two-letter code.")


class LecternCredentials(ChannelSettings):
    """Credentials of an API account."""

    api_key: SecretStr = Field(description="API key of an account that may change courses.")


class _Course(BaseModel):
    id: int
    external_id: str
    archived: bool
    title: str
    link: str
    description: str


class _Page(BaseModel):
    courses: list[_Course]
    next_page: int | None


class Lectern(OneByOneChannel[LecternSettings, LecternCredentials]):
    """Lectern, by its course API."""

    code = "LECTERN"
    label = "Lectern"
    max_key_length = MAX_EXTERNAL_ID_LENGTH
    parallel_calls = 4  #: https://lectern.example.org/docs/limits
    rate_limit = RateLimit(calls=600, seconds=60)  #: Likewise.

    def transform(self, item: ContentItem) -> Payload:
        return {**to_course(item), "language": self.settings.language}

    def check_connection(self) -> Sequence[str]:
        self.find_item("no such key")
        return ()

    def find_item(self, key: str) -> str | None:
        found = self._call("/api/courses/search", {"external_ids": orjson.dumps([key]).decode()}, list[_Course])
        return self.choose(key, [str(course.id) for course in found if course.external_id == key])

    def create_item(self, item: Outgoing) -> ItemResult:
        try:
            return done(item, self._call("/api/courses", item.payload, _Course).id)
        except RejectedError as error:
            if error.status_code == 409 and item.may_be_there:  # Created after the lookup.
                return made_meanwhile(item, error, known_as="external ID")
            raise

    def update_item(self, item: Outgoing) -> ItemResult:
        return self._change(item, {**item.payload, "archived": "0"})

    def delete_item(self, item: Outgoing) -> ItemResult:
        return self._change(item, {"archived": "1"})

    def list_items(self) -> Iterator[RemoteItem]:
        for page in follow_pages(self._page, 1, attrgetter("next_page")):
            for course in page.courses:
                yield RemoteItem(
                    content_key=course.external_id,
                    remote_id=str(course.id),
                    is_offered=not course.archived,
                    title=course.title,
                    fields=course.model_dump(include=_COMPARED),
                )

    def _page(self, number: int) -> _Page:
        return self._call("/api/courses/list", {"page": str(number)}, _Page)

    def _change(self, item: Outgoing, fields: Mapping[str, str]) -> ItemResult:
        try:
            self._call(f"/api/courses/{item.remote_id}", fields, _Course)
        except RejectedError as error:
            if error.status_code != 404:
                raise
            return gone(item)
        return done(item)

    def _call(self, path: str, fields: Mapping[str, str], kind: type[T]) -> T:
        secret = {"api_key": self.credentials.api_key.get_secret_value()}
        return read(kind, self.client.send("POST", path, form={**fields, **secret}))
