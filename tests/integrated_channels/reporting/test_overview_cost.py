"""The rows that the overview reads with 5,000 configurations, from MariaDB's handler counters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import pytest
from django.db import connection

from enterprise_catalog.integrated_channels.audit import figures
from enterprise_catalog.integrated_channels.audit.bulk import insert
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ConfigurationStatus, Status
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import DAYS, last_days
from enterprise_catalog.integrated_channels.reporting.overview import ATTENTION, FILTERS, Overview
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("mariadb")]

CONFIGURATIONS: Final = 5_000
MAX_ROWS: Final = 5_000
MAX_STATEMENTS: Final = 30


@pytest.fixture(autouse=True)
def configurations() -> None:
    """5,000 configurations: one in ten needs attention, and one in twenty is overdue."""
    later = DAY_ONE + timedelta(hours=1)
    rows = [
        ChannelConfiguration(
            channel_code="MOODLE", enterprise_customer_uuid=UUID(int=number), credentials="", created_at=DAY_ONE
        )
        for number in range(CONFIGURATIONS)
    ]
    insert(rows)
    unhealthy = (Status.FAILING, Status.NEEDS_DECISION, Status.BEHIND, Status.PAUSED)
    statuses = []
    for number, configuration in enumerate(rows):
        state = unhealthy[number // 10 % 4] if number % 10 == 0 else Status.UP_TO_DATE
        due = DAY_ONE - timedelta(days=1) if number % 20 == 1 else later
        columns = {"state": state, "rank": state.rank, "since": DAY_ONE, "next_sync_at": due}
        statuses.append(ConfigurationStatus(configuration=configuration, **columns))
    ConfigurationStatus.objects.bulk_create(statuses, batch_size=1_000)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE TABLE integrated_channels_configurationstatus, integrated_channels_channelconfiguration"
        )
        cursor.fetchall()


def rows_read() -> int:
    """Return the number of rows that this connection has read so far."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%'")
        return sum(int(value) for _, value in cursor.fetchall())


@pytest.fixture
def reads() -> Iterator[list[int]]:
    """The number of rows that each statement reads, collected from now on."""
    found: list[int] = []
    is_counting = True

    def count(execute: Callable[..., object], *statement: object) -> object:
        nonlocal is_counting
        if not is_counting:
            return execute(*statement)
        is_counting = False
        before = rows_read()
        result = execute(*statement)
        # SHOW STATUS itself reads the counters from a table.
        own = -(rows_read() - rows_read())
        found.append(rows_read() - before - 3 * own)
        is_counting = True
        return result

    with connection.execute_wrapper(count):
        yield found


def test_no_statement_reads_more_than_5000_rows(reads: list[int]) -> None:
    shown = Overview(ConfigurationStatus.objects.all(), DAY_ONE)
    counts = shown.counts()
    for states in (ATTENTION, *FILTERS.values()):
        for number in (1, 1_000):
            shown.page(counts, states, number=number)

    assert sum(counts.values()) == CONFIGURATIONS
    assert counts[Status.BEHIND] == 125 + 250
    assert max(reads) <= MAX_ROWS


def test_the_overview_takes_fewer_than_30_statements(reads: list[int]) -> None:
    shown = Overview(ConfigurationStatus.objects.all(), DAY_ONE)

    page = shown.page(shown.counts(), number=20)
    last_days(DAY_ONE.date())

    assert page.rows
    assert len(reads) < MAX_STATEMENTS


def test_the_charts_read_their_rows_once(reads: list[int]) -> None:
    outcomes = [dict.fromkeys(map(str, figures.OUTCOMES), 1)]
    fresh = dict.fromkeys((figures.freshness_name(limit) for limit in figures.FRESHNESS_LIMITS), 1)
    for channel in range(6):
        for day in range(DAYS):
            figures.add_run(f"CHANNEL{channel}", outcomes, fresh, day=DAY_ONE.date() - timedelta(days=day))
    reads.clear()

    days = last_days(DAY_ONE.date())

    assert days[0].accepted == 12
    assert len(reads) == 1
    assert max(reads) <= MAX_ROWS
