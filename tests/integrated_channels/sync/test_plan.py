"""Planning is a pure function: property tests cover any situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.audit.transitions import retry_delay_seconds
from enterprise_catalog.integrated_channels.domain import (
    Action,
    DeleteLimit,
    DesiredItem,
    PlannedItem,
    Presence,
    Record,
    State,
    SyncPlan,
)
from enterprise_catalog.integrated_channels.sync.chunks import chunks
from enterprise_catalog.integrated_channels.sync.plan import plan
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOG, OTHER = UUID(int=1), UUID(int=2)
LATER = DAY_ONE + timedelta(days=1)
MOST_RECENT = datetime.max.replace(tzinfo=UTC)

#: An item that the LMS has in the version of day one.
HELD = Record(
    "k", State.TRANSMITTED, Action.CREATE, Presence.PRESENT, CATALOG, DAY_ONE, DAY_ONE, None, is_deleted=False
)
DELETED = replace(HELD, state=State.DELETED, action=Action.DELETE, presence=Presence.ABSENT, is_deleted=True)
RESTING = replace(HELD, state=State.RETRYING, attempted_updated_at=LATER, next_attempt_at=LATER)
NEVER_SENT = replace(
    HELD, state=State.PENDING, presence=Presence.ABSENT, content_updated_at=None, attempted_updated_at=None
)

keys = st.sampled_from("abcdefgh")
moments = st.sampled_from((DAY_ONE, LATER))
records = st.builds(
    Record,
    content_key=st.just("k"),
    state=st.sampled_from((State.PENDING, State.IN_DOUBT, State.TRANSMITTED, State.RETRYING, State.REJECTED)),
    action=st.sampled_from(Action),
    presence=st.sampled_from(Presence),
    catalog_uuid=st.sampled_from((CATALOG, OTHER)),
    content_updated_at=moments,
    attempted_updated_at=moments,
    next_attempt_at=st.none() | moments,
    is_deleted=st.just(False),
)
recorded_items = st.dictionaries(keys, records | st.just(DELETED))
catalogs = st.dictionaries(keys, st.builds(DesiredItem, st.sampled_from((CATALOG, OTHER)), moments))


def planned(sync_plan: SyncPlan) -> Mapping[str, Action]:
    return {item.content_key: item.action for item in (*sync_plan.deletes, *sync_plan.creates, *sync_plan.updates)}


@given(desired=catalogs, history=recorded_items)
def test_each_item_is_planned_withdrawn_held_or_waits(
    desired: dict[str, DesiredItem], history: dict[str, Record]
) -> None:
    sync_plan = plan(desired, history, now=DAY_ONE)

    live = {key for key, record in history.items() if not record.is_deleted}
    assert sync_plan.size == len(planned(sync_plan))
    assert sync_plan.size + len(sync_plan.withdrawn) + sync_plan.matched + sync_plan.waiting == len(
        live | desired.keys()
    )


@given(desired=catalogs, history=recorded_items)
def test_carrying_out_the_plan_leaves_nothing_to_do(
    desired: dict[str, DesiredItem], history: dict[str, Record]
) -> None:
    much_later = LATER + timedelta(days=1)
    sync_plan = plan(desired, history, now=much_later)

    after = dict(history)
    for key, action in planned(sync_plan).items():
        if action is Action.DELETE:
            after[key] = DELETED
        else:
            item = desired[key]
            after[key] = replace(HELD, catalog_uuid=item.catalog_uuid, content_updated_at=item.updated_at)
    after |= dict.fromkeys(sync_plan.withdrawn, DELETED)

    again = plan(desired, after, now=much_later)
    assert (again.size, again.withdrawn, again.matched) == (0, [], len(desired))


@given(desired=catalogs, history=recorded_items)
def test_deletes_are_of_items_that_are_not_desired_and_all_else_of_those_that_are(
    desired: dict[str, DesiredItem], history: dict[str, Record]
) -> None:
    sync_plan = plan(desired, history, now=DAY_ONE)

    actions = planned(sync_plan)
    assert {key for key, action in actions.items() if action is not Action.DELETE} <= desired.keys()
    assert not {key for key, action in actions.items() if action is Action.DELETE} & desired.keys()
    assert not set(sync_plan.withdrawn) & desired.keys()


@pytest.mark.parametrize(
    ("record", "updated_at", "action"),
    [
        pytest.param(None, None, Action.CREATE, id="new"),
        pytest.param(DELETED, None, Action.CREATE, id="came back"),
        pytest.param(HELD, DAY_ONE, None, id="held"),
        pytest.param(HELD, LATER, Action.UPDATE, id="changed"),
        pytest.param(HELD, DAY_ONE - timedelta(days=1), Action.UPDATE, id="restored from an older backup"),
        pytest.param(replace(HELD, catalog_uuid=OTHER), DAY_ONE, Action.UPDATE, id="comes from another catalog now"),
        pytest.param(NEVER_SENT, DAY_ONE, Action.CREATE, id="planned before"),
        pytest.param(replace(HELD, state=State.IN_DOUBT), DAY_ONE, Action.UPDATE, id="update in doubt"),
        pytest.param(
            replace(NEVER_SENT, state=State.IN_DOUBT, presence=Presence.UNKNOWN),
            DAY_ONE,
            Action.CREATE,
            id="create in doubt",
        ),
        pytest.param(RESTING, LATER, None, id="failed and not due"),
        pytest.param(replace(RESTING, next_attempt_at=DAY_ONE), LATER, Action.UPDATE, id="failed and due"),
        pytest.param(replace(RESTING, state=State.REJECTED), LATER, None, id="rejected and not due"),
        pytest.param(
            replace(RESTING, state=State.REJECTED),
            LATER + timedelta(days=1),
            Action.UPDATE,
            id="rejected, but changed since",
        ),
        pytest.param(
            replace(RESTING, action=Action.DELETE), DAY_ONE, Action.UPDATE, id="its delete failed and it came back"
        ),
    ],
)
def test_an_item_of_the_catalog_is_treated_by_its_history(
    record: Record | None, updated_at: datetime, action: Action | None
) -> None:
    history = {"k": record} if record else {}

    sync_plan = plan({"k": DesiredItem(CATALOG, updated_at)}, history, now=DAY_ONE)

    assert planned(sync_plan) == ({"k": action} if action else {})


def test_an_item_that_left_before_it_was_sent_is_withdrawn_without_a_call() -> None:
    sync_plan = plan({}, {"k": NEVER_SENT}, now=DAY_ONE)

    assert (sync_plan.withdrawn, sync_plan.size) == (["k"], 0)


def test_an_item_whose_create_is_in_doubt_is_deleted_when_it_left() -> None:
    in_doubt = replace(NEVER_SENT, state=State.IN_DOUBT, presence=Presence.UNKNOWN)

    sync_plan = plan({}, {"k": in_doubt}, now=DAY_ONE)

    assert planned(sync_plan) == {"k": Action.DELETE}


#: Key -> ``due_since`` set by an earlier run, or ``None``; for items of one action.
noted = st.dictionaries(keys, st.none() | st.datetimes(timezones=st.just(UTC)), max_size=20)


def items_of(action: Action, times: dict[str, datetime | None]) -> list[PlannedItem]:
    return [PlannedItem(name, action, "why", since=since) for name, since in times.items()]


@given(creates=noted, updates=noted, deletes=noted, size=st.integers(1, 7), mixed=st.booleans())
def test_chunks_hold_the_whole_plan_what_waits_longest_first(
    creates: dict[str, datetime | None],
    updates: dict[str, datetime | None],
    deletes: dict[str, datetime | None],
    *,
    size: int,
    mixed: bool,
) -> None:
    by_action = {a: items_of(a, times) for a, times in zip(Action, (creates, updates, deletes), strict=True)}
    sync_plan = SyncPlan(by_action[Action.DELETE], by_action[Action.CREATE], by_action[Action.UPDATE], [], 0, 0, 0)

    cut = chunks(sync_plan, chunk_size=size, call_size=size, mixed=mixed, now=MOST_RECENT)

    for action, planned_items in by_action.items():
        rejoined = [item for chunk in cut for item in chunk.items if item.action is action]
        assert rejoined == sorted(planned_items, key=lambda item: item.since or MOST_RECENT)
    assert mixed or all(len({item.action for item in chunk.items}) == 1 for chunk in cut)
    assert not mixed or all(len(chunk.items) == size for chunk in cut[:-1])
    ages = [chunk.items[0].since or MOST_RECENT for chunk in cut]
    assert ages == sorted(ages)
    assert all(1 <= len(chunk.items) <= size for chunk in cut)


def named(name: str, *, split_level: int = 0, since: datetime | None = None) -> PlannedItem:
    return PlannedItem(name, Action.CREATE, "why", split_level=split_level, since=since)


@pytest.mark.parametrize("mixed", [False, True])
def test_what_waits_equally_long_takes_turns(*, mixed: bool) -> None:
    deletes, creates, updates = (
        items_of(action, dict.fromkeys("abc")) for action in (Action.DELETE, Action.CREATE, Action.UPDATE)
    )
    sync_plan = SyncPlan(deletes, creates, updates, [], 0, 0, 0)

    cut = chunks(sync_plan, chunk_size=1, call_size=1, mixed=mixed, now=DAY_ONE)

    assert [chunk.items[0].action for chunk in cut[:4]] == [
        *(Action.DELETE, Action.CREATE, Action.UPDATE),
        Action.DELETE,
    ]


def test_what_an_earlier_run_left_over_comes_before_all_that_is_new() -> None:
    new, left_over = [named("a"), named("b")], [named("c", since=DAY_ONE - timedelta(hours=1))]

    cut = chunks(SyncPlan(new, [], left_over, [], 0, 0, 0), chunk_size=1, call_size=1, now=DAY_ONE)

    assert [chunk.items[0].content_key for chunk in cut] == ["c", "a", "b"]


def test_what_failed_waits_since_its_rest_ended_and_not_before() -> None:
    failed = replace(
        HELD,
        state=State.RETRYING,
        failures=1,
        due_since=DAY_ONE - timedelta(days=1),
        next_attempt_at=DAY_ONE - timedelta(minutes=1),
    )

    [item] = plan({"k": DesiredItem(CATALOG, LATER)}, {"k": failed}, now=DAY_ONE).updates

    assert item.since == DAY_ONE - timedelta(minutes=1)


CREATES = [
    named("a", split_level=2),
    named("b"),
    named("c", split_level=2),
    *(named(n, split_level=9) for n in "de"),
    named("f"),
]


def test_what_failed_before_comes_last_and_with_ever_fewer_others() -> None:
    cut = chunks(
        SyncPlan([], [*CREATES, named("g", split_level=2)], [], [], 0, 0, 0), chunk_size=8, call_size=8, now=DAY_ONE
    )

    assert ["".join(each.content_key for each in chunk.items) for chunk in cut] == ["bf", "ac", "g", "d", "e"]


def test_with_one_item_per_call_chunks_stay_whole() -> None:
    cut = chunks(SyncPlan([], CREATES, [], [], 0, 0, 0), chunk_size=8, call_size=1, now=DAY_ONE)

    assert ["".join(each.content_key for each in chunk.items) for chunk in cut] == ["bf", "ac", "de"]


def test_what_was_due_and_is_again_as_the_lms_has_it_needs_nothing_but_a_note() -> None:
    left_over = replace(HELD, due_since=DAY_ONE)

    sync_plan = plan({"k": DesiredItem(CATALOG, DAY_ONE)}, {"k": left_over}, now=DAY_ONE)

    assert (sync_plan.back, sync_plan.size, sync_plan.desired) == (["k"], 0, 1)


def test_an_item_in_doubt_is_sent_although_the_catalog_reverted_it() -> None:
    tried = replace(HELD, action=Action.UPDATE, due_since=DAY_ONE, is_payload_known=False)

    [item] = plan({"k": DesiredItem(CATALOG, DAY_ONE)}, {"k": tried}, now=DAY_ONE).updates

    assert item.reason == "may already have been applied by an unconfirmed call"


DEAD = replace(HELD, state=State.DEAD_LETTER, attempted_updated_at=LATER, failures=10)


@pytest.mark.parametrize("state", [State.HELD, State.KEPT])
def test_an_item_back_before_its_delete_was_decided_is_sent_if_it_may_be_missing(state: State) -> None:
    record = replace(HELD, state=state, action=Action.DELETE, due_since=DAY_ONE)
    item = DesiredItem(CATALOG, DAY_ONE)

    assert plan({"k": item}, {"k": record}, now=LATER).back == ["k"]
    for lost in (replace(record, presence=Presence.UNKNOWN), replace(record, is_payload_known=False)):
        in_doubt = plan({"k": item}, {"k": lost}, now=LATER)
        assert (in_doubt.back, in_doubt.size) == ([], 1)


def test_deletes_are_many_or_few_among_all_that_the_lms_holds() -> None:
    limit = DeleteLimit(items=0, percent=10)
    history = {key: replace(HELD, content_key=key) for key in "ab"}

    assert plan({}, history, matched=8, now=LATER, delete_limit=limit).held == ["a", "b"]
    assert plan({}, history, matched=18, now=LATER, delete_limit=limit).held == []


def test_the_last_items_are_held_while_the_deletes_of_all_others_are_under_way() -> None:
    history = {key: replace(HELD, content_key=key) for key in "ab"}
    under_way = replace(HELD, action=Action.DELETE, state=State.RETRYING)
    history |= {key: replace(under_way, content_key=key) for key in "cdefgh"}

    planned = plan({}, history, now=LATER, delete_limit=DeleteLimit(items=50, percent=20))

    assert planned.held == ["a", "b"]
    assert [item.content_key for item in planned.deletes] == [*"cdefgh"]


def test_a_dead_letter_is_counted_and_left_alone() -> None:
    sync_plan = plan({"k": DesiredItem(CATALOG, LATER)}, {"k": DEAD}, now=LATER + timedelta(days=365))

    assert (planned(sync_plan), sync_plan.dead) == ({}, 1)


@pytest.mark.parametrize(
    ("record", "desired", "action"),
    [
        (DEAD, {"k": DesiredItem(CATALOG, LATER + timedelta(days=1))}, Action.UPDATE),
        (replace(DEAD, presence=Presence.UNKNOWN), {}, Action.DELETE),
        (DEAD, {}, Action.DELETE),
        (replace(DEAD, action=Action.DELETE), {"k": DesiredItem(CATALOG, LATER)}, Action.UPDATE),
    ],
)
def test_a_dead_letter_does_not_stand_in_the_way_of_another_task(
    record: Record, desired: dict[str, DesiredItem], action: Action
) -> None:
    sync_plan = plan(desired, {"k": record}, now=LATER)

    [item] = (*sync_plan.deletes, *sync_plan.creates, *sync_plan.updates)
    assert (item.action, item.split_level) == (action, 0)


def test_a_delete_may_become_a_dead_letter_too() -> None:
    sync_plan = plan({}, {"k": replace(DEAD, action=Action.DELETE)}, now=LATER)

    assert (planned(sync_plan), sync_plan.dead) == ({}, 1)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 5), (2, 10), (3, 20), (9, 1280), (10, 1440), (1000, 1440)])
def test_the_rest_after_a_failure_doubles_up_to_a_day(failures: int, minutes: int) -> None:
    assert retry_delay_seconds(failures, jitter=0) == minutes * 60


@given(failures=st.integers(1, 100), jitter=st.floats(0, 1), asked=st.floats(0, 1e6))
def test_the_retry_delay_is_never_shorter_than_the_retry_after(failures: int, jitter: float, asked: float) -> None:
    assert retry_delay_seconds(failures, jitter=jitter, retry_after_seconds=asked) >= asked
