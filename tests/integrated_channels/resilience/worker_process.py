"""A process that works on a site's database for a test: it changes the catalogs, syncs, and reports the rows.

:func:`main` reads one JSON object per line from standard input and writes one line of JSON for each. The member ``do``
names a method of :class:`WorkerProcess`, and the other members are its arguments.
"""

from __future__ import annotations

import contextlib
import io
import json
import mmap
import os
import random
import select
import signal
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import close_old_connections, connection, connections
from django.db.models import F
from django.utils import timezone

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.ingest.writer import import_documents
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog, EnterpriseCustomer
from enterprise_catalog.db.contention import retry
from enterprise_catalog.integrated_channels.access.configurations import make_configuration, open_channel
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncLease,
)
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from tests.factories.catalog import CourseFactory
from tests.integrated_channels.resilience.reconciliation import as_text
from tests.integrated_channels.resilience.tables import (
    forget_changes,
    items_of,
    recorded_state_of,
    request_full_comparisons,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

CUSTOMER: Final = "eeeeeeee-0000-4000-8000-000000000000"
CATALOGS: Final = tuple(f"eeeeeeee-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))

#: All content keys. Few keys: each item is added, changed, removed and re-added many times.
KEYS: Final = (*(f"Northwind+C{number:02}" for number in range(38)), 'A "quoted"\\key/', "Ünï+😀")

#: After so many changes of the catalogs, the log of changes is deleted, or full comparisons are requested.
FORGET_EVERY: Final = 5
COMPARE_EVERY: Final = 7


def main() -> None:
    """Create catalogs, then carry out requests until standard input ends."""
    worker_process = WorkerProcess()
    worker_process.make_catalogs()
    for line in sys.stdin:
        request = json.loads(line)
        close_old_connections()  # The database may have been down since the last request.
        _say(getattr(worker_process, request.pop("do"))(**request))


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


class WorkerProcess:
    """The operations of the process, based on the project's own functions and commands."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._count = 0

    def make_catalogs(self) -> None:
        """Create the customer and three overlapping catalogs."""
        customer = EnterpriseCustomer(uuid=CUSTOMER, name="Acme", slug="acme", learner_portal_url="https://example.org")
        save_customer(customer, now=timezone.now())
        for uuid in CATALOGS:
            query = CatalogQuery.objects.create(title=uuid)
            catalog = EnterpriseCatalog(uuid=uuid, title=uuid, enterprise_customer=customer, catalog_query=query)
            save_catalog(catalog, now=timezone.now())
            self._import(query, {key: f"{key} at first" for key in self._random.sample(KEYS, 15)})

    def catalogs(self) -> dict[str, Any]:
        """Return the content of the catalogs, and the latest time of a change."""
        return _what_catalogs_hold()

    def reseed(self, seed: int) -> dict[str, Any]:
        """Set the random seed of all further changes, and fill catalogs that an earlier test left empty.

        Returns:
            The content of the catalogs and the latest time of a change.
        """
        self._random.seed(seed)
        for catalog in EnterpriseCatalog.objects.with_parts().filter(catalog_query=None):
            self._empty_or_fill(catalog)
        return _what_catalogs_hold()

    def limit_chunks(self, configuration: int, chunks: int | None) -> None:
        """Set the most chunks that one run of the configuration may send; ``None`` means no limit."""
        ChannelConfiguration.objects.filter(pk=configuration).update(max_chunks_per_run=chunks)

    def connect(self, *, columns: dict[str, Any], catalog_uuids: list[str], **connection: Any) -> int:
        """Create a configuration and return its ID.

        Args:
            columns: other columns of the configuration. By default, deletes are never held.
            connection: channel, base URL, settings and credentials, as for ``make_configuration``.
        """
        configuration = make_configuration(
            customer_uuid=UUID(CUSTOMER), catalog_uuids=map(UUID, catalog_uuids), **connection
        )
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(**{"delete_limit_percent": 100, **columns})
        with open_channel(configuration):
            pass  # Load slow modules now, before any fork.
        return configuration.pk

    def change(self) -> dict[str, Any]:
        """Change the catalogs. Return their content and the latest time of a change."""
        self._count += 1
        for query in CatalogQuery.objects.order_by("pk"):
            self._change_query(query)
        if self._random.random() < 0.1:
            customer = EnterpriseCustomer.objects.get(pk=CUSTOMER)
            customer.slug = f"slug-{self._count}"  # Part of every document.
            save_customer(customer, now=timezone.now())
        if self._random.random() < 0.2:
            catalogs = EnterpriseCatalog.objects.with_parts()
            self._empty_or_fill(catalogs.get(pk=self._random.choice(CATALOGS)))
        if self._count % FORGET_EVERY == 0:
            forget_changes()
        if self._count % COMPARE_EVERY == 0:
            request_full_comparisons()
        return _what_catalogs_hold()

    def _change_query(self, query: CatalogQuery) -> None:
        """Remove, add and change some content, all in one import."""
        content = ContentMetadata.objects.filter(memberships__catalog_query=query)
        titles = dict(content.values_list("content_key", "title"))
        for key in self._some(titles, at_most=4):
            del titles[key]
        changing = self._some(titles, at_most=5) + self._some(set(KEYS) - titles.keys(), at_most=4)
        self._import(query, titles | {key: self._title(key) for key in changing})

    def _empty_or_fill(self, catalog: EnterpriseCatalog) -> None:
        """Remove a catalog's query, or restore it."""
        query = None if catalog.catalog_query else CatalogQuery.objects.get(title=catalog.title)
        catalog.catalog_query = query
        save_catalog(catalog, now=timezone.now())

    def _some(self, keys: Collection[str], *, at_most: int) -> list[str]:
        return self._random.sample(sorted(keys), self._random.randint(0, min(len(keys), at_most)))

    def _title(self, key: str) -> str:
        """Return a new title for the content, or its first title."""
        return f"{key} at first" if self._random.random() < 0.2 else f"{key} of change {self._count}"

    def _import(self, query: CatalogQuery, titles: Mapping[str, str]) -> None:
        """Replace the query's content with these titles."""
        lines = [json.dumps(CourseFactory.build(key=key, title=title)).encode() for key, title in titles.items()]
        import_documents(lambda: query, lines, now=timezone.now(), replace=True, allow_shrink=True)

    def sync_in_fork(
        self, configuration: int, kill_after: float | None = None, kill_before: int | None = None
    ) -> dict[str, Any]:
        """Run ``sync_channels`` in a fork, which may be killed. Return how it ended.

        Args:
            kill_after: seconds.
            kill_before: number of a statement, the first being 1.

        Returns:
            ``was_killed``, ``began_at``, the lifetime in ``seconds`` and the number of executed ``statements``. The
            fork has ended and has been reaped.
        """
        connections.close_all()  # A fork that used our connections would close them for us.
        statements = _Statements(kill_before)
        began_at, start = timezone.now(), time.monotonic()
        child = os.fork()
        if child == 0:
            _sync_and_exit(configuration, statements)
        descriptor = os.pidfd_open(child)
        try:
            ended, _, _ = select.select([descriptor], [], [], kill_after)
            if not ended:
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        finally:
            os.close(descriptor)
        seconds = time.monotonic() - start
        return {
            "was_killed": os.WIFSIGNALED(status),
            "began_at": as_text(began_at),
            "seconds": seconds,
            "statements": statements.number,
        }

    def queue_sync(self, configuration: int) -> str:
        """Queue a sync as the scheduler does when a configuration is due. Return the task's ID."""
        return str(sync_configuration.delay(configuration))

    def let_a_day_pass(self) -> None:
        """Let a day pass for leases, rate limits and retries by shifting their timestamps.

        Failed items are due again.
        """
        day = timedelta(days=1)
        SyncLease.objects.update(expires_at=F("expires_at") - day, calls_since=F("calls_since") - day)
        # A poll of the feed may write the same rows at the same time.
        retry(lambda: ContentMetadataItemTransmission.objects.update(next_attempt_at=F("next_attempt_at") - day))

    def flush_broker(self) -> None:
        """Delete all data in the broker's Redis."""
        with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
            client.flushall()

    def recorded_state(self, configuration: int) -> dict[str, Any]:
        """Return the fields of a configuration's :class:`RecordedState`."""
        return asdict(recorded_state_of(configuration))


class _Statements:
    """Counts the statements of a fork in memory shared with its parent, and kills the fork before a given statement."""

    def __init__(self, kill_before: int | None) -> None:
        self._shared = mmap.mmap(-1, 8)
        self._kill_before = kill_before

    @property
    def number(self) -> int:
        """Number of statements so far."""
        return int.from_bytes(self._shared[:8], "little")

    def __call__(self, execute: Callable[..., object], *arguments: object) -> object:
        if self.number + 1 == self._kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        self._shared[:8] = (self.number + 1).to_bytes(8, "little")
        return execute(*arguments)


def _sync_and_exit(configuration: int, statements: _Statements) -> None:
    """Sync, and end this process at once without cleaning up: open resources belong to the parent."""
    # The command exits on errors; the rows contain them, too.
    with contextlib.suppress(SystemExit), connection.execute_wrapper(statements):
        call_command("sync_channels", configuration=configuration, stdout=io.StringIO())
    connections.close_all()
    os._exit(0)


def _what_catalogs_hold() -> dict[str, Any]:
    catalogs = EnterpriseCatalog.objects.select_related("enterprise_customer")
    return {"at": as_text(timezone.now()), "catalogs": {str(catalog.pk): items_of(catalog) for catalog in catalogs}}
