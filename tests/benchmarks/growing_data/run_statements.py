"""Real runs, a decision and the scheduler's work: the plan of each statement, and the limits of the rows it reads."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Comparison,
    ContentMetadataItemTransmission,
    RunState,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.integrated_channels.tasks import changes, claims
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.benchmarks.audit_view.measuring import catalog_settings
from tests.benchmarks.growing_data.explaining import explained
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from tests.benchmarks.growing_data.explaining import Explained

#: A statement reads at most this many rows for each row that it needs, and a few more. Claims rank the due
#: configurations in temporary tables, and read each one fourteen times.
MAX_ROWS_PER_NEEDED: Final = 3
MAX_ROWS_MORE: Final = 150
#: A statement that sorts, or that needs a temporary table, reads at most this many rows.
MAX_SORTED: Final = 1_000
#: Items that change, or that fail, before a run.
_FEW: Final = 10


@dataclass(frozen=True, slots=True)
class Work:
    """A run, a decision, or a part of the scheduler's work, with its statements."""

    name: str
    needed: int  #: The most rows that one of its statements needs.
    statements: Sequence[Explained]

    @property
    def rows_read(self) -> int:
        """Rows read by the statement that reads the most."""
        return max((statement.rows_read for statement in self.statements), default=0)

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each statement that scans a table, sorts or reads too many rows, or locks others."""
        yield from self.needless_locks()
        for statement in self.statements:
            sql = statement.sql[:2_000]
            for step in statement.plan:
                if step.is_scan:
                    yield f"{self.name}: a scan of {step.table} ({step.access}, {step.index or 'no index'}): {sql}"
                if step.sorts and statement.rows_read > max(MAX_SORTED, self.needed):
                    yield f"{self.name}: sorts {statement.rows_read:,} rows: {sql}"
            if statement.rows_read > MAX_ROWS_PER_NEEDED * self.needed + MAX_ROWS_MORE:
                yield f"{self.name}: reads {statement.rows_read:,} rows for {self.needed:,}: {sql}"

    def needless_locks(self) -> Iterator[str]:
        """Yield a sentence for each statement that may lock rows with other primary keys than it names."""
        for statement in self.statements:
            for step in statement.locked_by_index():
                yield f"{self.name}: finds rows by {step.index} instead of their primary key: {statement.sql[:2_000]}"


def measure_work(items: int) -> Iterator[Work]:
    """Sync a new configuration in each way, decide, run the scheduler's work, and yield the statements of each.

    Args:
        items: number of items of the configuration.
    """
    with synced_configuration(items) as (synced, moodle):
        yield from _runs(synced, moodle, items)
        yield _decide(synced.configuration_id)
        yield from _scheduler(synced.configuration_id, synced.catalog)


@dataclass(slots=True)
class Synced:
    """A configuration and its catalog, for runs in this thread."""

    configuration_id: int
    catalog: EnterpriseCatalog
    edition: int = 1

    def run(self, *, compare_all: bool = False, expected: Comparison) -> SyncRun:
        """Sync, check the comparison, and return the run's row."""
        configuration = ChannelConfiguration.objects.get(pk=self.configuration_id)
        row = sync(configuration, clock=timezone.now, compare_all=compare_all)
        assert row is not None
        assert row.comparison == expected, (row.comparison, row.state, row.reason)
        return row

    def change(self) -> None:
        """Change a few items in the catalog."""
        self.edition += 1
        courses = [course | {"title": f"Edition {self.edition}"} for course in CourseFactory.numbered(_FEW)]
        import_into(self.catalog, courses, now=timezone.now())


@contextmanager
def synced_configuration(items: int) -> Iterator[tuple[Synced, MoodleSandbox]]:
    """Serve the catalog service and an empty Moodle, and yield a new configuration between them."""
    customer = CustomerFactory.create()
    catalog = CatalogFactory.create(courses=items, customer=customer, now=timezone.now())
    moodle = MoodleSandbox()
    with (
        on_loopback(get_wsgi_application()) as url,
        override_settings(**catalog_settings(url)),
        on_loopback(moodle) as moodle_url,
    ):
        configuration = ConfigurationFactory.create(
            enterprise_customer_uuid=customer.pk,
            base_url=moodle_url,
            sandbox=moodle,
            catalog_uuids=[str(catalog.pk)],
            sync_interval_minutes=1,
        )
        yield Synced(configuration.pk, catalog), moodle


def _runs(synced: Synced, moodle: MoodleSandbox, items: int) -> Iterator[Work]:
    with explained() as statements:
        synced.run(expected=Comparison.FIRST)
    assert len(moodle.offered()) == items
    yield Work("first sync", items, statements)

    synced.change()
    with explained() as statements:
        synced.run(expected=Comparison.CHANGES)
    yield Work(f"{_FEW} changes", _FEW, statements)

    with explained() as statements:
        synced.run(expected=Comparison.UNCHANGED)
    yield Work("no change", 0, statements)

    synced.change()
    with explained() as statements:
        synced.run(compare_all=True, expected=Comparison.REQUESTED)
    yield Work("full comparison", items, statements)

    synced.change()
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_update_courses", times=None))
    synced.run(expected=Comparison.CHANGES)
    moodle.faults.clear()
    rows = ContentMetadataItemTransmission.objects.filter(configuration=synced.configuration_id)
    assert rows.unsettled().update(next_attempt_at=timezone.now()) == _FEW
    with explained() as statements:
        row = synced.run(expected=Comparison.CHANGES)
    assert row.counts == {"update": {"done": _FEW}}, row.counts
    yield Work("retries", _FEW, statements)

    _leave_dead_run(synced.configuration_id)
    with explained() as statements:
        synced.run(expected=Comparison.DEAD_RUN)
    yield Work("run after a dead run", items, statements)


def _decide(configuration_id: int) -> Work:
    """Let items fail for good, queue them again, and return the statements of this decision."""
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configuration_id)
    some = list(rows.values_list("pk", flat=True)[:_FEW])
    rows.filter(pk__in=some).update(state=State.DEAD_LETTER)
    with explained() as statements:
        decided = decisions.queue_again(rows, by="the benchmark", now=timezone.now())
    assert decided == _FEW, decided
    return Work("a decision", _FEW, statements)


def _leave_dead_run(configuration_id: int) -> None:
    """Leave a run, and attempts, as a worker that dies during a call."""
    now = timezone.now()
    run = SyncRun.objects.create(configuration_id=configuration_id, started_at=now, state=RunState.RUNNING)
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configuration_id)[:_FEW]
    TransmissionAttempt.objects.bulk_create(
        TransmissionAttempt(transmission=row, run=run, action=Action.UPDATE, started_at=now) for row in rows
    )


def _scheduler(configuration_id: int, catalog: EnterpriseCatalog) -> Iterator[Work]:
    """Yield what the scheduler does, with a few configurations that are due."""
    changes.find_changes(timezone.now)
    import_into(catalog, [CourseFactory.build(key="of the scheduler")], now=timezone.now())
    with explained() as statements:
        changes.find_changes(timezone.now)
    yield Work("changed customers", _FEW, statements)

    now = timezone.now()
    ChannelConfiguration.objects.update(queued_at=None, next_sync_at=now + timedelta(hours=1))
    due = ChannelConfiguration.objects.filter(active=True).order_by("-pk").values_list("pk", flat=True)[:_FEW]
    ChannelConfiguration.objects.filter(pk__in=list(due)).update(next_sync_at=now)
    with explained() as statements:
        claimed = claims.claim_due(claims.read_load(now), now=now)
    assert len(claimed) == _FEW
    yield Work("claims", _FEW, statements)

    with explained() as statements:
        assert claims.take(claimed[0].configuration_id, claimed[0].token)
        assert claims.claim_now(configuration_id, now=timezone.now()) is not None
    yield Work("a message", 1, statements)

    with explained() as statements:
        claims.read_load(now)
        claims.release_lost("sweep", is_empty=True, now=now + timedelta(hours=1))
        claims.release(claimed)
    yield Work("lost messages", len(claimed), statements)
