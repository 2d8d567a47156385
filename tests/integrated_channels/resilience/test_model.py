"""Random scenarios of a customer: the records stay true after each run, and finally everything is right.

hypothesis generates scenarios and, when one fails, searches for the shortest failing scenario. All of it runs in
this process without sockets. The catalog service, the sync, the sandbox Moodle, the clients and the database with its
transactions are real. The checks are in ``model/checks.py`` and ``model/convergence.py``.
"""

from __future__ import annotations

import logging
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from enterprise_catalog.integrated_channels.sync import delivery
from enterprise_catalog.integrated_channels.sync.timing import Timing
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.resilience.model import operators
from tests.integrated_channels.resilience.model.batches import run_batches
from tests.integrated_channels.resilience.model.convergence import converge
from tests.integrated_channels.resilience.model.in_process_http import CATALOG_URL, InProcessHTTP
from tests.integrated_channels.resilience.model.occurrences import OCCURRENCES, note
from tests.integrated_channels.resilience.model.simulation import Incident, Simulation
from tests.integrated_channels.resilience.model.watched_moodle import CREATE, FIND, LOGIN, UPDATE
from tests.integrated_channels.resilience.model.workers import Moment, Worker, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_django import Settings

    from enterprise_catalog.integrated_channels.audit.pacing import Pacer
    from tests.integrated_channels.resilience.model.catalogs import TickingClock

BATCHES: Final = 3
BATCHES_OF_A_SOAK: Final = 550
#: Added to the seed. From here, all expected events occur in the fewest batches.
FIRST_BATCH: Final = 32
STEPS: Final = 4
STEPS_OF_A_SOAK: Final = 7

RARE: Final = "shown again"  #: Only the long form has to meet it.
#: Events that must occur in each test. In 280 scenarios, all of them occur several times.
EXPECTED: Final = (
    *("adopted", "made again", "settled what was in doubt", "switched off"),
    *("death: statement", "death: call", "death: carried out", "run died", "run abandoned", "run stopped"),
    *("frozen: 3 minutes", "frozen: 6 minutes", "busy", "during a run: catalogs", "during a run: operators"),
    *("compared: changes", "compared: expired", "compared: edited", "compared: daily", "compared: dead_run"),
    *("plans compared", "catalogs: forget_changes", "catalogs: restore_backup"),
    *("predicted create", "predicted update", "predicted delete", "predicted nothing"),
    *("fault: answer", "fault: refuse", "fault: replace", "fault: truncate"),
    *("create retry", "create rejected", "create skipped", "update retry", "update unchanged", "delete retry"),
    *(
        "transmitted -> held",
        "operators: approve",
        "operators: keep",
        "operators: queue_again",
        "operators: send_again",
    ),
)

NUMBERS: Final = st.integers(0, 4_095)


def _one_of(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return values of ``strategies``, each as often as it is listed. ``|`` would count duplicates once."""
    return st.sampled_from(strategies).flatmap(lambda chosen: chosen)


def _incidents(who: str, *names: str) -> st.SearchStrategy[Incident]:
    return st.builds(Incident, st.just(who), st.sampled_from(names), NUMBERS)


EDITS: Final = _incidents(
    "catalogs",
    *("fill", "fill", "change", "change", "change", "restore", "restore", "undo", "undo"),
    *("touch", "empty", "drop", "add", "rename_customer"),
    *("forget_changes", "back_up", "back_up", "restore_backup"),
)
HANDS: Final = _incidents("operators", *operators.IN_THE_LMS)
SITE: Final = _incidents("operators", *operators.ABOUT_THE_SITE)
CONFIGURATION: Final = _incidents("operators", *operators.TO_THE_CONFIGURATION)
DECISIONS: Final = _incidents("operators", *operators.ABOUT_WAITING_ITEMS)


def _moodle_error(code: str) -> dict[str, Any]:
    body = f'{{"exception":"moodle_exception","errorcode":"{code}","message":"Made up."}}'
    return {"status": 200, "body": body, "content_type": "application/json"}


#: Responses that the LMS may send after it carried out the call. A status of 401, 403 or 429 and a rejected token mean
#: that the call was not carried out: ``exceptions.py`` relies on that.
AFTER_ALL: Final[list[Mapping[str, Any]]] = [
    *({"status": status} for status in (408, 500, 502, 503, 504)),
    {"status": 200},
    *[_moodle_error("invalidresponse")] * 3,
    _moodle_error("dmltransactionexception"),
]
INSTEAD: Final[list[Mapping[str, Any]]] = [
    *AFTER_ALL,
    *({"status": status} for status in (303, 400, 401, 403, 404, 429)),
    *({"status": status, "retry_after": "7200"} for status in (429, 503)),
    *(_moodle_error(code) for code in ("invalidtoken", "errorinvalidparam", "dmlwriteexception", "sitemaintenance")),
]
FAULTS: Final = st.builds(
    lambda values, **others: Fault(**values, **others),
    st.sampled_from(
        [
            *({"kind": FaultKind.ANSWER, **answer} for answer in INSTEAD),
            *[{"kind": FaultKind.REPLACE, **answer} for answer in AFTER_ALL] * 2,
            *[{"kind": FaultKind.REFUSE}, {"kind": FaultKind.DROP}, {"kind": FaultKind.TRUNCATE}] * 4,
            *[{"kind": FaultKind.SHORTEN}, {"kind": FaultKind.LENGTHEN}] * 2,
            *({"kind": kind, "delay_seconds": 50} for kind in (FaultKind.DELAY, FaultKind.DRIP)),
        ]
    ),
    operation=st.sampled_from((CREATE, CREATE, UPDATE, UPDATE, "*", FIND, LOGIN)),
    times=st.sampled_from((1, 2, None)),
    skip=st.sampled_from((0, 0, 1, 2)),
)


class Meanwhile(NamedTuple):
    """Events between two runs."""

    is_repaired: bool  #: True if the LMS was repaired first.
    incidents: list[Incident]
    faults: list[Fault]
    minutes: int


MEANWHILE: Final = st.builds(
    Meanwhile,
    is_repaired=st.booleans(),
    incidents=st.tuples(
        st.lists(EDITS, max_size=2), st.lists(_one_of(HANDS, SITE, CONFIGURATION, DECISIONS, DECISIONS), max_size=1)
    ).map(lambda parts: parts[0] + parts[1]),
    faults=st.lists(FAULTS, max_size=2),
    # Within the lease; after the lease, when a failed item may be due; after the sync interval; after all back-offs.
    minutes=st.sampled_from((1, 6, 6, 61, 1_500)),
)
#: Moment at which a worker dies, if its run gets that far.
DEATHS: Final = st.one_of(
    st.tuples(st.just(Moment.STATEMENT), st.integers(0, 25)),
    st.tuples(st.just(Moment.CALL), st.integers(0, 3)),
    st.tuples(st.just(Moment.CARRIED_OUT), st.integers(0, 3)),
)
#: Number of the response after which something else happens, if the run gets that far.
CALLS: Final = st.integers(0, 6)


class Customer(RuleBasedStateMachine):
    """Each step: some events occur, time passes, and a worker syncs, which may be interrupted."""

    def __init__(self, workers: Workers, http: InProcessHTTP) -> None:
        super().__init__()
        self.simulation = Simulation(workers, http)

    @initialize(
        has_token=st.booleans(),
        has_begun=st.sampled_from((True, True, False)),
        catalogs=st.lists(NUMBERS, min_size=1, max_size=2),
        pace=NUMBERS,
        limit=NUMBERS,
    )
    def begin(self, *, has_token: bool, has_begun: bool, catalogs: list[int], pace: int, limit: int) -> None:
        self.simulation.operators.connect(has_token=has_token)
        self.simulation.operators.set_pace(pace)
        self.simulation.operators.set_delete_limit(limit)
        for number in catalogs:
            self.simulation.catalogs.add(number)
        if has_begun:
            self.simulation.sync()

    @rule(meanwhile=MEANWHILE)
    def sync(self, meanwhile: Meanwhile) -> None:
        self._live(meanwhile)
        self.simulation.sync()

    @rule(meanwhile=MEANWHILE, death=DEATHS)
    def sync_and_die(self, meanwhile: Meanwhile, death: tuple[Moment, int]) -> None:
        self._live(meanwhile)
        worker = Worker(*death)
        self.simulation.sync(worker)
        if worker.is_dead:
            note(f"death: {death[0]}")

    @rule(meanwhile=MEANWHILE, call=CALLS, incident=_one_of(*[EDITS] * 4, HANDS, CONFIGURATION, DECISIONS))
    def sync_while_something_happens(self, meanwhile: Meanwhile, call: int, incident: Incident) -> None:
        self._live(meanwhile)
        worker = Worker(Moment.ANSWER, call, lambda: self.simulation.happen(incident))
        self.simulation.sync(worker)
        if worker.was_interrupted:
            note(f"during a run: {incident.who}")

    @rule(meanwhile=MEANWHILE, call=CALLS, minutes=st.sampled_from((3, 6)))
    def sync_and_freeze(self, meanwhile: Meanwhile, call: int, minutes: int) -> None:
        """Freeze the worker for ``minutes`` while another worker tries to sync, and then let it continue."""
        self._live(meanwhile)

        def freeze() -> None:
            self.simulation.clock.forward(minutes=minutes)
            self.simulation.sync()
            note(f"frozen: {minutes} minutes")

        self.simulation.sync(Worker(Moment.ANSWER, call, freeze))

    def teardown(self) -> None:
        # hypothesis also calls this after failures and when it aborts an example.
        if sys.exc_info()[0] is None:
            converge(self.simulation)

    def _live(self, meanwhile: Meanwhile) -> None:
        if meanwhile.is_repaired:
            self.simulation.operators.repair_site()
        for incident in meanwhile.incidents:
            self.simulation.happen(incident)
        for fault in meanwhile.faults:
            self.simulation.moodle.faults.add(fault)
        self.simulation.clock.forward(minutes=meanwhile.minutes)


@pytest.fixture
def workers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Workers whose SQL statements are watched. Their pauses only move the clock forward."""
    settings.CATALOG_API_URL = CATALOG_URL
    settings.OAUTH2_PROVIDER_URL = f"{CATALOG_URL}/oauth2"
    # Sessions, pages and statistics do not affect the sync, and take a tenth of the time.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "gzip" in name or "cache" in name]
    monkeypatch.setattr(delivery, "Timing", _timing)
    workers = Workers()
    with workers.watched():
        yield workers


def _timing(pacer: Pacer, clock: TickingClock, *, renew_if_due: Callable[[], None]) -> Timing:
    return Timing(pacer, clock, lambda seconds: clock.forward(seconds=seconds), renew_if_due)


@pytest.mark.long(45)
@pytest.mark.timeout(7_200)  # hypothesis may take minutes to shorten a failing scenario.
@pytest.mark.django_db(transaction=True)
def test_in_any_scenario_the_records_are_true_and_everything_converges(
    workers: Workers, *, seed: int, soak: bool, report: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    http = InProcessHTTP(workers.pass_on)

    class Machine(Customer):
        def __init__(self) -> None:
            super().__init__(workers, http)

    with http.patched():
        scenarios = run_batches(
            Machine,
            seed=seed + FIRST_BATCH,
            batches=BATCHES_OF_A_SOAK if soak else BATCHES,
            steps=STEPS_OF_A_SOAK if soak else STEPS,
            expected=EXPECTED,
        )

    _report(report, scenarios=scenarios)
    assert not soak or OCCURRENCES[RARE]


def _report(report: Callable[[str], None], *, scenarios: int) -> None:
    occurrences = ", ".join(f"{what} {often:,}" for what, often in sorted(OCCURRENCES.items()))
    for line in textwrap.wrap(f"{scenarios:,} scenarios; {occurrences}", 105):
        report(line)
