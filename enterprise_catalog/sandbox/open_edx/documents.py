"""The stored content of course-discovery, one record per course, course run, program, pathway or person.

A record is a content document as the catalog service stores it: the sandbox derives both forms of course-discovery,
the search result and the full document, from it. Runs nested in courses are content, too.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from enterprise_catalog.sandbox.open_edx.runs import Document

KINDS: Final = ("course", "courserun", "learnerpathway", "person", "program")
#: Kind and key of a record.
Name: TypeAlias = tuple[str, str]

_PERSONS: Final = ("Ada Okafor", "Ben Lindqvist")


class DocumentError(ValueError):
    """A document cannot be stored. The message contains the reason."""


@dataclass(frozen=True, slots=True)
class Record:
    """A stored document."""

    kind: str
    key: str  #: Of programs, pathways and persons: the UUID.
    document: Document
    changed_at: datetime

    @property
    def aggregation_key(self) -> str:
        """The key of the group: kind and key, and for course runs the course's key."""
        given = self.document.get("aggregation_key")
        if isinstance(given, str) and given:
            return given
        group = "+".join(self.key.rpartition(":")[2].split("+")[:2]) if self.kind == "courserun" else self.key
        return f"{self.kind}:{group}"


@dataclass(slots=True)
class Content:
    """Records by kind and key.

    Args:
        now: returns the current time, aware.
    """

    now: Callable[[], datetime]
    records: dict[Name, Record] = field(default_factory=dict)
    version: int = 0  #: Moves with every change.

    def put(self, documents: Iterable[Document]) -> None:
        """Store documents. Each replaces the record with its kind and key, unless they are equal.

        Raises:
            DocumentError: a document has no key, or an unknown kind. Nothing is stored then.
        """
        now = self.now()
        self.version += 1
        named = [(name_of(document), document) for document in documents]
        for name, document in named:
            old = self.records.get(name)
            if old is None or old.document != document:
                self.records[name] = Record(*name, document, now)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the records with these keys, of any kind."""
        gone = set(keys)
        self.version += 1
        self.records = {name: record for name, record in self.records.items() if record.key not in gone}

    def replace(self, documents: Iterable[Document]) -> None:
        """Store these documents and remove all others."""
        listed = list(documents)
        names = {name_of(document) for document in listed}
        self.put(listed)
        self.records = {name: self.records[name] for name in self.records if name in names}

    def of_kind(self, kind: str) -> list[Record]:
        """Return the records of one kind, sorted by key."""
        return sorted((record for record in self.records.values() if record.kind == kind), key=lambda each: each.key)

    def searchable(self) -> Iterator[Record]:
        """Yield all records, the runs that are only nested in a course, and two persons."""
        yield from self.records.values()
        for course in self.of_kind("course"):
            for run in course.document.get("course_runs") or []:
                if isinstance(run, dict) and run.get("key") and ("courserun", run["key"]) not in self.records:
                    document = {**_of_course(course.document), **run, "aggregation_key": f"courserun:{course.key}"}
                    yield Record("courserun", run["key"], document, course.changed_at)
        for name in _PERSONS:
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
            yield Record("person", key, {"uuid": key, "full_name": name}, self.now())


def read_lines(lines: Iterable[str]) -> list[Document]:
    """Return the documents of JSON Lines; empty lines are ignored.

    Raises:
        DocumentError: a line is not a JSON object with a key. The message contains the number of the line.
    """
    documents = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except ValueError as error:
            raise DocumentError(f"line {number}: not JSON: {error}") from None
        if not isinstance(document, dict):
            raise DocumentError(f"line {number}: not a JSON object")
        try:
            name_of(document)
        except DocumentError as error:
            raise DocumentError(f"line {number}: {error}") from None
        documents.append(document)
    return documents


def name_of(document: Document) -> Name:
    """Return the kind and the key of a document.

    Raises:
        DocumentError: no key, or an unknown kind.
    """
    kind = document.get("content_type") or str(document.get("aggregation_key", "")).partition(":")[0]
    if kind not in KINDS:
        raise DocumentError(f"the content type {kind!r} is not one of {', '.join(KINDS)}")
    member = "key" if kind in {"course", "courserun"} else "uuid"
    key = document.get(member)
    if not isinstance(key, str) or not key:
        raise DocumentError(f"a document of the kind {kind} has no {member}")
    return kind, key


def _of_course(course: Document) -> Document:
    """Return the members of a course that its runs share."""
    shared = ("short_description", "full_description", "level_type", "owners", "subjects", "skill_names", "image_url")
    return {name: course[name] for name in (*shared, "marketing_url", "partner") if name in course}
