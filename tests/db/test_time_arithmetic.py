"""Times that the database computes from a column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from enterprise_catalog.db.time_arithmetic import MinutesBefore
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.factories.channels import ConfigurationFactory

pytestmark = pytest.mark.django_db

#: Without and with fractions of a second, at the end of a month, of a year and of a leap day.
MOMENTS = [
    datetime(2026, 11, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2028, 2, 29, 12, 0, 0, 1_000, tzinfo=UTC),
]


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize("minutes", [5, 1_440, 43_200])
def test_the_time_is_exact_to_a_millisecond(now: datetime, minutes: int) -> None:
    millisecond, before = timedelta(milliseconds=1), now - timedelta(minutes=minutes)
    rows = [
        ConfigurationFactory.create(freshness_goal_minutes=minutes, next_sync_at=before + offset)
        for offset in (-millisecond, millisecond)
    ]

    earlier = ChannelConfiguration.objects.filter(next_sync_at__lt=MinutesBefore(now, F("freshness_goal_minutes")))
    later = ChannelConfiguration.objects.filter(next_sync_at__gte=MinutesBefore(now, F("freshness_goal_minutes")))

    assert [list(earlier), list(later)] == [rows[:1], rows[1:]]


def test_a_row_without_minutes_is_not_found() -> None:
    ConfigurationFactory.create(next_sync_at=MOMENTS[0] - timedelta(days=99))
    before = MinutesBefore(MOMENTS[0], F("freshness_goal_minutes"))

    assert not ChannelConfiguration.objects.filter(next_sync_at__lt=before).exists()
