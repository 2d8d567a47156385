"""The rolled-up rows that the overview reads. The program's own functions count and write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from enterprise_catalog.integrated_channels.audit import figures, status
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import DAYS


def seed_statuses() -> None:
    """Insert the status of each configuration after its newest run."""
    with connection.cursor() as cursor:
        cursor.execute(_STATUSES)
    with transaction.atomic():
        status.refresh(ChannelConfiguration.objects.values_list("pk", flat=True), now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_TIMES)


def seed_figures() -> None:
    """Insert all figures of each channel, for the days that the charts show and as many days before."""
    now = timezone.now()
    fresh = {figures.freshness_name(limit): limit % 97 + 1 for limit in figures.FRESHNESS_LIMITS}
    for days in range(2 * DAYS):
        outcomes = {outcome.value: 1_000 + 10 * days for outcome in figures.OUTCOMES}
        for code in CHANNELS:
            figures.add_run(code, [outcomes], fresh, day=(now - timedelta(days=days)).date())
        figures.record_backlog(now=now - timedelta(days=days))


#: The numbers of items and the state follow later.
_STATUSES: Final = """
INSERT INTO integrated_channels_configurationstatus (
    configuration_id, state, `rank`, since, reason, failing, held, dead, behind, rejected, kept, matched, run_state,
    last_run_at, compared_at, next_sync_at, customer_name)
SELECT configuration.id, '', 0, NOW(6), run.reason, 0, 0, 0, 0, 0, 0, run.matched, run.state,
    run.finished_at, run.started_at, configuration.next_sync_at, CONCAT('Customer ', configuration.id DIV 2)
FROM (SELECT configuration_id, MAX(id) AS id FROM integrated_channels_syncrun GROUP BY configuration_id) AS newest
JOIN integrated_channels_syncrun AS run ON run.id = newest.id
JOIN integrated_channels_channelconfiguration AS configuration ON configuration.id = newest.configuration_id
"""

_TIMES: Final = """
UPDATE integrated_channels_configurationstatus SET since = NOW(6) - INTERVAL configuration_id * 7 % 10000 MINUTE
"""
