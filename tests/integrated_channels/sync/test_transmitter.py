"""The transmitter: one outcome per item, whatever the LMS returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from tests.integrated_channels.fake_lms import FakeLMS, FakeLMSChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from enterprise_catalog.integrated_channels.sync.parts import Transmission

KEYS = [f"K{number}" for number in range(8)]


def sent(fake_lms: FakeLMS, action: Action, *keys: str, ids: list[str] | None = None) -> Transmission:
    """Transmit new courses with ``keys``. ``ids`` are their remote IDs, if known."""
    payload = {} if action is Action.DELETE else {"title": "Ours"}
    known = ids or [""] * len(keys)
    items = [Outgoing(key, payload, id_, action=action) for key, id_ in zip(keys, known, strict=True)]
    return Transmitter(FakeLMSChannel(fake_lms)).transmit(items)


def outcomes(transmission: Transmission) -> dict[str, str]:
    return {key: result.outcome.value for key, result in transmission.results.items()}


# --- normal operation -------------------------------------------------------------------------------------------------


def test_a_create_looks_once_and_creates_once(fake_lms: FakeLMS) -> None:
    transmission = sent(fake_lms, Action.CREATE, "A", "B")

    assert outcomes(transmission) == {"A": "done", "B": "done"}
    assert [result.remote_id for result in transmission.results.values()] == ["id-1", "id-2"]
    assert (fake_lms.shown, fake_lms.calls) == ({"A": "Ours", "B": "Ours"}, {"find": 1, "create": 1})


def test_a_create_of_an_existing_course_adopts_it_and_returns_its_id(fake_lms: FakeLMS) -> None:
    [theirs] = fake_lms.put("A")

    transmission = sent(fake_lms, Action.CREATE, "A", "B")

    assert outcomes(transmission) == {"A": "done", "B": "done"}
    assert transmission.results["A"].remote_id == theirs
    assert (fake_lms.shown, len(fake_lms.courses)) == ({"A": "Ours", "B": "Ours"}, 2)


def test_an_update_with_a_known_id_makes_no_look_up(fake_lms: FakeLMS) -> None:
    ids = fake_lms.put("A", "B")

    transmission = sent(fake_lms, Action.UPDATE, "A", "B", ids=ids)

    assert outcomes(transmission) == {"A": "done", "B": "done"}
    assert (fake_lms.shown, fake_lms.calls) == ({"A": "Ours", "B": "Ours"}, {"update": 1})


def test_an_update_of_what_is_gone_creates_it(fake_lms: FakeLMS) -> None:
    [there] = fake_lms.put("A")

    transmission = sent(fake_lms, Action.UPDATE, "A", "B", ids=[there, "id-lost"])

    assert outcomes(transmission) == {"A": "done", "B": "done"}
    assert transmission.results["B"].remote_id == "id-2"
    assert fake_lms.calls == {"update": 1, "find": 1, "create": 1}


def test_what_vanishes_between_look_up_and_update_is_created(fake_lms: FakeLMS) -> None:
    fake_lms.put("A")
    fake_lms.vanishing = {"A"}

    transmission = sent(fake_lms, Action.CREATE, "A")

    assert transmission.results["A"].remote_id == "id-2"
    assert (fake_lms.shown, fake_lms.calls) == ({"A": "Ours"}, {"find": 1, "update": 1, "create": 1})


def test_an_update_whose_id_is_not_known_looks_first(fake_lms: FakeLMS) -> None:
    [theirs] = fake_lms.put("A")

    transmission = sent(fake_lms, Action.UPDATE, "A")

    assert transmission.results["A"].remote_id == theirs
    assert (fake_lms.shown, fake_lms.calls) == ({"A": "Ours"}, {"find": 1, "update": 1})


def test_a_delete_with_a_known_id_makes_no_look_up(fake_lms: FakeLMS) -> None:
    ids = fake_lms.put("A", "B")

    transmission = sent(fake_lms, Action.DELETE, "A", ids=ids[:1])

    assert outcomes(transmission) == {"A": "done"}
    assert (fake_lms.shown, fake_lms.calls) == ({"B": "Theirs"}, {"delete": 1})


@pytest.mark.parametrize("known_id", ["", "id-lost"])
def test_a_delete_of_what_is_gone_is_done(fake_lms: FakeLMS, known_id: str) -> None:
    transmission = sent(fake_lms, Action.DELETE, "A", ids=[known_id])

    assert outcomes(transmission) == {"A": "done"}
    assert transmission.results["A"].message == "The item no longer existed in the LMS."


@pytest.mark.parametrize("known_id", ["", "id-lost"])
def test_a_delete_takes_away_what_is_there_under_another_id(fake_lms: FakeLMS, known_id: str) -> None:
    # For example, an update re-created it, and the response with its new ID was lost.
    fake_lms.put("A")

    transmission = sent(fake_lms, Action.DELETE, "A", ids=[known_id])

    assert outcomes(transmission) == {"A": "done"}
    assert fake_lms.shown == {}


# --- items that no earlier call can have created ----------------------------------------------------------------------


def sent_unseen(fake_lms: FakeLMS, *keys: str) -> Transmission:
    items = [Outgoing(key, {"title": "Ours"}, may_be_there=False) for key in keys]
    return Transmitter(FakeLMSChannel(fake_lms)).transmit(items)


def test_what_cannot_be_there_is_created_without_a_look(fake_lms: FakeLMS) -> None:
    transmission = sent_unseen(fake_lms, "A", "B")

    assert outcomes(transmission) == {"A": "done", "B": "done"}
    assert (fake_lms.shown, fake_lms.calls) == ({"A": "Ours", "B": "Ours"}, {"create": 1})


def test_an_unexpected_existing_course_is_rejected_found_and_adopted(fake_lms: FakeLMS) -> None:
    [theirs] = fake_lms.put("B")

    transmission = sent_unseen(fake_lms, "A", "B", "C")

    assert outcomes(transmission) == {"A": "done", "B": "done", "C": "done"}
    assert transmission.results["B"].remote_id == theirs
    assert (fake_lms.shown, len(fake_lms.courses)) == (dict.fromkeys("ABC", "Ours"), 3)
    assert fake_lms.calls == {"create": 2, "find": 1, "update": 1}


@pytest.mark.parametrize("culprit", KEYS)
def test_a_culprit_among_them_costs_one_look_and_no_call_is_made_twice(fake_lms: FakeLMS, culprit: str) -> None:
    fake_lms.refused = {culprit}

    transmission = sent_unseen(fake_lms, *KEYS)

    assert outcomes(transmission) == {key: "rejected" if key == culprit else "done" for key in KEYS}
    assert fake_lms.calls == {"create": 1 + 2 * 3, "find": 1}
    assert transmission.splits[culprit] == 3


def test_an_answer_that_leaves_one_of_them_out_leads_to_a_look() -> None:
    class OmitsOnce(FakeLMS):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            self.omitted.clear()
            return answer

    fake_lms = OmitsOnce(omitted={"A"})

    transmission = sent_unseen(fake_lms, "A", "B")

    assert outcomes(transmission) == {"A": "done", "B": "done"}
    assert (len(fake_lms.courses), fake_lms.calls) == (2, {"create": 1, "find": 1, "update": 1})


# --- rejections -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("culprit", KEYS)
def test_a_culprit_alone_is_refused_and_found_with_few_calls(fake_lms: FakeLMS, action: Action, culprit: str) -> None:
    ids = [] if action is Action.CREATE else fake_lms.put(*KEYS)
    fake_lms.refused = {culprit}

    transmission = sent(fake_lms, action, *KEYS, ids=ids)

    assert outcomes(transmission) == {key: "rejected" if key == culprit else "done" for key in KEYS}
    assert fake_lms.calls[action] == 1 + 2 * 3  # 8, 4, 2 and 1 items: one call, then two per split


def test_the_reason_of_a_refusal_is_kept(fake_lms: FakeLMS) -> None:
    fake_lms.refused = {"A"}

    result = sent(fake_lms, Action.CREATE, "A").results["A"]

    assert (result.status_code, result.message) == (422, "The LMS returned 422: not these")


@pytest.mark.parametrize("action", Action)
def test_a_key_whose_look_up_is_rejected_affects_no_other_item(fake_lms: FakeLMS, action: Action) -> None:
    fake_lms.unfindable = {"K3"}

    transmission = sent(fake_lms, action, *KEYS)

    assert outcomes(transmission) == {key: "rejected" if key == "K3" else "done" for key in KEYS}


# --- incomplete responses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", Action)
def test_an_item_that_the_answer_leaves_out_is_tried_again(fake_lms: FakeLMS, action: Action) -> None:
    ids = [] if action is Action.CREATE else fake_lms.put("A", "B")
    fake_lms.omitted = {"A"}

    transmission = sent(fake_lms, action, "A", "B", ids=ids)

    assert outcomes(transmission) == {"A": "retry", "B": "done"}
    assert transmission.results["A"].message == "The LMS's response does not contain this item."


@pytest.mark.parametrize("action", Action)
def test_results_of_items_that_were_not_sent_are_ignored(fake_lms: FakeLMS, action: Action) -> None:
    fake_lms.put("A")
    fake_lms.extra_results = {"B": "done"}

    assert outcomes(sent(fake_lms, action, "A", ids=["id-1"])) == {"A": "done"}


# --- failures of a whole call -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"), [(401, "skipped"), (302, "skipped"), (503, "retry"), (429, "throttled")]
)
def test_a_failure_in_the_middle_keeps_what_was_done(fake_lms: FakeLMS, status: int, outcome: str) -> None:
    fake_lms.refused = {"K3"}
    fake_lms.outages = {7: status}  # after a look-up and creates of 8, 4, 2, 2 and 1

    transmission = sent(fake_lms, Action.CREATE, *KEYS)

    expected = {"K0": "done", "K1": "done", "K2": "done"} | dict.fromkeys(KEYS[3:], outcome)
    assert outcomes(transmission) == expected
    assert sorted(fake_lms.shown) == ["K0", "K1", "K2"]


def test_what_stops_the_run_is_passed_on_with_its_reason(fake_lms: FakeLMS) -> None:
    fake_lms.outages = {1: 401}

    transmission = sent(fake_lms, Action.UPDATE, "A", ids=["id-1"])

    assert type(transmission.stopped_by) is CredentialsError
    result = transmission.results["A"]
    assert (result.status_code, result.message) == (401, transmission.stopped_by.message)


def test_the_retry_after_of_the_lms_is_passed_on(fake_lms: FakeLMS) -> None:
    fake_lms.outages = {1: 503}

    assert sent(fake_lms, Action.CREATE, "A").results["A"].retry_after_seconds == 7


def test_an_lms_with_too_many_calls_stops_the_run_and_is_no_items_fault(fake_lms: FakeLMS) -> None:
    fake_lms.outages = {1: 429}

    transmission = sent(fake_lms, Action.CREATE, "A")

    assert type(transmission.stopped_by) is ThrottledError
    assert transmission.stopped_by.retry_after_seconds == 7
    assert outcomes(transmission) == {"A": "throttled"}


@pytest.mark.parametrize("action", Action)
def test_after_a_temporary_failure_of_the_first_call_the_other_items_are_not_sent(
    fake_lms: FakeLMS, action: Action
) -> None:
    fake_lms.outages = {1: 503}

    transmission = sent(fake_lms, action, "A", "B")

    assert outcomes(transmission) == {"A": "retry", "B": "retry"}
    assert transmission.stopped_by is None


def test_an_item_found_gone_before_a_failure_is_tried_again(fake_lms: FakeLMS) -> None:
    fake_lms.outages = {3: 503}  # after an update and a look-up

    assert outcomes(sent(fake_lms, Action.UPDATE, "A", ids=["id-lost"])) == {"A": "retry"}


@pytest.mark.parametrize(("status", "outcome"), [(401, "skipped"), (429, "throttled"), (503, "retry")])
@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_an_item_found_gone_before_its_chunk_ends_early_is_tried_again(
    fake_lms: FakeLMS, action: Action, status: int, outcome: str
) -> None:
    fake_lms.put("B")
    fake_lms.refused = {"B"}  # The call is split: the item that is gone, then the refused item.
    fake_lms.outages = {3: status}

    transmission = sent(fake_lms, action, "A", "B", ids=["id-lost", "id-1"])

    assert outcomes(transmission) == {"A": outcome, "B": outcome}
    assert fake_lms.calls.total() == 3


# --- properties -------------------------------------------------------------------------------------------------------

key_sets = st.sets(st.sampled_from(KEYS))


@given(st.sampled_from(Action), key_sets, key_sets, key_sets, key_sets)
def test_refusals_decide_outcomes_and_nothing_else_does(
    action: Action, there: set[str], known: set[str], lost: set[str], refused: set[str]
) -> None:
    fake_lms = FakeLMS()
    ids = dict(zip(sorted(there), fake_lms.put(*sorted(there)), strict=True))
    known_ids = ["id-lost" if key in lost else ids.get(key, "") if key in known else "" for key in KEYS]
    fake_lms.refused = refused

    transmission = sent(fake_lms, action, *KEYS, ids=known_ids)

    done = {key for key, outcome in outcomes(transmission).items() if outcome == "done"}
    assert outcomes(transmission).keys() == set(KEYS)
    assert set(outcomes(transmission).values()) <= {"done", "rejected"}
    if action is Action.DELETE:
        assert set(fake_lms.shown) == there - done
    else:
        assert done == set(KEYS) - refused
        assert fake_lms.shown == dict.fromkeys(there, "Theirs") | dict.fromkeys(done, "Ours")


@given(
    st.sampled_from(Action),
    key_sets,
    key_sets,
    st.dictionaries(st.integers(1, 12), st.sampled_from([401, 503])),
)
def test_each_item_has_one_final_outcome_and_what_is_done_is_true(
    action: Action, there: set[str], refused: set[str], outages: dict[int, int]
) -> None:
    fake_lms = FakeLMS(refused=refused, outages=outages)
    fake_lms.put(*sorted(there))

    transmission = sent(fake_lms, action, *KEYS)

    assert transmission.results.keys() == set(KEYS)
    assert all(key == result.content_key for key, result in transmission.results.items())
    assert set(outcomes(transmission).values()) <= {"done", "rejected", "retry", "skipped"}
    for key, outcome in outcomes(transmission).items():
        if outcome == "done":
            assert fake_lms.shown.get(key) == (None if action is Action.DELETE else "Ours")


@given(st.integers(1, 100), st.data())
def test_finding_culprits_takes_a_bounded_number_of_calls(count: int, data: st.DataObject) -> None:
    keys = [f"K{number}" for number in range(count)]
    culprits = data.draw(st.sets(st.sampled_from(keys), max_size=5))
    fake_lms = FakeLMS(refused=culprits)

    transmission = sent(fake_lms, Action.CREATE, *keys)

    assert {key for key, outcome in outcomes(transmission).items() if outcome == "rejected"} == culprits
    assert fake_lms.calls["create"] <= 1 + 2 * len(culprits) * math.ceil(math.log2(count))


# --- secrets ---------------------------------------------------------------------------------------------------------


class QuotingChannel(FakeLMSChannel):
    """A channel whose results quote its LMS without removing secrets."""

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        return [
            ItemResult(item.content_key, Outcome.REJECTED, vendor_code="a/bc", message="no: a%2Fbc") for item in items
        ]

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        raise ConfigurationError("no: a/bc", vendor_code="a%2fbc")


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_a_secret_quoted_by_a_channel_is_redacted_from_results_and_errors(fake_lms: FakeLMS, action: Action) -> None:
    channel = QuotingChannel(fake_lms)
    channel.client.keep_secret("a/bc")

    transmission = Transmitter(channel).transmit([Outgoing("A", {}, "id-1", action=action)])

    [result] = transmission.results.values()
    assert (result.vendor_code, result.message) == ("[secret]", "no: [secret]")
    if transmission.stopped_by is not None:
        assert (transmission.stopped_by.vendor_code, str(transmission.stopped_by)) == ("[secret]", "no: [secret]")
