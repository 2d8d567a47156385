"""Consecutive runs against a real catalog service and a sandbox Moodle over HTTP: the LMS equals the catalog."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    RunState,
)
from enterprise_catalog.sandbox.moodle.courses import Course
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.catalog_api.client import MetadataResponse
    from enterprise_catalog.integrated_channels.domain import ItemResult, Outgoing
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_first_sync_brings_the_whole_catalog_to_the_lms(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)

    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"create": {"done": 3}})
    assert sorted(moodle.offered()) == ["Northwind+C000000", "Northwind+C000001", "Northwind+C000002"]
    configuration.refresh_from_db()
    assert configuration.last_full_sync_at == clock.now


def test_a_second_sync_sends_nothing(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=3, customer=customer)
    run_of(configuration, clock)
    calls = moodle.calls.copy()

    run = run_of(configuration, clock)

    assert (run.state, run.counts, run.matched) == (RunState.COMPLETE, {}, 3)
    assert moodle.calls == calls


def test_the_next_chunk_is_fetched_while_the_lms_is_at_work_with_this_one(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetch, create = CatalogClient.fetch_metadata, Moodle.create
    fetched: list[str] = []
    next_one = threading.Event()
    seen: list[tuple[list[str], bool]] = []

    def noted_fetch(client: CatalogClient, catalog_uuid: UUID, keys: Sequence[str]) -> MetadataResponse:
        fetched.extend(keys)
        if len(fetched) == 4:
            next_one.set()
        return fetch(client, catalog_uuid, keys)

    def slow_create(channel: Moodle, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        seen.append(([item.content_key for item in items], next_one.wait(5)))
        return create(channel, items)

    monkeypatch.setattr(CatalogClient, "fetch_metadata", noted_fetch)
    monkeypatch.setattr(Moodle, "create", slow_create)
    CatalogFactory.create(courses=4, customer=customer)

    run = run_of(configure(chunk_size=2), clock)

    assert run.counts == {"create": {"done": 4}}
    assert seen == [(fetched[:2], True), (fetched[2:], True)]


def test_changes_come_as_creates_updates_and_deletes(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=("A", "B", "C"), customer=customer)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="B", title="New"), "C", "D"], now=clock.now, replace=True)

    run = run_of(configuration, clock)

    assert run.counts == {"delete": {"done": 1}, "create": {"done": 1}, "update": {"done": 1}}
    assert moodle.offered() == {
        "B": "New - via edX.org (Northwind Institute)",
        "C": "Course C - via edX.org (Northwind Institute)",
        "D": "Course D - via edX.org (Northwind Institute)",
    }


def test_a_deleted_item_is_hidden_its_row_stays_and_its_return_shows_it_again(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ["B"], replace=True)
    run_of(configuration, clock)
    deleted = row_of("A")

    import_into(catalog, ["A"])
    run_of(configuration, clock)

    assert (deleted.state, deleted.deleted_at, deleted.remote_deleted_at) == ("deleted", clock.now, clock.now)
    back = row_of("A")
    assert (back.pk, back.state, back.deleted_at, back.remote_id) == (
        deleted.pk,
        "transmitted",
        None,
        deleted.remote_id,
    )
    assert sorted(moodle.offered()) == ["A", "B"]
    assert len(moodle.courses) == 2


def test_an_item_that_another_catalog_still_has_is_not_deleted(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    first = CatalogFactory.create(content=["A", "B"], customer=customer)
    CatalogFactory.create(content=["B", "C"], customer=customer)
    run_of(configuration, clock)

    import_into(first, ["A"], replace=True)
    run = run_of(configuration, clock)

    assert "delete" not in run.counts
    assert sorted(moodle.offered()) == ["A", "B", "C"]


def test_only_the_catalogs_that_the_configuration_names_are_sent(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    named = CatalogFactory.create(content=["A"], customer=customer)
    CatalogFactory.create(content=["B"], customer=customer)

    run_of(configure(catalog_uuids=[str(named.pk)]), clock)

    assert sorted(moodle.offered()) == ["A"]


def test_a_change_that_does_not_reach_the_payload_is_not_sent(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    calls = moodle.calls.copy()
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="A", skill_names=["Python"])], now=clock.now)

    run = run_of(configuration, clock)

    assert run.counts == {"update": {"unchanged": 1}}
    assert moodle.calls == calls
    assert row_of("A").content_updated_at == clock.now


def test_a_run_sends_at_most_its_number_of_chunks_and_the_next_ones_finish(
    configure: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(courses=5, customer=customer)
    configuration = configure(chunk_size=2, max_chunks_per_run=2)

    first = run_of(configuration, clock)
    configuration.refresh_from_db()
    second = run_of(configuration, clock)

    assert (first.state, first.counts, first.backlog) == (RunState.INCOMPLETE, {"create": {"done": 4}}, 1)
    assert configuration.next_sync_at == clock.now
    assert (second.state, second.counts) == (RunState.COMPLETE, {"create": {"done": 1}})
    assert len(moodle.offered()) == 5


def test_a_course_deleted_manually_in_the_lms_is_created_again_when_it_changes(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    moodle.reset()
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="A", title="New")], now=clock.now)

    run = run_of(configuration, clock)

    assert run.counts == {"update": {"done": 1}}
    assert moodle.offered() == {"A": "New - via edX.org (Northwind Institute)"}


def test_a_course_that_is_in_the_lms_already_is_adopted(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.table.add(Course(fullname="Old", shortname="old", idnumber="A", categoryid=1, visible=0))
    CatalogFactory.create(content=["A"], customer=customer)

    run = run_of(configuration, clock)

    assert run.counts == {"create": {"done": 1}}
    assert moodle.offered() == {"A": "Course A - via edX.org (Northwind Institute)"}
    assert row_of("A").remote_id == str(moodle.courses[0]["id"])
