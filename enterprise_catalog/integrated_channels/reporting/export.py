"""The rows of a filtered list as flat records. One page is in memory at a time, however many rows there are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from enterprise_catalog.db.keyset import keyset_pages
from enterprise_catalog.db.time_limit import time_limit
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Decision,
    SyncRun,
    TransmissionAttempt,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from django.db.models import Model, QuerySet

#: One row: name of the column -> value.
Record: TypeAlias = dict[str, Any]

#: Number of rows that one statement reads.
PAGE_SIZE: Final = 1_000
#: Time limit for each statement of a response.
STATEMENT_SECONDS: Final = 10

_CONFIGURATION: Final = ("configuration_id", "configuration", "channel", "enterprise_customer_uuid")


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be exported."""

    name: str  #: Also the name of the file.
    own: tuple[str, ...]  #: Exported columns of the table itself.
    added: tuple[str, ...]  #: Columns of the rows that it refers to; exported before its own.
    complete: Callable[[list[Record]], Iterable[Record]]  #: Page -> the added columns of each row.

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order of the export."""
        return (*self.added, *self.own)


def table_of(model: type[Model]) -> Table:
    """Return the table of an exported model.

    Raises:
        KeyError: the model is not exported.
    """
    return _TABLES[model]


def read_pages(rows: QuerySet[Model]) -> Iterator[list[Record]]:
    """Yield the records of the rows, page by page. They have all columns of the table, in its order.

    Args:
        rows: of an exported model, in the order of their own columns; see :func:`keyset_pages`.
    """
    table = _TABLES[rows.model]
    references = {"transmission_id", "run_id", "configuration_id"} & {
        field.attname for field in rows.model._meta.concrete_fields
    }
    for page in keyset_pages(rows, *table.own, *references, size=PAGE_SIZE):
        yield [
            {name: added[name] if name in added else row[name] for name in table.columns}
            for row, added in zip(page, table.complete(page), strict=True)
        ]


def start_export(rows: QuerySet[Model]) -> Iterator[list[Record]]:
    """Read the first page, and return an iterator over all pages; see :func:`read_pages`. For responses.

    A later page that takes too long breaks off the response, so a browser reports a failure.

    Raises:
        TimeLimitError: a statement took longer than 10 seconds; also raised by the iterator.
    """
    pages = _limited(read_pages(rows))
    return chain(list(islice(pages, 1)), pages)


def _limited(pages: Iterator[list[Record]]) -> Iterator[list[Record]]:
    while True:
        with time_limit(STATEMENT_SECONDS):
            page = next(pages, None)
        if page is None:
            return
        yield page


def _with_configuration(page: list[Record]) -> Iterator[Record]:
    """Yield the configuration of each row."""
    found = ChannelConfiguration.objects.in_bulk({row["configuration_id"] for row in page})
    for row in page:
        yield _of_configuration(found[row["configuration_id"]])


def _with_item(page: list[Record]) -> Iterator[Record]:
    """Yield the item and its configuration of each attempt."""
    rows = ContentMetadataItemTransmission.objects.only("configuration", "content_key", "content_title")
    transmissions = rows.in_bulk({row["transmission_id"] for row in page})
    found = ChannelConfiguration.objects.in_bulk({each.configuration_id for each in transmissions.values()})
    for row in page:
        transmission = transmissions[row["transmission_id"]]
        yield {
            **_of_configuration(found[transmission.configuration_id]),
            "content_key": transmission.content_key,
            "content_title": transmission.content_title,
        }


def _of_configuration(configuration: ChannelConfiguration) -> Record:
    values = (configuration.pk, str(configuration), configuration.channel_code, configuration.enterprise_customer_uuid)
    return dict(zip(_CONFIGURATION, values, strict=True))


_TABLES: Final[Mapping[type[Model], Table]] = {
    ContentMetadataItemTransmission: Table(
        "transmissions",
        (
            *("content_key", "content_title", "state", "action", "reason", "presence", "remote_id", "catalog_uuid"),
            *("content_updated_at", "attempts", "last_attempt_at", "next_attempt_at", "due_since", "created_at"),
            "deleted_at",
        ),
        _CONFIGURATION,
        _with_configuration,
    ),
    TransmissionAttempt: Table(
        "attempts",
        (
            *("run_id", "action", "outcome", "started_at", "finished_at", "status_code", "vendor_code", "message"),
            *("content_updated_at", "payload_hash"),
        ),
        (*_CONFIGURATION, "content_key", "content_title"),
        _with_item,
    ),
    Decision: Table(
        "decisions",
        ("id", "made_at", "made_by", "action", "reason", "items", "sample"),
        _CONFIGURATION,
        _with_configuration,
    ),
    SyncRun: Table(
        "runs",
        (
            *("id", "state", "reason", "started_at", "finished_at", "counts", "matched", "waiting", "backlog", "dead"),
            *("staged", "held", "kept", "comparison", "changes_since"),
        ),
        _CONFIGURATION,
        _with_configuration,
    ),
}
