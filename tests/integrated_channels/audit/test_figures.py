"""The figures of each day: outcomes, time from change to LMS, backlog."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.audit import figures
from enterprise_catalog.integrated_channels.domain import Action, Exported
from enterprise_catalog.integrated_channels.models import ConfigurationStatus, DailyFigure
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import ConfigurationFactory, TransmissionFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock

HOUR = timedelta(hours=1)


def figures_of(day: datetime) -> dict[str, int]:
    """Return name -> value of the day's figures of Moodle."""
    found = DailyFigure.objects.filter(day=day.date(), channel_code="MOODLE")
    return dict(found.values_list("name", "value"))


@pytest.mark.django_db(transaction=True)
def test_the_runs_of_a_day_add_up(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", "L" * 101], customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="A", title="New")], now=clock.now)
    clock.forward(minutes=20)
    run_of(configuration, clock)

    found = figures_of(DAY_ONE)

    assert (found["done"], found["rejected"]) == (2, 1)
    assert found["fresh_1800"] == 1  # The update, after 20 minutes.


@pytest.mark.django_db(transaction=True)
def test_an_unchanged_run_adds_nothing(configuration: ChannelConfiguration, clock: Clock) -> None:
    run_of(configuration, clock)
    run_of(configuration, clock)

    assert figures_of(DAY_ONE) == {}


@pytest.mark.django_db
def test_figures_of_one_day_and_channel_are_added() -> None:
    for _ in range(2):
        figures.add_run("MOODLE", [{"done": 3, "unchanged": 7}, {"done": 1}], {"fresh_60": 2}, day=DAY_ONE.date())
    figures.add_run("CANVAS", [{"done": 5}], {}, day=DAY_ONE.date())

    assert figures_of(DAY_ONE) == {"done": 8, "fresh_60": 4}


@pytest.mark.django_db
def test_the_last_backlog_of_a_day_counts() -> None:
    first, second = ConfigurationFactory.create(), ConfigurationFactory.create()
    rows = ConfigurationStatus.objects
    rows.filter(pk=first.pk).update(behind=5, held=2)
    rows.filter(pk=second.pk).update(failing=1, rejected=9)

    figures.record_backlog(now=DAY_ONE)
    before = figures_of(DAY_ONE)
    rows.filter(pk=first.pk).update(behind=0)
    figures.record_backlog(now=DAY_ONE)

    assert (before, figures_of(DAY_ONE)) == ({"backlog": 8}, {"backlog": 3})


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(-1, "fresh_60"), (60, "fresh_60"), (61, "fresh_300"), (4_000_000, "fresh_2592000")],
)
def test_a_time_belongs_to_the_class_with_the_next_limit(seconds: float, name: str) -> None:
    assert figures.freshness_name(seconds) == name


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("columns", "action", "updated_at", "expected"),
    [
        pytest.param({}, Action.CREATE, DAY_ONE - 9 * HOUR, DAY_ONE - HOUR, id="joined since the last run"),
        pytest.param({}, Action.CREATE, DAY_ONE - HOUR / 2, DAY_ONE - HOUR / 2, id="new content"),
        pytest.param(
            {"due_since": DAY_ONE - 5 * HOUR}, Action.CREATE, DAY_ONE - 9 * HOUR, DAY_ONE - 5 * HOUR, id="due before"
        ),
        pytest.param({"transmitted": True}, Action.UPDATE, DAY_ONE - 2 * HOUR, DAY_ONE - 2 * HOUR, id="changed"),
        pytest.param({"transmitted": True}, Action.UPDATE, DAY_ONE, None, id="sent again"),
        pytest.param({"transmitted": True}, Action.DELETE, None, DAY_ONE - HOUR, id="left"),
    ],
)
def test_the_time_of_a_change(
    columns: dict[str, object], action: Action, updated_at: datetime | None, expected: datetime | None
) -> None:
    row = TransmissionFactory.create(**columns)

    found = figures.changed_at(row, action, Exported(updated_at=updated_at), run_since=DAY_ONE, earlier=DAY_ONE - HOUR)

    assert found == expected
