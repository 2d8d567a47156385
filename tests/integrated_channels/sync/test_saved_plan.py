"""Saved plans: a plan is carried out as displayed, or rejected because something has changed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, RunState, SyncRun
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_plan_inputs
from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    return CatalogFactory.create(courses=3, customer=customer)


def saved_now(configuration: ChannelConfiguration, clock: Clock) -> SavedPlan:
    with CatalogClient() as catalogs:
        of_customer = catalogs.list_catalogs(configuration.enterprise_customer_uuid).uuids
        return load_plan_inputs(configuration, catalogs, of_customer=of_customer, now=clock.now).to_save()


def applied(configuration: ChannelConfiguration, saved: SavedPlan, clock: Clock) -> SyncRun:
    row = sync(configuration, clock=clock, saved=saved)
    assert row is not None
    return row


def test_a_plan_of_which_nothing_has_moved_on_is_carried_out(
    configuration: ChannelConfiguration, catalog: EnterpriseCatalog, moodle: MoodleSandbox, clock: Clock
) -> None:
    run_of(configuration, clock)
    import_into(catalog, [*CourseFactory.numbered(2), "A"], now=clock.now + timedelta(minutes=1), replace=True)
    saved = saved_now(configuration, clock)
    clock.forward(hours=5)

    run = applied(configuration, SavedPlan.model_validate_json(saved.model_dump_json()), clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 1}, "delete": {"done": 1}})
    assert moodle.offered().keys() == {"A", *CourseFactory.keys(2)}


def edit(configuration: ChannelConfiguration, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(configuration, name, value)
    configuration.save()


@pytest.mark.parametrize(
    ("move", "what"),
    [
        (lambda _, catalog, clock: import_into(catalog, ["B"], now=clock.now), "the catalogs have changed"),
        (
            lambda _, catalog, clock: import_into(
                catalog, [CourseFactory.numbered(1)[0] | {"title": "New"}], now=clock.now
            ),
            "the catalogs have changed",
        ),
        (lambda configuration, _, clock: run_of(configuration, clock), "items were sent"),
        (lambda configuration, *_: edit(configuration, settings={"category_id": 2}), "the configuration was edited"),
        (lambda configuration, *_: edit(configuration, delete_limit_items=1), "the configuration was edited"),
    ],
)
def test_a_plan_is_refused_when_anything_has_moved_on(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    moodle: MoodleSandbox,
    clock: Clock,
    move: Callable[..., object],
    what: str,
) -> None:
    saved = saved_now(configuration, clock)
    clock.forward(hours=1)
    move(configuration, catalog, clock)
    calls = moodle.calls.copy()

    run = applied(configuration, saved, clock)

    assert run.state == RunState.STOPPED
    assert run.reason.startswith("The plan of 2026-03-01 12:00:00 UTC is stale; nothing was sent. Since then, ")
    assert what in run.reason
    assert moodle.calls == calls


def test_an_item_that_an_operator_queued_again_makes_a_plan_stale(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock
) -> None:
    CatalogFactory.create(content=[CourseFactory.build(key="A", title=None)], customer=customer)
    run_of(configuration, clock)
    saved = saved_now(configuration, clock)
    decisions.queue_again(ContentMetadataItemTransmission.objects.of(configuration), by="operator", now=clock.now)

    assert "queued again" in applied(configuration, saved, clock).reason


def test_what_became_due_since_is_not_sent_with_the_plan(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.REFUSE))
    run_of(configuration, clock)
    saved = saved_now(configuration, clock)
    clock.forward(hours=1)

    run = applied(configuration, saved, clock)

    assert (run.state, run.counts, run.waiting) == (RunState.INCOMPLETE, {}, 3)


def test_a_plan_of_another_configuration_is_refused(
    configure: Callable[..., ChannelConfiguration], catalog: EnterpriseCatalog, clock: Clock
) -> None:
    assert catalog.pk
    saved = saved_now(configure(), clock)

    assert applied(configure(), saved, clock).reason.startswith("The plan belongs to configuration ")


# --- the command ----------------------------------------------------------------------------------------------------


def commanded(*arguments: str) -> int:
    try:
        call_command("sync_channels", *arguments)
    except SystemExit as error:
        return int(str(error.code))
    return 0


def test_a_plan_is_saved_by_a_dry_run_and_carried_out_once(
    configuration: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    moodle: MoodleSandbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert catalog.pk
    file = str(tmp_path / "plan.json")

    assert commanded("--dry-run", "--configuration", str(configuration.pk), "--save-plan", file) == 0
    assert not moodle.calls
    assert not ContentMetadataItemTransmission.objects.exists()
    assert commanded("--plan", file) == 0
    assert len(moodle.offered()) == 3
    capsys.readouterr()
    assert commanded("--plan", file, "--json") == 1
    assert "is stale" in json.loads(capsys.readouterr().out)["reason"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--save-plan", "plan.json", "--dry-run"], "--save-plan requires --dry-run and --configuration"),
        (["--save-plan", "plan.json", "--configuration", "1"], "--save-plan requires --dry-run"),
        (["--plan", "nowhere.json"], "cannot read nowhere.json"),
        (["--plan", "setup.cfg"], "setup.cfg is not a plan"),
    ],
)
def test_wrong_usage_of_plans_is_named(arguments: list[str], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        call_command("sync_channels", *arguments)
