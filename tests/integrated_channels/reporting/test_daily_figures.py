"""The figures of the last days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enterprise_catalog.integrated_channels.audit import figures
from enterprise_catalog.integrated_channels.models import DailyFigure
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import DAYS, last_days, percentile
from tests.factories import DAY_ONE

TODAY = DAY_ONE.date()


@pytest.mark.django_db
def test_a_day_adds_up_all_channels() -> None:
    for channel in ("MOODLE", "CANVAS"):
        figures.add_run(channel, [{"done": 2, "staged": 1, "rejected": 3, "skipped": 4}], {"fresh_60": 1}, day=TODAY)
    DailyFigure.objects.create(day=TODAY, channel_code="MOODLE", name="backlog", value=7)

    days = last_days(TODAY)

    assert len(days) == DAYS
    today = days[-1]
    assert (today.day, today.accepted, today.rejected, today.failed, today.not_sent) == (TODAY, 6, 6, 0, 8)
    assert (today.p50_seconds, today.backlog) == (30, 7)


@pytest.mark.django_db
def test_days_without_figures_are_empty_and_older_days_are_left_out() -> None:
    figures.add_run("MOODLE", [{"done": 2}], {}, day=TODAY - timedelta(days=DAYS))

    assert {(day.accepted, day.p50_seconds, day.backlog) for day in last_days(TODAY)} == {(0, None, None)}


@pytest.mark.parametrize(
    ("numbers", "share", "expected"),
    [
        ({}, 0.5, None),
        ({"fresh_60": 10}, 0.5, 30),
        ({"fresh_60": 10, "fresh_300": 10}, 0.95, 276),
        ({"fresh_2592000": 1}, 1, 2_592_000),
    ],
)
def test_a_percentile_lies_within_its_class(numbers: dict[str, int], share: float, expected: float | None) -> None:
    assert percentile(numbers, share) == (None if expected is None else pytest.approx(expected))
