"""Each statement of a run and of the scheduler uses an index: the short form of ``tests.benchmarks.growing_data``."""

from __future__ import annotations

import pytest

from tests.benchmarks.audit_view.seeding import Size, seed, update_statistics
from tests.benchmarks.growing_data.run_statements import measure_work
from tests.benchmarks.growing_data.seeding import History, seed_history

pytestmark = [pytest.mark.only_on("mariadb"), pytest.mark.django_db(transaction=True)]


def test_each_statement_of_a_run_reads_the_rows_that_it_needs_from_an_index() -> None:
    seed(Size(configurations=400, transmissions=40_000, runs_each=1))
    seed_history(History(attempts=20_000))
    update_statistics()

    works = list(measure_work(200))

    assert len(works) == 10
    assert all(work.statements for work in works)
    problems = [problem for work in works for problem in work.problems()]
    assert problems == [], "\n".join(problems)
