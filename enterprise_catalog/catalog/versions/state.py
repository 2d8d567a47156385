"""A catalog's state without its items. Every request reads it, in one small statement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from uuid import UUID

from django.db import connection

from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer
from enterprise_catalog.db.timestamps import format_time

if TYPE_CHECKING:
    from enterprise_catalog.db.consistent_reads import Row

#: The columns that :func:`state_from` reads, and their tables. Plain SQL, because Django takes longer to build this
#: statement than the database takes to answer it.
COLUMNS: Final = """
    catalog.uuid, catalog.title, customer.uuid, customer.name,
    COALESCE(NULLIF(catalog.enrollment_urls, ''), catalog.enrollment_url_prefix), catalog.revision,
    COALESCE(catalog.documents_changed_at, ''), query.id, COALESCE(query.version, 0),
    COALESCE(query.content_changed_at, '')
"""
TABLES: Final = f"""
    {EnterpriseCatalog._meta.db_table} catalog
    JOIN {EnterpriseCustomer._meta.db_table} customer ON customer.uuid = catalog.enterprise_customer_id
    LEFT JOIN {CatalogQuery._meta.db_table} query ON query.id = catalog.catalog_query_id
"""
COLUMN_COUNT: Final = 10


#: Each number fits into a signed column of 64 bits.
_VERSION: Final = re.compile("([0-9a-f]{1,15})-([0-9a-f]{1,15})-([0-9a-f]{1,15})(?:-([0-9a-f]{1,15}))?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class BadVersionError(ValueError):
    """Text that is not a version of this API."""


class Version(NamedTuple):
    """A catalog's version: it changes whenever anything that the catalog serves changes. Opaque text for callers.

    The keys and times of the catalog's items depend on all parts but ``revision``.
    """

    revision: int  #: Of the catalog.
    query_id: int  #: 0 without a query.
    query_version: int
    #: In microseconds since 1970. 0 for never: the text then has no fourth part, as in earlier releases.
    documents_changed_at: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a version back from its text.

        Raises:
            BadVersionError: ``text`` is not the text of a version.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise BadVersionError(text)
        return cls(*(int(number, 16) for number in match.groups(default="0")))

    def __str__(self) -> str:
        text = f"{self.revision:x}-{self.query_id:x}-{self.query_version:x}"
        return f"{text}-{self.documents_changed_at:x}" if self.documents_changed_at else text

    def has_items_of(self, other: Version) -> bool:
        """Return True if the two versions have the same items."""
        return self._replace(revision=other.revision) == other

    def has_log_of(self, other: Version) -> bool:
        """Return True if the items of the two versions differ only by changes in the log of one query."""
        return self.has_items_of(other._replace(query_version=self.query_version))


@dataclass(frozen=True, slots=True)
class CatalogState:
    """A catalog, its customer and its query at one moment. Times are texts in the served format."""

    uuid: UUID
    title: str
    customer_uuid: UUID
    customer_name: str
    enrollment_urls: str
    revision: int
    #: When the catalog's part of its documents last changed; a lower bound for each item's time. Empty if it never
    #: changed.
    documents_changed_at: str
    query_id: int | None  #: ``None``: the catalog is empty.
    query_version: int
    content_changed_at: str

    @property
    def version_parts(self) -> Version:
        """The parts of :attr:`version`."""
        moment = self.documents_changed_at
        microseconds = (datetime.fromisoformat(moment) - _EPOCH) // _MICROSECOND if moment else 0
        return Version(self.revision, self.query_id or 0, self.query_version, microseconds)

    @property
    def version(self) -> str:
        """Opaque text that changes whenever anything that the catalog serves changes."""
        return str(self.version_parts)

    @property
    def content_last_modified(self) -> str | None:
        """When an item was last added, changed or removed; ``None`` for never."""
        return max(self.documents_changed_at, self.content_changed_at) or None


def find_state(catalog_uuid: UUID) -> CatalogState | None:
    """Return the current state of the catalog with this UUID, or ``None`` if it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM {TABLES} WHERE catalog.uuid = %s", [as_parameter(catalog_uuid)])  # noqa: S608  (constants)
        row = cursor.fetchone()
    return state_from(row) if row else None


def read_state(catalog_uuid: UUID) -> CatalogState:
    """Return the current state of the catalog with this UUID.

    Raises:
        EnterpriseCatalog.DoesNotExist: there is no such catalog.
    """
    state = find_state(catalog_uuid)
    if state is None:
        raise EnterpriseCatalog.DoesNotExist
    return state


def as_parameter(catalog_uuid: UUID) -> str:
    """Return the UUID in the form that the current database expects in plain SQL."""
    parameter: str = EnterpriseCatalog._meta.pk.get_db_prep_value(catalog_uuid, connection)
    return parameter


def state_from(row: Row) -> CatalogState:
    """Return the state at the start of a row, from a statement that selects :data:`COLUMNS` first."""
    catalog_uuid, title, customer_uuid, *rest = row[:COLUMN_COUNT]
    return CatalogState(UUID(catalog_uuid), title, UUID(customer_uuid), *rest)


def state_of(catalog: EnterpriseCatalog) -> CatalogState:
    """Return the state of ``catalog``; its customer and its query must be loaded."""
    query = catalog.catalog_query
    return CatalogState(
        uuid=catalog.pk,
        title=catalog.title,
        customer_uuid=catalog.enterprise_customer.pk,
        customer_name=catalog.enterprise_customer.name,
        enrollment_urls=catalog.enrollment_urls or catalog.enrollment_url_prefix,
        revision=catalog.revision,
        documents_changed_at=_text(catalog.documents_changed_at),
        query_id=query.pk if query else None,
        query_version=query.version if query else 0,
        content_changed_at=_text(query.content_changed_at) if query else "",
    )


def _text(moment: datetime | None) -> str:
    return format_time(moment) if moment else ""
