"""A minimal LMS, in memory behind ``httpx.MockTransport``, and a channel for it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, PushChannel
from enterprise_catalog.integrated_channels.channels.responses import read
from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome
from enterprise_catalog.integrated_channels.lms.client import LMSClient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, Outgoing, Payload


@dataclass(slots=True)
class FakeCourse:
    """A course of the LMS."""

    key: str
    title: str
    is_shown: bool = True


@dataclass
class FakeLMS:
    """An LMS with ``/find``, ``/create``, ``/update`` and ``/delete``. Each takes a JSON list in one form field.

    A call with a refused key, or a create of an existing key, gets status 422 and changes nothing. Threads may call it.
    """

    courses: dict[str, FakeCourse] = field(default_factory=dict)  #: Keyed by their IDs in the LMS.
    refused: set[str] = field(default_factory=set)  #: Keys rejected by create, update and delete.
    unfindable: set[str] = field(default_factory=set)  #: Keys rejected by every call, including look-ups.
    omitted: set[str] = field(default_factory=set)  #: Keys missing from responses.
    extra_results: dict[str, str] = field(default_factory=dict)  #: Extra results, for keys that were not sent.
    vanishing: set[str] = field(default_factory=set)  #: Keys of courses that are removed after a look-up.
    #: Number of a request (from 1) -> status of its response. The request is not carried out.
    outages: dict[int, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)  #: Keyed by operation.
    made: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)  #: Held during a request.

    def put(self, *keys: str, title: str = "Theirs") -> list[str]:
        """Add courses to the LMS as if they had existed before. Return their IDs."""
        return [self._add({"key": key, "title": title}) for key in keys]

    @property
    def shown(self) -> dict[str, str]:
        """Key -> title of the courses that learners see."""
        return {course.key: course.title for course in self.courses.values() if course.is_shown}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            return self._respond(request)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/")
        items = json.loads(parse_qs(request.content.decode())["items"][0])
        self.calls[name] += 1
        if status := self.outages.get(self.calls.total()):
            return httpx.Response(status, text="out of order", headers={"Retry-After": "7"})
        keys = {item["key"] for item in items}
        if name == "create" and any(self._find(item) for item in items):
            return httpx.Response(422, text="one of these is there already")
        if keys & (self.unfindable if name == "find" else self.refused | self.unfindable):
            return httpx.Response(422, text="not these")
        answers = {item["key"]: getattr(self, f"_{name}")(item) for item in items}
        if name == "find":
            self.courses = {id_: course for id_, course in self.courses.items() if course.key not in self.vanishing}
        returned = {key: answer for key, answer in answers.items() if answer and key not in self.omitted}
        return httpx.Response(200, json=returned | self.extra_results)

    def _find(self, item: Mapping[str, str]) -> str:
        return next((id_ for id_, course in self.courses.items() if course.key == item["key"]), "")

    def _create(self, item: Mapping[str, str]) -> str:
        return self._add(item)

    def _update(self, item: Mapping[str, str]) -> str:
        if item["id"] not in self.courses:
            return "gone"
        self.courses[item["id"]] = FakeCourse(item["key"], item["title"])
        return "done"

    def _delete(self, item: Mapping[str, str]) -> str:
        if item["id"] not in self.courses:
            return "gone"
        self.courses[item["id"]].is_shown = False
        return "done"

    def _add(self, item: Mapping[str, str]) -> str:
        self.made += 1
        self.courses[f"id-{self.made}"] = FakeCourse(item["key"], item["title"])
        return f"id-{self.made}"


class FakeLMSChannel(PushChannel[ChannelSettings, ChannelSettings]):
    """The channel for a :class:`FakeLMS`."""

    code = "FAKE_LMS"
    label = "Fake LMS"
    items_per_call = 100
    max_key_length = 255
    settings_class = ChannelSettings
    credentials_class = ChannelSettings

    def __init__(self, fake_lms: FakeLMS) -> None:
        client = LMSClient("http://lms.test", transport=httpx.MockTransport(fake_lms))
        super().__init__(client, ChannelSettings(), ChannelSettings())

    def transform(self, item: ContentItem) -> Payload:
        return {"title": item.title}

    def check_connection(self) -> Sequence[str]:
        return ()

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        found: Mapping[str, str] = self._ask("find", [{"key": key} for key in keys])
        return found

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        ids = self._ask("create", [{"key": item.content_key, **item.payload} for item in items])
        return [ItemResult(key, Outcome.DONE, remote_id=remote_id) for key, remote_id in ids.items()]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._change("update", items)

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return self._change("delete", items)

    def _change(self, call: str, items: Iterable[Outgoing]) -> list[ItemResult]:
        sent = [{"key": item.content_key, "id": item.remote_id, **item.payload} for item in items]
        return [ItemResult(key, Outcome(word)) for key, word in self._ask(call, sent).items()]

    def _ask(self, call: str, items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        return read(dict[str, str], self.client.send("POST", f"/{call}", form={"items": json.dumps(items)}))
