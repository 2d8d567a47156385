"""A plan from changes equals the plan from all items: for any catalogs, any rows and any history since.

The rows are those that a run leaves behind, so only one rule limits them: an item without an unsettled row is as it was
in the catalogs of that run, and an item that was only planned was in the catalog of its row.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from hypothesis import event, given
from hypothesis import strategies as st

from enterprise_catalog.db.timestamps import format_time
from enterprise_catalog.integrated_channels.catalog_api.changes import Changes, ChangesPage
from enterprise_catalog.integrated_channels.catalog_api.client import DiffResponse
from enterprise_catalog.integrated_channels.domain import Action, Desired, History, Presence, Record, State
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.sync.plan_inputs import PlanInputs, find_touched, load_desired_items
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient

#: Content key -> version.
Content: TypeAlias = "dict[str, datetime]"

CATALOGS = [UUID(int=number) for number in (1, 2, 3)]
ELSEWHERE = UUID(int=9)
KEYS = st.sampled_from("abcdefgh")
MOMENTS = st.sampled_from([DAY_ONE + timedelta(days=day) for day in range(3)])
NOW = DAY_ONE + timedelta(days=1)
CONTENT = st.dictionaries(KEYS, MOMENTS)
SETTLED = Record("", State.TRANSMITTED, Action.UPDATE, Presence.PRESENT, None, None, None, None, is_deleted=False)
GONE = replace(SETTLED, state=State.DELETED, action=Action.DELETE, presence=Presence.ABSENT, is_deleted=True)
UNSETTLED = st.builds(
    Record,
    content_key=st.just(""),
    state=st.sampled_from(State),
    action=st.sampled_from(Action),
    presence=st.sampled_from(Presence),
    catalog_uuid=st.sampled_from([*CATALOGS, ELSEWHERE, None]),
    content_updated_at=st.none() | MOMENTS,
    attempted_updated_at=st.none() | MOMENTS,
    next_attempt_at=st.none() | MOMENTS,
    is_deleted=st.booleans(),
    failures=st.integers(0, 2),
    split_level=st.integers(0, 2),
    due_since=st.none() | MOMENTS,
    is_payload_known=st.booleans(),
).filter(lambda record: not (record.is_settled or record.is_settled_as_deleted or record.is_planned))
PLANNED = Record("", State.PENDING, Action.CREATE, Presence.ABSENT, None, None, None, None, is_deleted=False)


@dataclass
class Customer:
    """A customer's catalogs, their contents over time, and the rows of the run that saw the first contents."""

    histories: dict[UUID, list[Content]]  #: Catalog -> its contents at one time after the other; the first at the run.
    records: dict[str, Record]

    @property
    def uuids(self) -> list[UUID]:
        return sorted(self.histories)

    @property
    def changes(self) -> dict[UUID, Changes]:
        return {uuid: merged(contents) for uuid, contents in self.histories.items() if len(contents) > 1}

    def fetch_diff(self, uuid: UUID, known_keys: Sequence[str]) -> DiffResponse:
        now = self.histories[uuid][-1]
        existing = {key: format_time(now[key]) for key in known_keys if key in now}
        return DiffResponse("now", existing, sorted(now.keys() - set(known_keys)))

    def fetch_versions(self, uuid: UUID, keys: Sequence[str]) -> Mapping[str, datetime]:
        return {key: version for key, version in self.histories[uuid][-1].items() if key in keys}


def merged(contents: Sequence[Content]) -> Changes:
    """Return the changes that lead from the first content to the last, one page per step."""
    changes = Changes()
    for number, (before, after) in enumerate(itertools.pairwise(contents), start=2):
        changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
        page = {
            "created": [item(key, after) for key in after.keys() - before.keys()],
            "changed": [item(key, after) for key in changed],
            "removed": sorted(before.keys() - after.keys()),
            "next": None if number == len(contents) else "https://catalog.example.org/next",
            "catalog_version": "now" if number == len(contents) else None,
        }
        changes.add(ChangesPage.model_validate(page))
    return changes


def item(key: str, content: Content) -> dict[str, str]:
    return {"content_key": key, "updated_at": format_time(content[key])}


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    number = draw(st.integers(1, 3))
    histories = {uuid: draw(st.lists(CONTENT, min_size=1, max_size=4)) for uuid in CATALOGS[:number]}
    records: dict[str, Record] = {}
    for key in "abcdefgh":
        holders = [uuid for uuid, contents in histories.items() if key in contents[0]]
        if draw(st.booleans()):
            record = draw(UNSETTLED)
        elif holders:
            holder = draw(st.sampled_from(holders))
            version = histories[holder][0][key]
            settled = replace(SETTLED, content_updated_at=version, attempted_updated_at=version)
            planned = replace(PLANNED, due_since=draw(MOMENTS))
            record = replace(draw(st.sampled_from([settled, planned])), catalog_uuid=holder)
        elif draw(st.booleans()):
            record = GONE
        else:
            continue
        records[key] = replace(record, content_key=key)
    return Customer(histories, records)


def history_of(records: Mapping[str, Record]) -> History:
    settled: dict[UUID | None, dict[str, str | None]] = defaultdict(dict)
    for key, record in records.items():
        if record.is_settled:
            assert record.content_updated_at is not None
            settled[record.catalog_uuid][key] = format_time(record.content_updated_at)
    return History(settled, {key: record for key, record in records.items() if not record.is_settled})


@given(customer=customers(), limit=st.sampled_from([(0, 0), (1, 30), (50, 20), (0, 100)]))
def test_a_plan_from_changes_equals_the_plan_from_all_items(customer: Customer, limit: tuple[int, int]) -> None:
    configuration = ChannelConfiguration(delete_limit_items=limit[0], delete_limit_percent=limit[1])
    history, changes = history_of(customer.records), customer.changes
    client: CatalogClient = customer  # type: ignore[assignment]  # the only method that is used
    desired = load_desired_items(customer.uuids, history, client)
    of_all = PlanInputs(configuration, desired, history.records_but_of(desired.matched), NOW)

    changed = set[str]().union(*(found.keys for found in changes.values()))
    records = {
        key: record
        for key, record in customer.records.items()
        if key in changed or not (record.is_settled or record.is_settled_as_deleted)
    }
    touched = find_touched(customer.uuids, changes, records, customer.fetch_versions)
    items_before = len({key for contents in customer.histories.values() for key in contents[0]})
    untouched = items_before - touched.desired_before
    of_changes = PlanInputs(configuration, Desired({}, touched.desired, {}), records, NOW, untouched)

    assert of_changes.plan() == of_all.plan()
    assert of_changes.synced.items == of_all.synced.items
    event("some items were not read" if untouched else "all items were read")


@given(customer=customers(), most=st.integers(0, 3), limit=st.sampled_from([(0, 0), (1, 30), (0, 100)]))
def test_a_plan_of_some_planned_items_is_the_whole_plan_without_the_others(
    customer: Customer, most: int, limit: tuple[int, int]
) -> None:
    configuration = ChannelConfiguration(delete_limit_items=limit[0], delete_limit_percent=limit[1])
    changes = customer.changes
    changed = set[str]().union(*(found.keys for found in changes.values()))
    unsettled = {
        key: record
        for key, record in customer.records.items()
        if key in changed or not (record.is_settled or record.is_settled_as_deleted)
    }
    planned = [key for key, record in unsettled.items() if record.is_planned and key not in changed]
    left_out = sorted(planned)[most:]
    some = {key: record for key, record in unsettled.items() if key not in left_out}
    items_before = len({key for contents in customer.histories.values() for key in contents[0]})

    def inputs_of(records: Mapping[str, Record], postponed: int) -> PlanInputs:
        touched = find_touched(customer.uuids, changes, records, customer.fetch_versions)
        untouched = items_before - touched.desired_before - postponed
        return PlanInputs(configuration, Desired({}, touched.desired, {}), records, NOW, untouched, postponed)

    whole, part = inputs_of(unsettled, 0), inputs_of(some, len(left_out))

    creates = [item for item in whole.plan().creates if item.content_key not in left_out]
    assert part.plan() == replace(whole.plan(), creates=creates, postponed=len(left_out))
    assert (part.plan().size, part.plan().desired) == (whole.plan().size, whole.plan().desired)
    assert part.synced.items == whole.synced.items
    event(f"{len(left_out)} planned items left out")


@given(contents=st.lists(CONTENT, min_size=2, max_size=5))
def test_merged_pages_list_present_items_and_joined_keys(contents: list[Content]) -> None:
    before, now = contents[0], contents[-1]

    changes = merged(contents)

    assert changes.version == "now"
    assert {**{key: before[key] for key in before if key not in changes}, **changes.present} == now
    assert changes.joined == changes.keys - before.keys()
    assert changes.removed == changes.keys - now.keys()


@given(customer=customers())
def test_a_catalog_is_asked_only_for_unsettled_items_and_items_that_left(customer: Customer) -> None:
    changes = customer.changes

    def fetch_versions(uuid: UUID, keys: Sequence[str]) -> Mapping[str, datetime]:
        for key in keys:
            record = customer.records[key]
            assert key not in changes.get(uuid, Changes())
            assert not record.is_settled_as_deleted
            own = record.catalog_uuid
            is_known = record.is_settled or record.is_planned
            assert not is_known or (own is not None and own != uuid and key in changes[own].removed)
        return customer.fetch_versions(uuid, keys)

    find_touched(customer.uuids, changes, customer.records, fetch_versions)
