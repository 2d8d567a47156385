"""Errors that either an invalid item or a database lock can cause, and the presence of items after a failed create."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.integrated_channels.audit.pacing import Pacer
from enterprise_catalog.integrated_channels.domain import Action, Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RejectedForNowError
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, RunState
from enterprise_catalog.integrated_channels.sync.timing import Timing
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.fake_lms import FakeLMS, FakeLMSChannel
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.sync.parts import Transmission
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

KEYS = [f"K{number}" for number in range(8)]
CREATE = "core_course_create_courses"
LOOK_UP = "core_course_get_courses_by_field"


@dataclass
class LockedLMS(FakeLMS):
    """An LMS whose errors do not distinguish an invalid course from a lock. It has its own clock."""

    locked: set[int] = field(default_factory=set)  #: Numbers of the creates (from 1) that meet a lock.
    lock_seconds: float = 0.0
    now: float = 0.0


class AmbiguousChannel(FakeLMSChannel):
    is_atomic = True

    def __init__(self, fake_lms: LockedLMS) -> None:
        super().__init__(fake_lms)
        self.fake_lms = fake_lms

    def _ask(self, call: str, items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        if call == "create" and self.fake_lms.calls[call] + 1 in self.fake_lms.locked:
            self.fake_lms.calls[call] += 1
            self.fake_lms.now += self.fake_lms.lock_seconds
            raise RejectedForNowError("locked")
        try:
            return super()._ask(call, items)
        except RejectedError as error:
            raise RejectedForNowError(error.message) from error


@pytest.fixture
def fake_lms() -> LockedLMS:
    return LockedLMS()


def sent(fake_lms: LockedLMS, *keys: str, action: Action = Action.CREATE, seen: bool = False) -> Transmission:
    ids = [""] * len(keys) if action is Action.CREATE else fake_lms.put(*keys)
    items = [
        Outgoing(key, {"title": "Ours"}, id_, may_be_there=seen, action=action)
        for key, id_ in zip(keys, ids, strict=True)
    ]
    timing = Timing(Pacer(most=100, first=100), lambda: DAY_ONE + timedelta(seconds=fake_lms.now))
    return Transmitter(AmbiguousChannel(fake_lms), timing=timing).transmit(items)


def outcomes(transmission: Transmission) -> dict[str, str]:
    return {key: result.outcome.value for key, result in transmission.results.items()}


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize(("lock_seconds", "calls"), [(50, 1), (10, 3), (0.01, 15)])
def test_a_lock_that_stays_rejects_nothing_and_is_not_waited_for_again_and_again(
    fake_lms: LockedLMS, lock_seconds: float, calls: int, *, seen: bool
) -> None:
    fake_lms.locked, fake_lms.lock_seconds = set(range(1, 100)), lock_seconds

    transmission = sent(fake_lms, *KEYS, seen=seen)

    assert outcomes(transmission) == dict.fromkeys(KEYS, "retry")
    assert fake_lms.calls == {"create": calls, **({"find": 1} if seen else {})}
    assert not any(result.may_have_been_created for result in transmission.results.values())


@pytest.mark.parametrize("seen", [False, True])
def test_a_lock_that_is_released_costs_two_calls(fake_lms: LockedLMS, *, seen: bool) -> None:
    fake_lms.locked = {1}

    transmission = sent(fake_lms, *KEYS, seen=seen)

    assert outcomes(transmission) == dict.fromkeys(KEYS, "done")
    assert fake_lms.calls["create"] == 3


@pytest.mark.parametrize("culprits", [{"K0"}, {"K7"}, {"K0", "K7"}, {"K1", "K2", "K5"}, set(KEYS[1:])])
def test_culprits_are_found_and_retried_and_all_others_are_sent(fake_lms: LockedLMS, culprits: set[str]) -> None:
    fake_lms.refused = culprits

    transmission = sent(fake_lms, *KEYS)

    assert outcomes(transmission) == {key: "retry" if key in culprits else "done" for key in KEYS}
    assert fake_lms.calls["find"] == 0


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_a_culprit_among_changes_is_retried(fake_lms: LockedLMS, action: Action) -> None:
    fake_lms.refused = {"K0"}

    transmission = sent(fake_lms, *KEYS, action=action)

    assert outcomes(transmission) == {key: "retry" if key == "K0" else "done" for key in KEYS}


# --- Moodle -----------------------------------------------------------------------------------------------------------


def moodle_error(code: str) -> str:
    return f'{{"exception": "moodle_exception", "errorcode": "{code}", "message": "No."}}'


@pytest.mark.django_db(transaction=True)
def test_a_moodle_that_is_locked_rejects_nothing_and_leaves_no_doubt(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    moodle.sort_seconds_per_course, moodle.lock_wait_seconds = 1e-9, 0.01
    CatalogFactory.create(courses=20, customer=customer)

    with moodle.row_locks.lock(1):
        refused = run_of(configuration, clock)
    clock.forward(hours=1)
    complete = run_of(configuration, clock)

    assert (refused.state, refused.counts) == (RunState.INCOMPLETE, {"create": {"retry": 20}})
    assert (complete.state, complete.counts) == (RunState.COMPLETE, {"create": {"done": 20}})
    assert moodle.calls[LOOK_UP] == 0


@pytest.mark.django_db(transaction=True)
def test_an_update_that_meets_a_lock_is_retried(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(courses=1, customer=customer)
    run_of(configuration, clock)
    course_id = moodle.courses[0]["id"]
    warning = f'{{"item": "course", "itemid": {course_id}, "warningcode": "dmlwriteexception", "message": "No."}}'
    body = f'{{"warnings": [{warning}]}}'
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_update_courses", status=200, body=body))
    clock.forward(hours=1)
    import_into(catalog, [course | {"title": "New"} for course in CourseFactory.numbered(1)], now=clock.now)

    refused = run_of(configuration, clock)
    clock.forward(hours=1)

    assert refused.counts == {"update": {"retry": 1}}
    assert run_of(configuration, clock).counts == {"update": {"done": 1}}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"status": 200, "body": moodle_error("nopermissions")}, RunState.STOPPED),
        ({"status": 200, "body": moodle_error("errorcatcontextnotvalid")}, RunState.STOPPED),
        ({"status": 200, "body": moodle_error("errorinvalidparam"), "times": None}, RunState.COMPLETE_EXCEPT),
        ({"status": 200, "body": moodle_error("dmlwriteexception"), "times": None}, RunState.INCOMPLETE),
        ({"status": 429}, RunState.STOPPED),
        ({"status": 403}, RunState.STOPPED),
    ],
)
def test_courses_whose_create_was_refused_as_a_whole_are_known_to_be_absent(
    configure: Callable[..., ChannelConfiguration],
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    fault: dict[str, Any],
    state: RunState,
) -> None:
    configuration = configure(delete_limit_items=1, delete_limit_percent=1)
    catalog = CatalogFactory.create(courses=5, customer=customer)
    moodle.faults.add(Fault(kind=FaultKind.ANSWER, operation=CREATE, **fault))

    refused = run_of(configuration, clock)
    moodle.calls.clear()
    moodle.faults.clear()
    clock.forward(days=2)
    rows = list(ContentMetadataItemTransmission.objects.all())
    import_into(catalog, [], replace=True, now=clock.now)
    emptied = run_of(configuration, clock)

    assert refused.state == state
    assert {row.presence for row in rows} == {"absent"}
    # No look-ups are made, and no delete of an item that never existed waits for approval.
    assert (emptied.state, emptied.held, moodle.calls.total()) == (RunState.COMPLETE, 0, 0)
    assert emptied.counts == {"delete": {"withdrawn": 5}}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.REPLACE])
def test_courses_whose_create_was_carried_out_without_a_good_answer_stay_in_doubt(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    kind: FaultKind,
) -> None:
    CatalogFactory.create(courses=5, customer=customer)
    for _ in range(2):
        body = moodle_error("invalidresponse")
        moodle.faults.add(Fault(kind=kind, operation="core_course_[cu]*", status=200, body=body))
    moodle.faults.add(Fault(kind=FaultKind.REFUSE, times=None))

    run_of(configuration, clock)

    assert {row.presence for row in ContentMetadataItemTransmission.objects.all()} == {"unknown"}
