"""Catalog readers over HTTP that record each response and its time."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.catalog.consistency import Answer, Kind, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from tests.processes import Site

#: Timeout of a request.
PATIENCE_SECONDS: Final = 60

#: Page size of a listing: one page holds all items.
PAGE_SIZE: Final = 1_000


@dataclass(slots=True)
class Reader:
    """Requests catalog data, conditionally once it has an ETag. Not thread-safe."""

    site: Site
    token: str
    client: httpx.Client = field(init=False)
    cached: dict[Question, tuple[str, Answer]] = field(default_factory=dict)  #: Question -> ETag and last response.

    def __post_init__(self) -> None:
        # One connection per request, so that any of the server's processes may handle it.
        headers = {"Authorization": f"JWT {self.token}", "Connection": "close"}
        base = f"http://127.0.0.1:{self.site.port}/api/v1/enterprise-catalogs/"
        self.client = httpx.Client(base_url=base, headers=headers, timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        self.client.close()

    def ask(self, question: Question, **headers: str) -> Answer:
        """Return the response. Any status other than 200 and 304 is an error."""
        request = self._request(question, headers)
        sent_at = time.monotonic()
        response = self.client.send(request)
        received_at = time.monotonic()
        if response.status_code == 304:
            etag, known = self.cached[question]
            # A compressed response has a weak ETag; a 304 may have a strong one.
            assert response.headers["ETag"].removeprefix("W/") == etag.removeprefix("W/")
            version, content = known.version, known.content
        else:
            body = response.raise_for_status().json()
            version, content = body["catalog_version"], _content_of(question.kind, body)
        answer = Answer(
            question=question,
            sent_at=sent_at,
            received_at=received_at,
            version=version,
            content=content,
            is_cached=response.status_code == 304,
        )
        if etag := response.headers.get("ETag"):
            self.cached[question] = etag, answer
        return answer

    def _request(self, question: Question, headers: Mapping[str, str]) -> httpx.Request:
        if question in self.cached:
            headers = {**headers, "If-None-Match": self.cached[question][0]}
        uuid, body = question.catalog, {"content_keys": question.keys}
        match question.kind:
            case Kind.DIFF:
                return self.client.build_request("POST", f"{uuid}/content-diff/", json=body, headers=headers)
            case Kind.DOCUMENTS:
                return self.client.build_request("POST", f"{uuid}/content-metadata/", json=body, headers=headers)
            case Kind.LISTING:
                url = f"{uuid}/content-metadata/?page_size={PAGE_SIZE}"
                return self.client.build_request("GET", url, headers=headers)
            case Kind.CATALOG:
                return self.client.build_request("GET", f"{uuid}/", headers=headers)


@dataclass(slots=True)
class Audience:
    """Readers in their own threads, each sending one request after another."""

    site: Site
    token: str
    choose: Callable[[random.Random], Question]  #: Returns the next question.
    answers: list[Answer] = field(default_factory=list)  #: Of all readers; grows while they run.
    is_over: threading.Event = field(default_factory=threading.Event)  #: Also set when a reader fails.

    @contextlib.contextmanager
    def asking(self, readers: int, *, seed: int) -> Iterator[None]:
        """Run the readers until the block ends; fail if any reader failed."""
        with ThreadPoolExecutor(readers) as pool:
            asked = [pool.submit(self._ask, random.Random(f"{seed} {number}")) for number in range(readers)]
            for each in asked:
                each.add_done_callback(lambda _: self.is_over.set())
            try:
                yield
            finally:
                self.is_over.set()
        for each in asked:
            each.result()

    def _ask(self, chance: random.Random) -> None:
        with Reader(self.site, self.token) as reader:
            while not self.is_over.is_set():
                self.answers.append(reader.ask(self.choose(chance)))


def _content_of(kind: Kind, body: Mapping[str, Any]) -> object:
    """Return the content of ``body`` in the form of :func:`~tests.catalog.consistency.true_answer`."""
    match kind:
        case Kind.DIFF:
            existing = [(each["content_key"], each["updated_at"]) for each in body["existing"]]
            return {"existing": existing, "to_create": body["to_create"], "to_delete": body["to_delete"]}
        case Kind.DOCUMENTS:
            missing = sorted(each["content_key"] for each in body["missing"])
            return {"results": _documents(body), "missing": missing}
        case Kind.LISTING:
            assert body["next"] is None
            return {"results": _documents(body)}
        case Kind.CATALOG:
            return {}


def _documents(body: Mapping[str, Any]) -> list[tuple[str, ...]]:
    fields = ("content_key", "content_last_modified", "title", "enrollment_url")
    return [tuple(document[name] for name in fields) for document in body["results"]]
