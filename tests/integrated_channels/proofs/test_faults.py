"""The learning system answers in every wrong way while the catalogs change; once it has ceased to, nothing is amiss.

Each of the learning systems in ``systems/`` has its own ways. In the reduced form those beside Moodle have their turn
on MariaDB only.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx
import pytest
from django.conf import settings as site_settings
from django.core.management import call_command

from enterprise_catalog.integrated_channels import audit, feeds, http
from enterprise_catalog.integrated_channels.configurations import make_configuration
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    RunState,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.types import Outcome
from tests.factories import a_catalog, import_into
from tests.integrated_channels.loopback import on_loopback
from tests.integrated_channels.proofs.attempts import check_accounts, check_back_off
from tests.integrated_channels.proofs.changing_catalogs import ChangingCatalogs
from tests.integrated_channels.proofs.ledger import as_text, differences, twins
from tests.integrated_channels.proofs.systems.faults import (
    CALL_SECONDS,
    READ_SECONDS,
    RETRY_AFTER_SECONDS,
    CountedFaults,
    Watched,
)
from tests.integrated_channels.proofs.systems.registry import NAMES, system
from tests.integrated_channels.proofs.tables import items_of, rows_of
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from enterprise_catalog.sandbox.application import SandboxApplication
    from tests.integrated_channels.conftest import Clock
    from tests.integrated_channels.proofs.ledger import Course, History, Item
    from tests.integrated_channels.proofs.systems.base import LearningSystem

pytestmark = pytest.mark.django_db(transaction=True)

#: Of each of some twenty faults, for each call that changes something; one of these holds for a run. Look-ups, of which
#: there are many more, meet them more rarely.
CHANCES = (0.01, 0.03, 0.06)
LOOK_UPS_PER_CHANGE = 10

#: How often a run meets what leaves most in doubt; chance alone would hardly ever bring it about.
CHANCE_TO_CUT_SHORT = 0.25

#: Of a learning system that comes to us, between two runs.
VISITS = (1, 2, 3)

#: How often a run comes at another time than it is due: by hand before, or a day late.
CHANCE_BY_HAND = 0.25
CHANCE_OF_A_PAUSE = 0.15


@dataclass
class Trial:
    """One configuration, its catalogs and its learning system, and the time at which all that happens."""

    configuration: ChannelConfiguration
    catalogs: ChangingCatalogs
    stored: Mapping[str, EnterpriseCatalog]  #: By name.
    system: LearningSystem
    sandbox: SandboxApplication
    lms: Watched  #: The sandbox, as it is served.
    faults: CountedFaults  #: Its.
    client: httpx.Client  #: Of our programs.
    clock: Clock
    dice: Random
    items: dict[str, dict[str, Item]] = field(default_factory=dict)  #: What the catalogs hold: UUID -> key -> item.
    history: History = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)  #: Of runs, by state.
    #: Id of a transmission -> when runs found that its item had left the catalogs.
    left_at: defaultdict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def run(self) -> SyncRun:
        """Sync with the catalogs as they are now, and check what has to hold after every run, however it ended."""
        self.store()
        run = run_of(self.configuration, self.clock)
        self.lms.come_to_rest()
        self.let_it_visit()
        self.configuration.refresh_from_db()
        self.ends[str(run.state)] += 1
        check_accounts(run)
        for row in ContentMetadataItemTransmission.objects.filter(deleted_at=self.clock.now):
            self.left_at[row.pk].append(self.clock.now)
        self.check_claims()
        assert run.state != RunState.ABANDONED
        assert not run.reason.startswith("An error in the program")
        assert twins(self.courses()) == []
        return run

    def let_it_visit(self) -> None:
        """Let the learning system come a few times, if that is its way."""
        for _ in range(self.dice.choice(VISITS) if self.system.visits else 0):
            self.system.visit(self.sandbox, self.client, str(self.configuration.enterprise_customer_uuid))

    def store(self) -> None:
        """Put into the catalogs what they should hold."""
        for name, catalog in self.stored.items():
            import_into(catalog, self.catalogs.documents([name]).values(), now=self.clock.now, replace=True)
            items = items_of(catalog)
            self.items[str(catalog.pk)] = items
            self.history |= {(str(catalog.pk), key, item.updated_at): item for key, item in items.items()}

    def courses(self) -> list[Course]:
        """Return all courses of the learning system."""
        return [self.system.course(record) for record in self.sandbox.content()]

    def check_claims(self) -> None:
        """Check that the learning system offers what our rows say it does, and nothing that they call deleted.

        A row that had to be left as it was says so.
        """
        offered = {course.key: course.texts for course in self.courses() if course.is_offered}
        for row in ContentMetadataItemTransmission.objects.of(self.configuration):
            if row.state == "transmitted" and not row.reason.startswith("Not sent: "):
                item = self.history[str(row.catalog_uuid), row.content_key, as_text(row.content_updated_at)]
                assert offered.get(row.content_key) == self.system.texts(row.content_key, item)
            if row.deleted_at is not None:
                assert row.content_key not in offered

    def wait(self, run: SyncRun) -> None:
        """Let the time come at which the next run is due; or another, as it happens."""
        due = self.next_sync_at
        throttled = run.attempts.filter(outcome=Outcome.THROTTLED).first()
        if throttled is not None:
            asked = [seconds for text, seconds in RETRY_AFTER_SECONDS.items() if text in throttled.message]
            assert due >= self.clock.now + timedelta(seconds=max([60, *asked]))
        elif self.dice.random() < CHANCE_BY_HAND:
            due = self.clock.now + (due - self.clock.now) * self.dice.random()
        if self.dice.random() < CHANCE_OF_A_PAUSE:
            due += timedelta(days=1)
        self.clock.now = due

    def keys_that_failed(self, run: SyncRun) -> set[str]:
        """Return the keys of the items that a run tried in vain."""
        failed = run.attempts.exclude(outcome=Outcome.DONE)
        return set(failed.values_list("transmission__content_key", flat=True))

    def ended(self) -> str:
        """Return how many runs ended how."""
        return ", ".join(f"{number} runs {state}" for state, number in self.ends.most_common())

    @property
    def next_sync_at(self) -> datetime:
        """When the next run is due; never before the last one ended."""
        due = self.configuration.next_sync_at
        assert due is not None
        assert due >= self.clock.now
        return due


@pytest.fixture
def trial(
    kind: str,
    customer: EnterpriseCustomer,
    catalog_service: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    seed: int,
) -> Iterator[Trial]:
    settings.FEED_THROTTLE_RATE = "100000/second"
    monkeypatch.setattr(feeds, "timezone", SimpleNamespace(now=clock))  # What visits prove is dated as runs are.

    def now() -> float:
        return clock.now.timestamp()

    random.seed(seed)  # By which the engine shortens rests.
    dice, played = Random(seed), system(kind)
    sandbox = played.make(clock=now)
    sandbox.faults = faults = CountedFaults(played, seed=seed)
    lms = Watched(sandbox)
    stored = {name: a_catalog(customer=customer) for name in ("some", "others")}
    with on_loopback(lms) as url, httpx.Client(base_url=catalog_service.url, timeout=60) as client:
        configuration = make_configuration(
            channel_code=played.code,
            customer_uuid=customer.pk,
            base_url=url,
            settings={**sandbox.channel_settings(), **played.settings},
            credentials=dict(sandbox.channel_credentials()),
        )
        configuration.chunk_size, configuration.delete_limit_percent = played.chunk_size, 100
        configuration.save()
        catalogs = ChangingCatalogs([*stored], dice)
        yield Trial(configuration, catalogs, stored, played, sandbox, lms, faults, client, clock, dice)


@pytest.mark.reduced_to("moodle", on_mariadb=NAMES)
def test_whatever_the_lms_answers_it_equals_the_catalogs_once_it_answers_well(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None], *, soak: bool
) -> None:
    changes = trial.system.changes
    runs, items = (50, 150) if soak else (12, 40)
    trial.catalogs.add(items)

    with monkeypatch.context() as patch:
        patch.setattr(http, "TIMEOUT", httpx.Timeout(5, read=READ_SECONDS))
        patch.setattr(site_settings, "LMS_CALL_SECONDS", CALL_SECONDS)
        for _ in range(runs):
            chance = trial.dice.choice(CHANCES) * trial.system.times_as_often
            cut_short = trial.dice.choice(changes) if trial.dice.random() < CHANCE_TO_CUT_SHORT else None
            trial.faults.arm_all(of_changes=chance, of_look_ups=chance / LOOK_UPS_PER_CHANGE, cut_short=cut_short)
            run = trial.run()
            trial.wait(run)
            trial.catalogs.favourites = trial.keys_that_failed(run)
            trial.catalogs.change(items // 5)
        let_each_strike(trial)
    tried_again = check_back_off(trial.configuration, asked_for=RETRY_AFTER_SECONDS, left_at=trial.left_at)
    dead = mend(trial)

    check_that_all_is_well(trial)
    assert [name for operation in changes for name in trial.faults.missing(operation)] == []
    if not trial.system.visits:
        assert tried_again > 0
        for told in ("did not answer in time", "The LMS did not complete any response within"):
            assert TransmissionAttempt.objects.filter(message__contains=told).exists()
    tell(f"{trial.ended()}; {tried_again} attempts came after a rest, {dead} items were dead letters")
    tell("faults that struck: " + ", ".join(f"{name}: {times}" for name, times in trial.faults.by_name().items()))


def let_each_strike(trial: Trial) -> None:
    """Let each fault strike each kind of change, where chance has not done so."""
    changes, faults = trial.system.changes, trial.faults
    for _ in range(2 * len(trial.system.faults)):
        armed = {operation: missing[0] for operation in changes if (missing := faults.missing(operation))}
        if not armed:
            return
        faults.arm_once(armed)
        trial.catalogs.add(1)
        for key in settled_keys(trial, at_most=2):
            trial.catalogs.alter(key)
        for key in settled_keys(trial, at_most=1):
            trial.catalogs.take_away(key)
        trial.wait(trial.run())


def settled_keys(trial: Trial, *, at_most: int) -> list[str]:
    """Return keys of items that are sent at once when they change."""
    settled = ContentMetadataItemTransmission.objects.of(trial.configuration).filter(state="transmitted")
    keys = trial.catalogs.union().intersection(settled.values_list("content_key", flat=True))
    return trial.dice.sample(sorted(keys), min(len(keys), at_most))


def mend(trial: Trial) -> int:
    """Let the learning system answer well from now on, and time pass until each item may be tried again.

    Return how many items were dead letters, which a person has to queue again.
    """
    trial.faults.clear()
    dead = ContentMetadataItemTransmission.objects.of(trial.configuration).filter(state="dead_letter")
    queued = audit.queue_again(dead, by="a proof", now=trial.clock.now)
    trial.clock.forward(days=1)
    for _ in range(trial.system.runs_to_mend):
        run = trial.run()
        if run.state == RunState.COMPLETE:
            return queued
        trial.clock.now = trial.next_sync_at
    pytest.fail(f"{trial.system.runs_to_mend} runs were not enough: {run.reason or run.counts}")


def check_that_all_is_well(trial: Trial) -> None:
    """Check that the learning system has what the catalogs have, and that our rows say what it has."""
    rows = rows_of(trial.configuration)
    faults = differences(rows, trial.courses(), trial.items, trial.system.texts)
    assert not faults, "\n".join(faults)
    assert trial.catalogs.union() == {row.key for row in rows if row.state == "transmitted"}
    check_versions(trial)


def check_versions(trial: Trial) -> None:
    """Ask the catalogs once more how they differ from the versions in our rows: they do not."""
    answer = StringIO()
    call_command("sync_channels", "--dry-run", "--json", configuration=trial.configuration.pk, stdout=answer)
    plan = json.loads(answer.getvalue())
    assert (plan["items"], plan["matched"], plan["waiting"], plan["dead"]) == ([], len(trial.catalogs.union()), 0, 0)
