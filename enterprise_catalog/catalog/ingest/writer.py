"""The only writer of content and membership.

An import has two halves. The first reads and checks the lines (``import_file.py``). The second applies them in one
transaction, in the order of their keys: two concurrent imports take most of their locks in the same order. It writes in
batches bounded by bytes, and only the differences: content whose hash changed, and memberships that were added or
removed.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from enterprise_catalog.catalog.ingest.import_file import ImportFile, ImportRefusedError, read_lines
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentDocument,
    ContentMetadata,
    NestedRun,
    QuerySource,
)
from enterprise_catalog.catalog.querysets import parts
from enterprise_catalog.catalog.versions.versioned import versioned
from enterprise_catalog.db.contention import RETRY_SECONDS, ContentionError, retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.catalog.documents import Document
    from enterprise_catalog.catalog.ingest.import_file import Entry
    from enterprise_catalog.catalog.versions.versioned import Changes

#: The most bytes of documents in one statement, well below MariaDB's default packet of 16 MiB.
BATCH_BYTES: Final = 4 * 1024 * 1024
BATCH_DOCUMENTS: Final = 500

#: A replacement that removes more than this many items, and more than this share of the catalog, needs
#: ``allow_shrink``.
SHRINK_ITEMS: Final = 10
SHRINK_PERCENT: Final = 20

#: The most characters that MySQL accepts in the name of a lock.
_MAX_LOCK_NAME: Final = 64

#: The columns that repeat a part of the document (:class:`DerivedColumns`), and have its name.
_DERIVED: Final = ("content_uuid", "course_type", "advertised_run_key", "entitlement_sku", "is_active")

#: Those of them that enrollment URLs depend on.
_IN_ENROLLMENT_URLS: Final = ("course_type", "advertised_run_key", "entitlement_sku")

_HASHES: Final = ("content_key", "content_hash", "derived_from")

#: One statement, because INSERT … SELECT reads the current content and locks it until the import ends. A separate
#: SELECT would read the snapshot from the start of the transaction, without later changes by other imports.
_JOIN: Final = (
    f"INSERT INTO {CatalogMembership._meta.db_table} (catalog_query_id, content_id, content_key, updated_at)"  # noqa: S608  (constant names)
    f" SELECT %s, id, content_key, updated_at FROM {ContentMetadata._meta.db_table} WHERE content_key IN"
)


class ShrinkError(ImportRefusedError):
    """The replacement would remove so many items that a mistake is likely."""


class DiscoveryQueryError(ImportRefusedError):
    """Refreshes from course-discovery fill the query. The next one would remove what an import adds."""


class UnknownKeysError(ImportRefusedError):
    """The replacement would remove items that bad lines without a readable key may describe."""


@dataclass(slots=True)
class ImportReport:
    """The counts of an import, relative to the catalog."""

    created: int = 0  #: Added to the catalog.
    updated: int = 0  #: Already in the catalog; their document changed.
    unchanged: int = 0  #: Already in the catalog, with the same document.
    removed: int = 0  #: Removed from the catalog; only with ``replace``.
    rejected: int = 0  #: Bad lines that were skipped; only with ``on_bad_line``.


def import_documents(
    target: Callable[[], CatalogQuery],
    lines: Iterable[bytes],
    *,
    now: datetime,
    replace: bool = False,
    allow_shrink: bool = False,
    on_bad_line: Callable[[int, str], None] | None = None,
) -> ImportReport:
    """Import the documents in ``lines`` into a catalog query, in one transaction; safe to repeat.

    Waits for concurrent imports; see :func:`~enterprise_catalog.db.contention.retry`.

    Args:
        target: returns the query that the documents become members of. Called inside the transaction: rows that it
            creates are rolled back if the import fails.
        lines: one JSON object each, with their line breaks; empty lines are skipped.
        now: the time of change of all changed content.
        replace: remove the members that are not in ``lines``. The item of a bad line stays.
        allow_shrink: let a replacement remove any number of items.
        on_bad_line: called with the number (from 1) and the reason of each bad line, which is then skipped. Without it,
            the first bad line stops the import.

    Raises:
        ImportRefusedError: nothing was written. BadLineError: a bad line without ``on_bad_line``. TruncatedFileError:
            the last line is cut off. TooManyBadLinesError: with ``replace``, more than 1 % of the lines are bad.
            UnknownKeysError: with ``replace``, items would be removed, and a bad line has no readable key. ShrinkError:
            without ``allow_shrink``, more than 20 % and more than 10 of the items would be removed, or some would be
            removed and there are no documents.
        ContentionError: other transactions blocked the import for too long; nothing was written.
    """
    with tempfile.TemporaryFile(prefix="import-") as file:
        content = read_lines(lines, file, on_bad_line)
        if replace:
            content.check_replacement()
        with _take_turn(target) if replace else nullcontext():
            return retry(lambda: _apply(target, content, now=now, replace=replace, allow_shrink=allow_shrink))


@contextmanager
def _take_turn(target: Callable[[], CatalogQuery]) -> Iterator[None]:
    """Let concurrent replacements of one query's members take turns.

    A replacement reads the members from the snapshot at the start of its transaction. If another replacement changed
    them meanwhile, the catalog would get a mixture of both files. A lock on rows would come too late: the snapshot is
    older. SQLite needs no turns, because its transactions begin with the lock of the only writer.

    Raises:
        ContentionError: other replacements took too long; nothing was written.
    """
    if connection.vendor != "mysql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        name = f"{connection.settings_dict['NAME']}:import:{target().pk}"[-_MAX_LOCK_NAME:]
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", [name, RETRY_SECONDS])
        if cursor.fetchone() != (1,):
            raise ContentionError(f"Other replacements of the same catalog took longer than {RETRY_SECONDS:g} seconds.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT RELEASE_LOCK(%s)", [name])


def _apply(
    target: Callable[[], CatalogQuery], content: ImportFile, *, now: datetime, replace: bool, allow_shrink: bool
) -> ImportReport:
    report = ImportReport(rejected=content.bad_count)
    with versioned(now) as changes:
        query = target()
        if query.source != QuerySource.IMPORT:
            raise DiscoveryQueryError("The catalog is filled from course-discovery by its content filter")
        leaving = _find_leaving(query, content, allow_shrink=allow_shrink) if replace else {}
        _write(query, content, leaving, report, changes)
    return report


def replace_members(query: CatalogQuery, content: ImportFile, *, now: datetime) -> ImportReport:
    """Make the members of a query exactly the items of ``content``, within the caller's transaction.

    Only one transaction at a time may replace the members of a query. It must not read before it has made sure of that:
    see :func:`_take_turn`.

    Args:
        content: without bad lines. Its kept keys must be those of stored content.
    """
    keys, report = content.keys, ImportReport()
    members = dict(query.memberships.values_list("content_key", "pk"))
    leaving = {pk: key for key, pk in members.items() if key not in keys}
    joining = sorted(content.kept_keys - members.keys())
    report.created, report.unchanged = len(joining), len(content.kept_keys) - len(joining)
    with versioned(now) as changes:
        _write(query, content, leaving, report, changes, joining=joining)
    return report


def _write(
    query: CatalogQuery,
    content: ImportFile,
    leaving: Mapping[int, str],
    report: ImportReport,
    changes: Changes,
    *,
    joining: Sequence[str] = (),
) -> None:
    """Write the documents of ``content``, and let members leave and stored content join.

    Args:
        leaving: id of a membership -> its key.
        joining: keys of stored content.
        report: counts what is written.
    """
    for batch in _batches(content.entries):
        _apply_batch(query, batch, content, report, changes)
    for some in parts(joining):
        _insert_memberships(query, some, changes)
    _remove(query, leaving, changes)
    report.removed = len(leaving)


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
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
    query: CatalogQuery, batch: Sequence[Entry], content: ImportFile, report: ImportReport, changes: Changes
) -> None:
    keys = [entry.content_key for entry in batch]
    stored = {key: hashes for key, *hashes in ContentMetadata.objects.with_keys(keys).values_list(*_HASHES)}
    members = set(query.memberships.filter(content_key__in=keys).values_list("content_key", flat=True))

    new = [entry for entry in batch if entry.content_key not in stored]
    # Another document, or columns that code of an earlier release did not write.
    outdated = [entry for entry in batch if {*stored.get(entry.content_key, ())} - {entry.content_hash}]
    insert_content([content.read(entry) for entry in new], changes)
    update_content([content.read(entry) for entry in outdated], changes)
    joining = [key for key in keys if key not in members]
    _insert_memberships(query, joining, changes)

    changed = (entry for entry in outdated if stored[entry.content_key][0] != entry.content_hash)
    updated = sum(entry.content_key in members for entry in changed)
    report.created += len(joining)
    report.updated += updated
    report.unchanged += len(members) - updated


def insert_content(documents: Sequence[Document], changes: Changes) -> None:
    """Write documents of items that do not exist yet."""
    if not documents:
        return
    ContentMetadata.objects.bulk_create(
        _row(document, ContentMetadata(created_at=changes.now, updated_at=changes.now)) for document in documents
    )
    # Read back, because MySQL does not return the ids of a bulk insert.
    ids = dict(ContentMetadata.objects.with_keys([d.content_key for d in documents]).values_list("content_key", "pk"))
    ContentDocument.objects.bulk_create(
        ContentDocument(content_id=ids[document.content_key], json=document.json) for document in documents
    )
    _insert_nested_runs(documents, ids)


def update_content(documents: Sequence[Document], changes: Changes) -> None:
    """Write documents of existing items; those with the stored hash change nothing."""
    if not documents:
        return
    # The lock reads the current rows. This transaction's snapshot may be older than another import's changes.
    locked = ContentMetadata.objects.with_keys([document.content_key for document in documents]).select_for_update()
    stored = {row.content_key: row for row in locked.order_by("content_key")}
    _derive(documents, stored)
    documents = [each for each in documents if _is_changed(each, stored[each.content_key])]
    rows = [_row(document, stored[document.content_key]) for document in documents]
    for row in rows:
        # Times of change always increase, even if the clock goes back.
        row.updated_at = max(changes.now, row.updated_at + timedelta(microseconds=1))
    ContentMetadata.objects.bulk_update(
        rows,
        ["content_type", "parent_content_key", "title", *_DERIVED, "is_restricted", *_HASHES[1:], "updated_at"],
    )
    ContentDocument.objects.bulk_update(
        [ContentDocument(content_id=stored[document.content_key].pk, json=document.json) for document in documents],
        ["json"],
    )
    _replace_nested_runs(documents, {key: row.pk for key, row in stored.items()})
    moments = {row.updated_at for row in rows}
    for moment in moments:  # One, or more if the clock went back.
        ids = [row.pk for row in rows if row.updated_at == moment]
        CatalogMembership.objects.filter(content__in=ids).update(updated_at=moment)
    changes.times |= {row.pk: row.updated_at for row in rows}


def _row(document: Document, row: ContentMetadata) -> ContentMetadata:
    """Copy the document's fields to ``row`` and return it."""
    row.content_key = document.content_key
    row.content_type = document.content_type
    row.parent_content_key = document.parent_content_key
    row.title = document.title
    row.content_hash = row.derived_from = document.content_hash
    for name in _DERIVED:
        setattr(row, name, getattr(document.derived, name))
    row.is_restricted = False
    return row


def _is_changed(document: Document, row: ContentMetadata) -> bool:
    """Return True if the stored document is another one, or code of an earlier release left out parts of its URL."""
    is_stale = row.derived_from != document.content_hash
    has_url = all(getattr(row, name) == getattr(document.derived, name) for name in _IN_ENROLLMENT_URLS)
    return row.content_hash != document.content_hash or (is_stale and not has_url)


def _derive(documents: Sequence[Document], stored: Mapping[str, ContentMetadata]) -> None:
    """Write the columns of unchanged documents that code of an earlier release wrote; no content changes."""
    stale = [each for each in documents if stored[each.content_key].derived_from != each.content_hash]
    stale = [each for each in stale if not _is_changed(each, stored[each.content_key])]
    if stale:
        rows = [_row(each, stored[each.content_key]) for each in stale]
        ContentMetadata.objects.bulk_update(rows, [*_DERIVED, "derived_from"])
        _replace_nested_runs(stale, {row.content_key: row.pk for row in rows})


def _insert_nested_runs(documents: Iterable[Document], ids: Mapping[str, int]) -> None:
    NestedRun.objects.bulk_create(
        NestedRun(content_id=ids[document.content_key], run_key=key)
        for document in documents
        for key in sorted(document.derived.nested_runs)
    )


def _replace_nested_runs(documents: Sequence[Document], ids: Mapping[str, int]) -> None:
    """Write the nested runs of changed courses, if they are others than before."""
    wanted = {ids[each.content_key]: each.derived.nested_runs for each in documents}
    stored: dict[int, set[str]] = {pk: set() for pk in wanted}
    for pk, key in NestedRun.objects.filter(content__in=wanted).values_list("content_id", "run_key"):
        stored[pk].add(key)
    changed = [each for each in documents if stored[ids[each.content_key]] != each.derived.nested_runs]
    if changed:
        NestedRun.objects.filter(content__in=[ids[each.content_key] for each in changed]).delete()
        _insert_nested_runs(changed, ids)


def _insert_memberships(query: CatalogQuery, keys: Sequence[str], changes: Changes) -> None:
    if not keys:
        return
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(f"{_JOIN} ({places}) ORDER BY content_key", [query.pk, *keys])
    changes.joined[query.pk].update(keys)


def _find_leaving(query: CatalogQuery, content: ImportFile, *, allow_shrink: bool) -> dict[int, str]:
    """Return id -> key of the memberships that a replacement removes.

    Raises:
        ImportRefusedError: see :func:`import_documents`.
    """
    keys = content.keys
    members = query.memberships.order_by("content_key").values_list("pk", "content_key").iterator()
    count, leaving = 0, dict[int, str]()
    for pk, key in members:
        count += 1
        if key not in keys:
            leaving[pk] = key
    if leaving and content.keyless_lines:
        item = "the item" if len(leaving) == 1 else f"one of the {len(leaving):,} items"
        raise UnknownKeysError(
            f"Line {content.keyless_lines[0]} has no readable key, so it may contain {item} that would be removed"
        )
    is_large = len(leaving) > SHRINK_ITEMS and len(leaving) * 100 > SHRINK_PERCENT * count
    if (is_large or (leaving and not content.entries)) and not allow_shrink:
        share = f"{len(leaving) * 100 / count:.0f} %"
        raise ShrinkError(f"The replacement would remove {len(leaving):,} of the catalog's {count:,} items ({share})")
    return leaving


def _remove(query: CatalogQuery, memberships: Mapping[int, str], changes: Changes) -> None:
    for some in parts(sorted(memberships)):
        CatalogMembership.objects.filter(pk__in=some).delete()
    if memberships:
        changes.left[query.pk].update(memberships.values())
