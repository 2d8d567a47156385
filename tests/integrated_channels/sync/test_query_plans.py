"""Each statement of a run and of the scheduler uses an index: the short form of ``tests.benchmarks.growing_data``."""

from __future__ import annotations

import pytest
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.models import SyncLease
from tests.benchmarks.audit_view.seeding import Size, seed, update_statistics
from tests.benchmarks.growing_data.run_statements import measure_work
from tests.benchmarks.growing_data.seeding import History, seed_history
from tests.factories.channels import ConfigurationFactory

pytestmark = [pytest.mark.only_on("mariadb"), pytest.mark.django_db(transaction=True)]


def test_each_statement_of_a_run_reads_the_rows_that_it_needs_from_an_index() -> None:
    seed(Size(configurations=400, transmissions=40_000, runs_each=1))
    seed_history(History(attempts=20_000))
    update_statistics()

    works = list(measure_work(200))

    assert len(works) == 11
    assert all(work.statements for work in works)
    problems = [problem for work in works for problem in work.problems()]
    assert problems == [], "\n".join(problems)


def test_no_statement_locks_rows_of_other_configurations_in_small_tables() -> None:
    """In small tables, MariaDB prefers other indexes."""
    for number in range(20):
        configuration = ConfigurationFactory.create(base_url=f"https://lms{number}.example.com")
        leases.acquire(configuration.pk, now=timezone.now())
    SyncLease.objects.update(expires_at=None)
    update_statistics()

    works = list(measure_work(30))

    locks = [lock for work in works for lock in work.needless_locks()]
    assert locks == [], "\n".join(locks)
