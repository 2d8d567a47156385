"""The only writer of content and membership.

An import has two halves. The first reads the lines, checks each and keeps the acceptable ones in a temporary file, as
they came; the database is not touched, so that a bad file costs nothing. The second applies them in one
transaction, in the order of their keys (so that two imports take their locks in the same order and do not deadlock), in
batches bounded by bytes, and writes only what differs: content whose hash changed, and memberships that come or go.
Memory holds the keys, never the documents.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Final

from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Value
from django.db.models.functions import Coalesce, Greatest

from enterprise_catalog.catalog.customers import next_version
from enterprise_catalog.catalog.documents import Document, DocumentError, parse_document
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentDocument,
    ContentMetadata,
    EnterpriseCatalog,
)
from enterprise_catalog.catalog.querysets import KEYS_PER_STATEMENT
from enterprise_catalog.timestamps import TimestampField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

#: One statement carries at most this much of documents, well below MariaDB's default packet of 16 MiB.
BATCH_BYTES: Final = 4 * 1024 * 1024
BATCH_DOCUMENTS: Final = 500

#: MariaDB's "record has changed since last read" (from 11.6 on), "duplicate entry", "lock wait timeout exceeded" and
#: "deadlock found": another import was faster. The transaction is undone, and sees what the other one wrote when it is
#: tried again.
_RETRYABLE_CODES: Final = frozenset({1020, 1062, 1205, 1213})
_ATTEMPTS: Final = 5


#: In one statement, since that reads the content as it is now and keeps it so until the import ends. A SELECT
#: beforehand would see the state in which the transaction began, without what another import has changed since.
_JOIN: Final = (
    f"INSERT INTO {CatalogMembership._meta.db_table} (catalog_query_id, content_id, content_key, updated_at)"  # noqa: S608, SLF001  (constant names)
    f" SELECT %s, id, content_key, updated_at FROM {ContentMetadata._meta.db_table} WHERE content_key IN"  # noqa: SLF001
)


class BadLineError(ValueError):
    """A line that cannot be imported, with its number, when the import is to stop at the first one."""


@dataclass(slots=True)
class ImportReport:
    """What an import did, from the catalog's point of view."""

    created: int = 0  #: Came into the catalog.
    updated: int = 0  #: Were in it, and their document changed.
    unchanged: int = 0  #: Were in it, with the same document.
    removed: int = 0  #: Left it; only with ``replace``.
    rejected: int = 0  #: Lines that were passed over; only when bad lines are skipped.


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where an accepted document lies in the temporary file, and what of it is needed without reading it."""

    content_key: str
    content_hash: str
    offset: int
    length: int
    line_number: int


@dataclass(slots=True)
class _Changes:
    """What an import has changed so far, for the versions that have to move at its end."""

    now: datetime
    #: Of the changed content: id -> its new time of change.
    times: dict[int, datetime] = field(default_factory=dict)
    membership_changed: bool = False


def import_documents(
    target: Callable[[], CatalogQuery],
    lines: Iterable[bytes],
    *,
    now: datetime,
    replace: bool = False,
    on_bad_line: Callable[[int, str], None] | None = None,
) -> ImportReport:
    """Bring the documents in ``lines`` into a catalog query, in one transaction; safe to repeat.

    Args:
        target: returns the query whose members they become; called inside the transaction, so that what it makes goes
            when the import fails.
        lines: one JSON object each; empty lines are passed over.
        now: the time of change of all that really changes.
        replace: remove the members that ``lines`` does not hold.
        on_bad_line: called with the number (from 1) of each bad line and what is wrong with it; the line is then passed
            over. Without it, the first bad line stops the import.

    Raises:
        BadLineError: a bad line without ``on_bad_line``; nothing was written.
    """
    report = ImportReport()

    def reject(number: int, reason: str) -> None:
        if on_bad_line is None:
            raise BadLineError(f"line {number}: {reason}")
        on_bad_line(number, reason)
        report.rejected += 1

    with tempfile.TemporaryFile(prefix="import-") as file:
        entries = _accept(lines, file, reject)
        return _retried(lambda: _apply(target, entries, file, now=now, replace=replace, rejected=report.rejected))


def _accept(lines: Iterable[bytes], file: IO[bytes], reject: Callable[[int, str], None]) -> list[_Entry]:
    """Write the acceptable documents to ``file`` and return where they are, ascending by key."""
    entries: dict[str, _Entry] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = parse_document(line)
        except DocumentError as error:
            reject(number, str(error))
            continue
        key, earlier = document.content_key, entries.get(document.content_key)
        if earlier is not None:
            if earlier.content_hash != document.content_hash:
                reject(number, f"{key} is on line {earlier.line_number} already, with other content")
            continue
        entries[key] = _Entry(key, document.content_hash, file.tell(), len(line), number)
        file.write(line)
    return sorted(entries.values(), key=lambda entry: entry.content_key)


def _retried(apply: Callable[[], ImportReport]) -> ImportReport:
    """Run ``apply`` again when the database undid it because of another transaction."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return apply()
        except DatabaseError as error:
            if attempt == _ATTEMPTS or _RETRYABLE_CODES.isdisjoint(error.args):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _apply(
    target: Callable[[], CatalogQuery],
    entries: Sequence[_Entry],
    file: IO[bytes],
    *,
    now: datetime,
    replace: bool,
    rejected: int,
) -> ImportReport:
    report = ImportReport(rejected=rejected)
    with transaction.atomic():
        query = target()
        changes = _Changes(now)
        for batch in _batches(entries):
            _apply_batch(query, batch, file, report, changes)
        if replace:
            report.removed = _remove_others(query, {entry.content_key for entry in entries})
            changes.membership_changed |= report.removed > 0
        _move_versions(query, changes)
    return report


def _batches(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    batch: list[_Entry] = []
    size = 0
    for entry in entries:
        if batch and (size + entry.length > BATCH_BYTES or len(batch) == BATCH_DOCUMENTS):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.length
    if batch:
        yield batch


def _apply_batch(
    query: CatalogQuery, batch: Sequence[_Entry], file: IO[bytes], report: ImportReport, changes: _Changes
) -> None:
    keys = [entry.content_key for entry in batch]
    stored = dict(ContentMetadata.objects.with_keys(keys).values_list("content_key", "content_hash"))
    members = set(query.memberships.filter(content_key__in=keys).values_list("content_key", flat=True))

    new = [entry for entry in batch if entry.content_key not in stored]
    changed = [entry for entry in batch if stored.get(entry.content_key, entry.content_hash) != entry.content_hash]
    _insert_content([_read(entry, file) for entry in new], changes)
    _update_content([_read(entry, file) for entry in changed], changes)
    joining = [key for key in keys if key not in members]
    _insert_memberships(query, joining, changes)

    updated = sum(entry.content_key in members for entry in changed)
    report.created += len(joining)
    report.updated += updated
    report.unchanged += len(members) - updated


def _read(entry: _Entry, file: IO[bytes]) -> Document:
    file.seek(entry.offset)
    return parse_document(file.read(entry.length))


def _insert_content(documents: Sequence[Document], changes: _Changes) -> None:
    if not documents:
        return
    ContentMetadata.objects.bulk_create(
        _row(document, ContentMetadata(created_at=changes.now, updated_at=changes.now)) for document in documents
    )
    # Read back, since MySQL does not return the ids of a bulk insert.
    ids = dict(ContentMetadata.objects.with_keys([d.content_key for d in documents]).values_list("content_key", "pk"))
    ContentDocument.objects.bulk_create(
        ContentDocument(content_id=ids[document.content_key], json=document.json) for document in documents
    )


def _update_content(documents: Sequence[Document], changes: _Changes) -> None:
    if not documents:
        return
    # Locking them reads them as they are now; this transaction began to read before, perhaps before another import.
    locked = ContentMetadata.objects.with_keys([document.content_key for document in documents]).select_for_update()
    stored = {row.content_key: row for row in locked.order_by("content_key")}
    documents = [each for each in documents if each.content_hash != stored[each.content_key].content_hash]
    rows = [_row(document, stored[document.content_key]) for document in documents]
    for row in rows:
        # Time of change only ever moves forward, even when the clock does not.
        row.updated_at = max(changes.now, row.updated_at + timedelta(microseconds=1))
    ContentMetadata.objects.bulk_update(
        rows, ["content_type", "parent_content_key", "title", "content_hash", "updated_at"]
    )
    ContentDocument.objects.bulk_update(
        [ContentDocument(content_id=stored[document.content_key].pk, json=document.json) for document in documents],
        ["json"],
    )
    moments = {row.updated_at for row in rows}
    for moment in moments:  # One, unless the clock went back.
        ids = [row.pk for row in rows if row.updated_at == moment]
        CatalogMembership.objects.filter(content__in=ids).update(updated_at=moment)
    changes.times |= {row.pk: row.updated_at for row in rows}


def _row(document: Document, row: ContentMetadata) -> ContentMetadata:
    """Return ``row`` with what the document says."""
    row.content_key = document.content_key
    row.content_type = document.content_type
    row.parent_content_key = document.parent_content_key
    row.title = document.title
    row.content_hash = document.content_hash
    return row


def _insert_memberships(query: CatalogQuery, keys: Sequence[str], changes: _Changes) -> None:
    if not keys:
        return
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(f"{_JOIN} ({places}) ORDER BY content_key", [query.pk, *keys])
    changes.membership_changed = True


def _remove_others(query: CatalogQuery, keys: set[str]) -> int:
    """Remove the members whose key is not in ``keys``; return how many."""
    members = query.memberships.order_by("content_key").values_list("pk", "content_key").iterator()
    leaving = [pk for pk, key in members if key not in keys]
    for some in _parts(leaving):
        CatalogMembership.objects.filter(pk__in=some).delete()
    return len(leaving)


def _move_versions(query: CatalogQuery, changes: _Changes) -> None:
    """Give a new version to each query whose members or their content changed."""
    queries = _changed_queries(query, changes)
    for some in _parts(queries):
        # In this order by all who need both: first queries, then their catalogs. An edit of a customer is over by now,
        # and seen below, or waits for us.
        list(CatalogQuery.objects.filter(pk__in=some).order_by("pk").select_for_update().values_list("pk"))
    _outlast_addresses(queries, changes)
    changed_at = Value(_latest_change(query, changes), TimestampField())
    for some in _parts(queries):
        CatalogQuery.objects.filter(pk__in=some).update(
            version=next_version("version", changes.now),
            content_changed_at=Greatest(Coalesce("content_changed_at", changed_at), changed_at),
        )


def _changed_queries(query: CatalogQuery, changes: _Changes) -> list[int]:
    queries = {query.pk} if changes.membership_changed else set()
    for ids in _parts(list(changes.times)):
        with_them = CatalogMembership.objects.filter(content__in=ids)
        queries.update(with_them.values_list("catalog_query", flat=True).distinct())
    return sorted(queries)


def _outlast_addresses(queries: Sequence[int], changes: _Changes) -> None:
    """Raise the times of changed content above those at which its catalogs' addresses changed.

    These are floors of the times that are served, and may be later than the time at which this import began: a time
    below them would tell nobody of the change.
    """
    if not changes.times:
        return
    earliest = min(changes.times.values())
    catalogs = EnterpriseCatalog.objects.filter(documents_changed_at__gte=earliest).select_for_update()
    found = (catalogs.filter(catalog_query__in=some) for some in _parts(queries))
    floors = [catalog.documents_changed_at for some in found for catalog in some if catalog.documents_changed_at]
    if not floors:
        return
    moment = max(floors) + timedelta(microseconds=1)
    for ids in _parts([pk for pk, time in changes.times.items() if time < moment]):
        ContentMetadata.objects.filter(pk__in=ids).update(updated_at=moment)
        CatalogMembership.objects.filter(content__in=ids).update(updated_at=moment)
        changes.times |= dict.fromkeys(ids, moment)


def _latest_change(query: CatalogQuery, changes: _Changes) -> datetime:
    """Return a time that is not before any member's, of the queries that changed."""
    joined = query.memberships.aggregate(latest=Max("updated_at"))["latest"] if changes.membership_changed else None
    latest: datetime = max([changes.now, *changes.times.values(), *([joined] if joined else [])])
    return latest


def _parts(values: Sequence[int]) -> Iterator[Sequence[int]]:
    return (values[start : start + KEYS_PER_STATEMENT] for start in range(0, len(values), KEYS_PER_STATEMENT))
