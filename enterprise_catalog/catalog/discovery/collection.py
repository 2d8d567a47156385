"""Collects what a query's filter finds: writes nothing to the database.

The documents go into a temporary file. Memory holds the keys, and one page of results: a query may have any size.
Full documents are read only of items that are new, or whose search result changed, or that course-discovery has saved
since the last refresh. An hour is added to that time, because clocks differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import IO, TYPE_CHECKING, Final

from enterprise_catalog.catalog.discovery import documents
from enterprise_catalog.catalog.discovery.documents import SearchResult, UnusableResultError, read_result
from enterprise_catalog.catalog.discovery.nested import Nested, nested_in
from enterprise_catalog.catalog.discovery.restricted_runs import RestrictedContent, read_restricted
from enterprise_catalog.catalog.discovery.reviews import read_reviews
from enterprise_catalog.catalog.documents import DocumentError
from enterprise_catalog.catalog.ingest.import_file import Entry, ImportFile
from enterprise_catalog.catalog.models import CatalogMembership, ContentMetadata, ContentType
from enterprise_catalog.service_client.exceptions import IncompleteListError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from enterprise_catalog.catalog.discovery.client import DiscoveryClient, Pages
    from enterprise_catalog.catalog.items.normalized import Fields
    from enterprise_catalog.catalog.models import CatalogQuery

#: How far the clocks of this service and of course-discovery may differ.
CLOCK_DIFFERENCE: Final = timedelta(hours=1)


@dataclass(slots=True)
class Collection:
    """Everything that a query's filter finds."""

    content: ImportFile  #: Documents that may be new or changed; kept keys: items that are certainly unchanged.
    #: Key -> hash of the search result, of the items with a full document.
    result_hashes: dict[str, str] = field(default_factory=dict)
    #: Key -> the items in its document, of the items with a new or changed document.
    nested: dict[str, frozenset[Nested]] = field(default_factory=dict)
    restricted: RestrictedContent = field(default_factory=RestrictedContent)
    left_out: int = 0  #: Results that enterprise customers cannot have, and persons.
    incomplete: int = 0  #: Items of which course-discovery has no full document.

    @property
    def found(self) -> int:
        """The number of items."""
        return len(self.content.entries) + len(self.content.kept_keys)


def collect(
    query: CatalogQuery, client: DiscoveryClient, file: IO[bytes], *, on_page: Callable[[int], None]
) -> Collection:
    """Search by the query's filter and return what it finds.

    Args:
        file: empty; receives the documents.
        on_page: called with the number of items found so far, after each page.

    Raises:
        ServiceError: course-discovery could not be read completely.
        UnusableResultError: a result or document cannot be stored; the text names it.
    """
    collection = Collection(ImportFile(file, parse=documents.parse_refreshed))
    _Collector(query, client, collection, on_page).collect()
    return collection


def find_keys(content_filter: Mapping[str, object], client: DiscoveryClient) -> Iterator[set[str]]:
    """Yield the keys that a filter finds, page by page, without their documents.

    Raises:
        ServiceError: course-discovery could not be read completely.
        UnusableResultError: a result without a key.
    """
    for page in client.search(content_filter):
        results = map(read_result, page)
        yield {result.content_key for result in results if result and result.is_allowed}
    if forced := documents.forced_keys(content_filter):
        found = (documents.forced_course(full) for page in client.read_courses(forced) for full in page)
        yield {course.content_key for course in found if course.is_allowed}


@dataclass(slots=True)
class _Seen:
    """The identities of the items so far: key -> UUID, if the item has one."""

    uuids: dict[str, object] = field(default_factory=dict)

    def add(self, result: SearchResult) -> bool:
        """Return ``False`` if another item with the same key was seen: partners may use the same course key.

        Raises:
            IncompleteListError: the same item was returned twice, so that another one is missing.
        """
        uuid = result.fields.get("uuid")
        if result.content_key not in self.uuids:
            self.uuids[result.content_key] = uuid
            return True
        if self.uuids[result.content_key] == uuid:
            message = f"Course-discovery returned {result.content_key} twice: its index changed during the search."
            raise IncompleteListError(f"{message} Refresh again.")
        return False


class _Collector:
    def __init__(
        self, query: CatalogQuery, client: DiscoveryClient, collection: Collection, on_page: Callable[[int], None]
    ) -> None:
        self._query = query
        self._client = client
        self.collection = collection
        self._on_page = on_page
        self._seen = _Seen()
        self._forced: set[str] = set()

    def collect(self) -> None:
        self._take_forced(documents.forced_keys(self._query.content_filter))
        for page in self._reported(self._client.search(self._query.content_filter)):
            self._take(page)
        self.collection.restricted = read_restricted(self._query.content_filter, self._client)
        self.collection.content.entries.sort(key=lambda entry: entry.content_key)

    def _reported(self, pages: Pages) -> Pages:
        for page in pages:
            self._on_page(self.collection.found)
            yield page

    @cached_property
    def _changed_courses(self) -> frozenset[str]:
        """Keys of the courses that course-discovery saved since the last refresh."""
        since = self._query.refreshed_at
        if since is None:
            return frozenset()
        pages = self._reported(self._client.changed_courses(since - CLOCK_DIFFERENCE))
        return frozenset(_identity("key", full) for page in pages for full in page)

    @cached_property
    def _reviews(self) -> Mapping[str, Mapping[str, object]]:
        return read_reviews(self._client)

    def _take_forced(self, keys: Sequence[str]) -> None:
        for page in self._reported(self._client.read_courses(keys)):
            for full in page:
                course = documents.forced_course(full)
                self._forced.add(course.content_key)
                if self._is_wanted(course):
                    self._add(
                        documents.course_fields(course.fields, course.fields, self._reviews.get(course.content_key))
                    )

    def _take(self, page: Sequence[Fields]) -> None:
        results = [result for result in map(self._accept, page) if result]
        known = self._known_hashes(results)
        changed = [result for result in results if not self._is_unchanged(result, known)]
        self.collection.content.kept_keys |= {each.content_key for each in results} - {
            each.content_key for each in changed
        }
        courses = [each for each in changed if each.content_type == ContentType.COURSE]
        programs = [each for each in changed if each.content_type == ContentType.PROGRAM]
        self._add_courses(courses)
        self._add_programs(programs)
        for each in changed:
            if each.content_type not in (ContentType.COURSE, ContentType.PROGRAM):
                self._add(each.fields)

    def _accept(self, fields: Fields) -> SearchResult | None:
        result = read_result(fields)
        if result is None:
            self.collection.left_out += 1
            return None
        is_new = result.content_key not in self._forced and self._seen.add(result)
        return result if is_new and self._is_wanted(result) else None

    def _is_wanted(self, result: SearchResult) -> bool:
        self.collection.left_out += not result.is_allowed
        return result.is_allowed

    def _known_hashes(self, results: Sequence[SearchResult]) -> Mapping[str, str]:
        """Return key -> hash of the search result from which the document was made, of the query's members."""
        keys = [each.content_key for each in results if each.content_type == ContentType.COURSE]
        members = CatalogMembership.objects.filter(catalog_query=self._query, content_key__in=keys)
        hashes = members.filter(content__discovered__isnull=False)
        return dict(hashes.values_list("content_key", "content__discovered__result_hash"))

    def _is_unchanged(self, result: SearchResult, known: Mapping[str, str]) -> bool:
        return known.get(result.content_key) == result.result_hash and result.content_key not in self._changed_courses

    def _add_courses(self, courses: Sequence[SearchResult]) -> None:
        full = _by("key", self._reported(self._client.read_courses([each.content_key for each in courses])))
        stored = self._stored_without(full, courses)
        for course in courses:
            key = course.content_key
            if key in stored:
                self.collection.content.kept_keys.add(key)
                continue
            self._add(documents.course_fields(course.fields, full.get(key), self._reviews.get(key)))
            if key in full:
                self.collection.result_hashes[key] = course.result_hash

    def _add_programs(self, programs: Sequence[SearchResult]) -> None:
        full = _by("uuid", self._reported(self._client.read_programs([each.content_key for each in programs])))
        stored = self._stored_without(full, programs)
        for program in programs:
            if program.content_key in stored:
                self.collection.content.kept_keys.add(program.content_key)
            else:
                self._add(documents.program_fields(program.fields, full.get(program.content_key)))

    def _stored_without(self, full: Mapping[str, object], results: Sequence[SearchResult]) -> set[str]:
        """Return the keys without a full document whose item is stored already: it keeps the document that it has."""
        lacking = [each.content_key for each in results if each.content_key not in full]
        self.collection.incomplete += len(lacking)
        return (
            set(ContentMetadata.objects.with_keys(lacking).values_list("content_key", flat=True)) if lacking else set()
        )

    def _add(self, fields: Fields) -> None:
        try:
            line = documents.to_line(fields)
            document = documents.parse_refreshed(line)
        except DocumentError as error:
            name = fields.get("aggregation_key")
            raise UnusableResultError(f"Course-discovery's document of {name} cannot be stored: {error}") from error
        self.collection.nested[document.content_key] = nested_in(document.content_type, fields)
        file = self.collection.content.file
        self.collection.content.entries.append(
            Entry(document.content_key, document.content_hash, file.tell(), len(line), line_number=0)
        )
        file.write(line)


def _by(member: str, pages: Pages) -> dict[str, Fields]:
    """Return the full documents by key or UUID.

    Raises:
        UnusableResultError: a document without it.
    """
    return {_identity(member, full): full for page in pages for full in page}


def _identity(member: str, full: Mapping[str, object]) -> str:
    value = full.get(member)
    if not isinstance(value, str) or not value:
        raise UnusableResultError(f"A full document of course-discovery has no {member}: {full.get('title')!r:.100}")
    return value
