"""Single documents by an identifier: a key, a UUID or, without a customer, the number of the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from enterprise_catalog.catalog.items.enrollment_urls import ItemParts, parse_enrollment_urls
from enterprise_catalog.catalog.items.matching import Wanted, pick_one
from enterprise_catalog.catalog.items.open_edx import StoredItem, catalog_document, plain_document
from enterprise_catalog.catalog.items.stored import read_stored, runs_of
from enterprise_catalog.catalog.models import ContentMetadata
from enterprise_catalog.db.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Collection

#: The largest number of a row.
_MAX_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Identifier:
    """The values that an identifier may be."""

    key: str
    uuid: UUID | None = None
    pk: int | None = None

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Parse an identifier. Any text may be a key."""
        pk = int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(_MAX_ID)) else None
        try:
            return cls(text, UUID(text), pk)
        except ValueError:
            return cls(text, None, pk)


def read_for_customer(
    customer_uuid: UUID, identifier: str, *, with_restricted: bool = False, with_customer: bool = True
) -> bytes | None:
    """Return the JSON of a document as the customer's first catalog that offers it serves it; ``None`` if none does.

    Takes two statements, whatever the sizes of the catalogs.

    Args:
        identifier: a UUID of content, or a key, which is read as in :mod:`~enterprise_catalog.catalog.items.matching`.
        with_restricted: offer the restricted runs that a catalog's query allows.
        with_customer: see :func:`~enterprise_catalog.catalog.items.open_edx.catalog_document`.
    """
    parsed = Identifier.parse(identifier)
    picked, parameters = pick_one(customer_uuid, Wanted([parsed.key], with_restricted, parsed.uuid))
    found = read_stored(picked, parameters, with_restricted=with_restricted)
    if not found:
        return None
    [(state, item)] = found
    runs = runs_of([item.parts]).get(item.parts.content_key, ()) if with_customer else ()
    return catalog_document(item, parse_enrollment_urls(state.enrollment_urls), runs=runs, with_customer=with_customer)


def read_plain(identifier: str, *, coerce_to_course: bool = False) -> bytes | None:
    """Return the JSON of a document without a catalog; ``None`` if no item has it. Restricted runs do not count.

    Args:
        identifier: the number of a row, a UUID of content, or a key.
        coerce_to_course: return the course of a run instead of the run.
    """
    [*pks] = _find_plain([identifier], coerce_to_course=coerce_to_course)
    documents = _read_plain(pks[:1])
    return documents[0] if documents else None


def read_plain_page(
    identifiers: Collection[str], *, start: int, size: int, coerce_to_course: bool = False
) -> tuple[int, list[bytes]]:
    """Return the number of items, and up to ``size`` documents without a catalog from position ``start`` (from 0).

    The items are in the order of their rows. Restricted runs do not count.

    Args:
        identifiers: at most 1,000; see :func:`read_plain`. Without identifiers, all items count.
        coerce_to_course: return the courses of runs instead of the runs.
    """
    if identifiers:
        pks = _find_plain(identifiers, coerce_to_course=coerce_to_course)
        return len(pks), _read_plain(pks[start : start + size])
    rows = ContentMetadata.objects.filter(is_restricted=False)
    if coerce_to_course:
        rows = rows.filter(parent_content_key="")
    count = rows.count()
    # Databases reject positions beyond their integer range.
    page = rows.order_by("pk").values_list("pk", flat=True)[start : start + size] if start < count else ()
    return count, _read_plain(list(page))


def _find_plain(identifiers: Collection[str], *, coerce_to_course: bool) -> list[int]:
    """Return the ids of the items that identifiers stand for, ascending. Each identifier is looked up in an index."""
    wanted = [Identifier.parse(text) for text in identifiers]
    rows = ContentMetadata.objects.filter(is_restricted=False).values_list("pk", "parent_content_key")
    by_key = rows.filter(content_key__in=[each.key for each in wanted])
    by_uuid = rows.filter(content_uuid__in=[each.uuid for each in wanted if each.uuid])
    by_pk = rows.filter(pk__in=[each.pk for each in wanted if each.pk])
    found = dict(by_key.union(by_uuid, by_pk))
    if not coerce_to_course:
        return sorted(found)
    courses = ContentMetadata.objects.with_keys({parent for parent in found.values() if parent})
    return sorted({pk for pk, parent in found.items() if not parent}.union(courses.values_list("pk", flat=True)))


def _read_plain(pks: Collection[int]) -> list[bytes]:
    rows = ContentMetadata.objects.filter(pk__in=pks).select_related("document").order_by("pk") if pks else ()
    return [plain_document(_stored(row)) for row in rows]


def _stored(row: ContentMetadata) -> StoredItem:
    parts = ItemParts(*(getattr(row, name) for name in ItemParts._fields))
    return StoredItem(parts, format_time(row.updated_at), row.is_active, bytes(row.document.json))
