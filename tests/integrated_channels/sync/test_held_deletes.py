"""Held deletes: too many deletes wait for approval, and nothing else waits with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.audit import attempts, decisions, plan_marks
from enterprise_catalog.integrated_channels.domain import DeleteLimit
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    TransmissionAttempt,
)
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def configuration(configure: Callable[..., ChannelConfiguration]) -> ChannelConfiguration:
    """A configuration that holds its deletes if they are more than 3 and more than 50 %."""
    return configure(delete_limit_items=3, delete_limit_percent=50)


@pytest.fixture
def catalog(configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock) -> EnterpriseCatalog:
    """A catalog of ten courses that the LMS has."""
    catalog = CatalogFactory.create(courses=10, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    return catalog


@pytest.fixture
def emptied(catalog: EnterpriseCatalog, clock: Clock) -> EnterpriseCatalog:
    """The catalog with a new course in place of all its courses."""
    import_into(catalog, ["New"], now=clock.now, replace=True)
    return catalog


def states() -> dict[str, int]:
    """Return state -> number of rows."""
    found: dict[str, int] = {}
    for state in ContentMetadataItemTransmission.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


@given(deletes=st.integers(0, 300), share=st.integers(0, 100), items=st.integers(0, 300), more=st.integers(0, 300))
def test_a_limit_is_exceeded_in_share_and_in_number_or_half(deletes: int, share: int, items: int, more: int) -> None:
    exceeded = DeleteLimit(items, share).is_exceeded(deletes, of=deletes + more)

    is_many = deletes > items or deletes > more
    assert exceeded == (is_many and deletes > (deletes + more) * share / 100)


@given(count=st.integers(1, 300), share=st.integers(0, 99), items=st.integers(0, 300))
def test_deletes_of_all_there_is_exceed_every_limit(count: int, share: int, items: int) -> None:
    assert DeleteLimit(items, share).is_exceeded(count, of=count)


@pytest.mark.parametrize("count", [1, 3, 50])
def test_emptying_a_small_catalog_is_held(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    count: int,
) -> None:
    configuration = configure()
    catalog = CatalogFactory.create(courses=count, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, [], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert (run.state, run.held, run.counts) == (RunState.INCOMPLETE, count, {})
    assert len(moodle.offered()) == count


@pytest.mark.parametrize(("before", "after", "held"), [(2, 1, 0), (3, 1, 2), (3, 2, 0), (12, 6, 0), (12, 5, 7)])
def test_more_than_half_of_a_small_catalog_is_held(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    before: int,
    after: int,
    held: int,
) -> None:
    configuration = configure()
    catalog = CatalogFactory.create(courses=before, customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, CourseFactory.numbered(after), now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert run.held == held
    assert len(moodle.offered()) == after + held


@pytest.mark.usefixtures("emptied")
def test_many_deletes_are_held_and_everything_else_is_sent(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    run = run_of(configuration, clock)

    assert (run.state, run.held, run.counts) == (RunState.INCOMPLETE, 10, {"create": {"done": 1}})
    assert run.reason == "10 deletes exceed this configuration's limit and are waiting for approval."
    assert len(moodle.offered()) == 11
    assert states() == {"held": 10, "transmitted": 1}
    assert row_of("Northwind+C000003").reason.startswith(
        "Left the catalogs. 10 deletes exceed this configuration's limit"
    )


@pytest.mark.usefixtures("emptied")
def test_held_deletes_stay_held_run_after_run(configuration: ChannelConfiguration, clock: Clock) -> None:
    run_of(configuration, clock)

    run = run_of(configuration, clock)

    assert (run.state, run.held, run.counts) == (RunState.INCOMPLETE, 10, {})
    assert not TransmissionAttempt.objects.filter(action="delete").exists()


def test_few_deletes_are_carried_out(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    import_into(catalog, CourseFactory.numbered(6), now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert (run.state, run.held, run.counts) == (RunState.COMPLETE, 0, {"delete": {"done": 4}})
    assert len(moodle.offered()) == 6


@pytest.mark.usefixtures("emptied")
def test_approved_deletes_are_carried_out_by_the_next_run(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(configuration, clock)
    call_command("decide_deletes", configuration=configuration.pk, approve=True)

    run = run_of(configuration, clock)

    assert capsys.readouterr().out == "10\n"
    assert (run.state, run.held, run.counts) == (RunState.COMPLETE, 0, {"delete": {"done": 10}})
    assert list(moodle.offered()) == ["New"]


@pytest.mark.usefixtures("emptied")
def test_kept_items_stay_after_an_approval_until_they_are_deleted_explicitly(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock
) -> None:
    run_of(configuration, clock)
    call_command("decide_deletes", configuration=configuration.pk, keep=True)
    kept = run_of(configuration, clock)
    call_command("decide_deletes", configuration=configuration.pk, approve=True)
    run_of(configuration, clock)
    still_there = len(moodle.offered())
    call_command("decide_deletes", configuration=configuration.pk, delete_kept=True)

    run = run_of(configuration, clock)

    assert (kept.state, kept.held, kept.kept, kept.counts) == (RunState.COMPLETE_EXCEPT, 0, 10, {})
    assert still_there == 11
    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 10}})


@pytest.mark.usefixtures("emptied")
def test_what_is_no_longer_too_many_and_has_begun_cannot_be_kept(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[int] = []

    def kept_meanwhile(*arguments: Any, **keywords: Any) -> attempts.Attempts:
        decided.append(
            decisions.decide_deletes(configuration.transmissions.all(), approved=False, by="operator", now=clock.now)
        )
        return open_attempts(*arguments, **keywords)

    run_of(configuration, clock)
    configuration.delete_limit_percent = 100
    open_attempts = attempts.open_attempts
    monkeypatch.setattr(attempts, "open_attempts", kept_meanwhile)

    run = run_of(configuration, clock)

    assert set(decided) == {0}
    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 10}})
    assert list(moodle.offered()) == ["New"]


@pytest.mark.usefixtures("emptied")
def test_what_is_no_longer_too_many_and_was_kept_since_the_plan_stays(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept_meanwhile(*arguments: Any, **keywords: Any) -> set[str]:
        row = ContentMetadataItemTransmission.objects.filter(content_key="Northwind+C000003")
        row.update(state="kept", reason="Left the catalogs; kept by operator.")
        return release(*arguments, **keywords)

    run_of(configuration, clock)
    configuration.delete_limit_percent = 100
    release = plan_marks.release
    monkeypatch.setattr(plan_marks, "release", kept_meanwhile)

    run = run_of(configuration, clock)

    assert (run.state, run.kept, run.backlog) == (RunState.COMPLETE_EXCEPT, 1, 0)
    assert run.counts == {"delete": {"done": 9}}
    assert set(moodle.offered()) == {"New", "Northwind+C000003"}
    assert row_of("Northwind+C000003").state == "kept"


@pytest.mark.usefixtures("emptied")
def test_a_decision_while_a_run_is_under_way_is_not_undone_by_it(
    configuration: ChannelConfiguration, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def approved_meanwhile(*arguments: Any, **keywords: Any) -> None:
        decisions.decide_deletes(configuration.transmissions.all(), approved=True, by="operator", now=clock.now)
        hold(*arguments, **keywords)

    run_of(configuration, clock)
    hold = plan_marks.hold
    monkeypatch.setattr(plan_marks, "hold", approved_meanwhile)
    run_of(configuration, clock)

    assert run_of(configuration, clock).counts == {"delete": {"done": 10}}


@pytest.mark.parametrize("keep", [False, True])
def test_what_comes_back_as_it_was_needs_no_call(
    configuration: ChannelConfiguration, emptied: EnterpriseCatalog, clock: Clock, *, keep: bool
) -> None:
    run_of(configuration, clock)
    if keep:
        call_command("decide_deletes", configuration=configuration.pk, keep=True)
    import_into(emptied, CourseFactory.numbered(10), now=clock.now)

    run = run_of(configuration, clock)

    assert (run.state, run.held, run.counts) == (RunState.COMPLETE, 0, {})
    assert states() == {"transmitted": 11}


def test_what_comes_back_changed_is_updated(
    configuration: ChannelConfiguration, emptied: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(emptied, [course | {"title": "Changed"} for course in CourseFactory.numbered(10)], now=clock.now)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"update": {"done": 10}})
    assert len(moodle.offered()) == 11


def test_few_remaining_deletes_need_no_approval(
    configuration: ChannelConfiguration, emptied: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    run_of(configuration, clock)
    import_into(emptied, CourseFactory.numbered(8), now=clock.now)

    run = run_of(configuration, clock)

    assert (run.state, run.held, run.counts) == (RunState.COMPLETE, 0, {"delete": {"done": 2}})
    assert len(moodle.offered()) == 9


@pytest.mark.usefixtures("emptied")
def test_a_dry_run_shows_what_would_be_held_and_holds_nothing(
    configuration: ChannelConfiguration, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("sync_channels", configuration=configuration.pk, dry_run=True)

    assert "hold   Northwind+C000000: exceeds the delete limit; waits for approval" in capsys.readouterr().out
    assert states() == {"transmitted": 10}


def test_a_decision_needs_a_configuration_that_is_there() -> None:
    with pytest.raises(CommandError, match="there is no configuration 7"):
        call_command("decide_deletes", configuration=7, approve=True)
