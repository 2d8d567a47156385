"""The overview: counts per status, the order of the rows, and their reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.integrated_channels.models import ConfigurationStatus, RunState, Status
from enterprise_catalog.integrated_channels.reporting import overview
from enterprise_catalog.integrated_channels.reporting.overview import Overview
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from django.db.models import QuerySet

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def make(state: Status, name: str = "", **columns: Any) -> ConfigurationStatus:
    """Create a configuration with this status, since noon, whose last run was complete and whose next sync is due."""
    configuration = ConfigurationFactory.create(display_name=name)
    defaults = {"since": DAY_ONE, "next_sync_at": DAY_ONE, "run_state": RunState.COMPLETE, "matched": 10}
    rows: QuerySet[ConfigurationStatus] = ConfigurationStatus.objects.filter(pk=configuration.pk)
    rows.update(**{**defaults, **columns, "state": state, "rank": state.rank})
    return rows.get()


def current() -> Overview:
    return Overview(ConfigurationStatus.objects.all(), DAY_ONE)


def names(*states: Status, number: int = 1) -> list[str]:
    """Return the names of the listed configurations."""
    shown = current()
    page = shown.page(shown.counts(), states or overview.ATTENTION, number=number)
    return [row.status.configuration.display_name for row in page.rows]


def reason_of(state: Status, **columns: Any) -> str:
    """Return the reason of the only listed configuration."""
    make(state, **columns)
    shown = current()
    [row] = shown.page(shown.counts(), tuple(Status)).rows
    return row.reason


def test_configurations_are_counted_by_status() -> None:
    for state in (Status.UP_TO_DATE, Status.UP_TO_DATE, Status.FAILING, Status.PAUSED):
        make(state)

    found = {state: number for state, number in current().counts().items() if number}

    assert found == {Status.UP_TO_DATE: 2, Status.FAILING: 1, Status.PAUSED: 1}


def test_the_worst_is_first_and_then_the_longest() -> None:
    make(Status.NEVER_SYNCED, "never")
    make(Status.BEHIND, "behind")
    make(Status.FAILING, "failing since noon")
    make(Status.FAILING, "failing since eleven", since=DAY_ONE - HOUR)
    make(Status.UP_TO_DATE, "fine")
    make(Status.NEEDS_DECISION, "needs a decision")

    expected = ["failing since eleven", "failing since noon", "needs a decision", "behind", "never"]
    assert names() == expected


def test_a_healthy_configuration_that_is_overdue_is_behind() -> None:
    make(Status.UP_TO_DATE, "late", next_sync_at=DAY_ONE - HOUR - timedelta(seconds=1))
    make(Status.UP_TO_DATE, "in time", next_sync_at=DAY_ONE - HOUR)
    make(Status.BEHIND, "behind")

    counts = current().counts()

    assert (counts[Status.UP_TO_DATE], counts[Status.BEHIND]) == (1, 2)
    assert names() == ["behind", "late"]
    assert names(Status.UP_TO_DATE) == ["in time"]
    [_, late] = current().page(counts).rows
    assert (late.state, late.is_overdue) == (Status.BEHIND, True)
    assert late.reason == "No sync has started since it was due. Check that a worker and the scheduler are running."


def test_overdue_configurations_follow_on_later_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "ROWS_PER_PAGE", 2)
    for number in range(3):
        make(Status.FAILING, f"failing {number}")
    for number in range(3):
        make(Status.UP_TO_DATE, f"late {number}", next_sync_at=DAY_ONE - 2 * HOUR)

    pages = [names(number=number) for number in (1, 2, 3, 4)]

    assert pages == [["failing 0", "failing 1"], ["failing 2", "late 0"], ["late 1", "late 2"], ["late 1", "late 2"]]


@pytest.mark.parametrize(
    ("state", "columns", "reason"),
    [
        (Status.FAILING, {"run_state": "stopped", "reason": "The LMS returned 401."}, "The LMS returned 401."),
        (Status.FAILING, {"failing": 2}, "2 items failed and are retried."),
        (Status.FAILING, {"rejected": 11}, "Most items are rejected. 11 items are rejected."),
        (
            Status.NEEDS_DECISION,
            {"held": 1, "dead": 2},
            "1 delete waits for approval. 2 items failed too often and are not retried.",
        ),
        (Status.BEHIND, {"behind": 1_200}, "1,200 items are still to be sent."),
        (Status.NEVER_SYNCED, {"run_state": ""}, "The first sync has not ended yet."),
        (
            Status.UP_TO_DATE_EXCEPT,
            {"rejected": 6, "kept": 1},
            "6 items are rejected. 1 item was kept by an operator.",
        ),
        (Status.PAUSED, {"held": 3}, "Paused: nothing is sent until it is activated."),
        (Status.UP_TO_DATE, {}, ""),
    ],
)
def test_the_reason_is_a_sentence(state: Status, columns: dict[str, object], reason: str) -> None:
    assert reason_of(state, **columns) == reason


def test_a_customer_without_a_known_name_is_shown_by_its_uuid() -> None:
    make(Status.FAILING)
    make(Status.FAILING, customer_name="Acme")
    shown = current()

    rows = shown.page(shown.counts()).rows

    assert [row.customer for row in rows] == ["00000000-0000-0000-0000-000000000007", "Acme"]
