"""Content in other documents: courses and programs of pathways, courses of programs, and programs of courses.

Customers' filters need not find it, but callers look it up. Queries that belong to no catalog find all pathways, and
the nested content that no catalog has. They are refreshed like all others (docs/decisions/0026).
"""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from enterprise_catalog.catalog.discovery.filters import edit_filter, hash_filter
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentMetadata,
    ContentType,
    NestedContent,
    QuerySource,
)
from enterprise_catalog.catalog.querysets import KEYS_PER_STATEMENT
from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH
from enterprise_catalog.db.contention import retry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

PATHWAYS: Final = "All learner pathways"
TITLES: Final[Mapping[str, str]] = {
    ContentType.PROGRAM: "Programs in pathways and courses",
    ContentType.COURSE: "Courses in programs and pathways",
}
#: Members of the filters besides the keys. Programs have other states than courses.
_CONDITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    ContentType.PROGRAM: {},
    ContentType.COURSE: {"status": "published"},
}
#: The keys in the filter of one query. Elasticsearch limits the number of conditions.
KEYS_PER_QUERY: Final = 500
#: The names of the queries' UUIDs belong to it.
_NAMESPACE: Final = UUID("0c7dbf4c-6d6a-5f0c-8d6f-4e3b8f3a7a51")


class Nested(NamedTuple):
    """An item in another item's document."""

    content_type: str
    content_key: str


def nested_in(content_type: str, fields: Mapping[str, object]) -> frozenset[Nested]:
    """Return the items that a document contains. A pathway that is inactive, or not to be associated, has none."""
    match content_type:
        case ContentType.COURSE:
            found = _named(ContentType.PROGRAM, "uuid", fields.get("programs"))
        case ContentType.PROGRAM:
            found = _named(ContentType.COURSE, "key", fields.get("courses"))
        case ContentType.PATHWAY if fields.get("status") == "active" and fields.get("visible_via_association"):
            found = chain.from_iterable(map(_in_step, _objects(fields.get("steps"))))
        case _:
            found = iter(())
    return frozenset(found)


def store_nested(nested: Mapping[str, frozenset[Nested]]) -> None:
    """Make these the items in the documents of stored content; content key -> items. Writes only what differs."""
    keys = sorted(nested)
    for start in range(0, len(keys), KEYS_PER_STATEMENT):
        _store_some(keys[start : start + KEYS_PER_STATEMENT], nested)


def update_queries(*, now: datetime) -> list[CatalogQuery]:
    """Create and edit the queries of pathways and of nested content, and return them. Safe to repeat.

    ``filter_edited_at`` of those that need a refresh is ``now``. A site without course-discovery has no such query.
    """
    if not settings.DISCOVERY_SERVICE_API_URL:
        return []
    return retry(lambda: _update_queries(now=now))


@transaction.atomic
def _update_queries(*, now: datetime) -> list[CatalogQuery]:
    pathways = _saved(_named_query(PATHWAYS), {"content_type": ContentType.PATHWAY.value}, now=now)
    return [pathways, *chain.from_iterable(_queries_of(content_type, now=now) for content_type in TITLES)]


def _queries_of(content_type: str, *, now: datetime) -> Iterator[CatalogQuery]:
    """Distribute the wanted keys over queries. A key stays in its query, so that few filters are edited."""
    wanted = _wanted_keys(content_type)
    stored = list(_stored_queries(content_type))
    kept = [[key for key in _keys_of(query) if key in wanted] for query in stored]
    rest = sorted(wanted.difference(*kept), reverse=True)
    for number in count():
        if number == len(kept):
            if not rest:
                return
            kept.append([])
            stored.append(_named_query(_title(content_type, number)))
        keys = kept[number]
        while rest and len(keys) < KEYS_PER_QUERY:
            keys.append(rest.pop())
        if keys:  # An empty list would be no condition.
            names = [f"{content_type}:{key}" for key in keys]
            content_filter = {"content_type": str(content_type), "aggregation_key": names, **_CONDITIONS[content_type]}
            yield _saved(stored[number], content_filter, now=now)


def _wanted_keys(content_type: str) -> set[str]:
    """Return the keys of nested content that no catalog has."""
    in_catalog = CatalogMembership.objects.filter(
        content__content_key=OuterRef("content_key"),
        catalog_query__catalogs__isnull=False,
        catalog_query__catalogs__deleted_at=None,
    )
    rows = NestedContent.objects.filter(~Exists(in_catalog), content_type=content_type)
    return set(rows.values_list("content_key", flat=True).distinct())


def _stored_queries(content_type: str) -> Iterator[CatalogQuery]:
    for number in count():
        query = _named_query(_title(content_type, number))
        if query.pk is None:
            return
        yield query


def _title(content_type: str, number: int) -> str:
    return f"{TITLES[content_type]} ({number + 1})"


def _named_query(title: str) -> CatalogQuery:
    """Return the query with the UUID of this title, locked; unsaved if it does not exist."""
    uuid = uuid5(_NAMESPACE, title)
    stored = CatalogQuery.objects.select_for_update().filter(uuid=uuid).first()
    return stored or CatalogQuery(uuid=uuid, title=title, source=QuerySource.DISCOVERY)


def _saved(query: CatalogQuery, content_filter: Mapping[str, object], *, now: datetime) -> CatalogQuery:
    """Save the query with this filter; return another query instead that has it, such as one of the LMS."""
    other = CatalogQuery.objects.filter(content_filter_hash=hash_filter(content_filter)).exclude(pk=query.pk).first()
    if other is not None:
        return other
    if edit_filter(query, content_filter, now=now):
        query.save()
    return query


def _keys_of(query: CatalogQuery) -> list[str]:
    names = query.content_filter.get("aggregation_key", [])
    return [str(name).partition(":")[2] for name in names] if isinstance(names, list) else []


def _store_some(keys: Sequence[str], nested: Mapping[str, frozenset[Nested]]) -> None:
    ids = dict(ContentMetadata.objects.with_keys(keys).values_list("content_key", "pk"))
    wanted = {(ids[key], *item) for key in keys if key in ids for item in nested[key]}
    rows = NestedContent.objects.filter(container__in=ids.values())
    stored = {
        (container, kind, key): pk
        for pk, container, kind, key in rows.values_list("pk", "container_id", "content_type", "content_key")
    }
    NestedContent.objects.filter(pk__in=[pk for names, pk in stored.items() if names not in wanted]).delete()
    NestedContent.objects.bulk_create(
        (
            NestedContent(container_id=container, content_type=kind, content_key=key)
            for container, kind, key in sorted(wanted - stored.keys())
        ),
        batch_size=KEYS_PER_STATEMENT,
    )


def _in_step(step: Mapping[str, object]) -> Iterator[Nested]:
    yield from _named(ContentType.COURSE, "key", step.get("courses"))
    yield from _named(ContentType.PROGRAM, "uuid", step.get("programs"))


def _named(content_type: str, member: str, items: object) -> Iterator[Nested]:
    for item in _objects(items):
        key = item.get(member)
        if isinstance(key, str) and 0 < len(key) <= MAX_KEY_LENGTH:
            yield Nested(str(content_type), key)


def _objects(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
