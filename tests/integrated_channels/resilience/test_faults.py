"""The LMS fails in every possible way while the catalogs change. Once failures stop, it equals the catalogs.

Runs for each LMS in ``systems/``. In the reduced form, LMSs other than Moodle only run on MariaDB.
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
from django.db.models import Q

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.audit.transitions import MAX_FAILURES
from enterprise_catalog.integrated_channels.domain import Outcome
from enterprise_catalog.integrated_channels.feed import views as feed_views
from enterprise_catalog.integrated_channels.lms import client as lms_client
from enterprise_catalog.integrated_channels.models import (
    ContentMetadataItemTransmission,
    RunState,
    TransmissionAttempt,
)
from tests.factories.catalog import CatalogFactory, import_into
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.resilience.attempts import check_accounts, check_back_off
from tests.integrated_channels.resilience.changing_catalogs import ChangingCatalogs
from tests.integrated_channels.resilience.reconciliation import as_text, differences, twins
from tests.integrated_channels.resilience.systems.faults import (
    CALL_SECONDS,
    READ_SECONDS,
    RETRY_AFTER_SECONDS,
    CountedFaults,
    Watched,
)
from tests.integrated_channels.resilience.systems.registry import system
from tests.integrated_channels.resilience.tables import forget_changes, items_of, rows_of
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
    from tests.integrated_channels.resilience.reconciliation import Course, History, Item
    from tests.integrated_channels.resilience.systems.base import VendorLMS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

#: Probabilities of each of about 20 faults, for each call that changes something. One probability applies per run.
#: Look-ups are more frequent, and their probability is lower.
CHANCES = (0.01, 0.03, 0.06)
LOOK_UPS_PER_CHANGE = 10

#: Probability that a run meets ``cutting_short``. The two faults hardly ever meet by chance.
CHANCE_TO_CUT_SHORT = 0.25

#: Possible numbers of polls by a polling LMS between two runs.
POLLS = (1, 2, 3)

#: Probabilities that a run starts early (by hand) or a day late.
CHANCE_BY_HAND = 0.25
CHANCE_OF_A_PAUSE = 0.15
#: Before each such run, the log of changes is deleted, so that the run compares all items.
FORGET_EVERY = 6


@dataclass
class FaultScenario:
    """One configuration with its catalogs, LMS and clock."""

    configuration: ChannelConfiguration
    catalogs: ChangingCatalogs
    stored: Mapping[str, EnterpriseCatalog]  #: By name.
    system: VendorLMS
    sandbox: SandboxApplication
    lms: Watched  #: The sandbox as it is served.
    faults: CountedFaults  #: Faults of the LMS.
    client: httpx.Client  #: For our web service.
    clock: Clock
    rng: Random
    items: dict[str, dict[str, Item]] = field(default_factory=dict)  #: Content of the catalogs: UUID -> key -> item.
    history: History = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)  #: Run state -> number of runs.
    #: ID of a transmission -> times at which runs found that its item had left the catalogs.
    left_at: defaultdict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def run(self) -> SyncRun:
        """Sync with the current catalogs. Check the invariants that hold after every run, however it ended."""
        self.store()
        if self.ends.total() % FORGET_EVERY == FORGET_EVERY - 1:
            forget_changes()
        run = run_of(self.configuration, self.clock)
        self.lms.come_to_rest()
        self.let_it_poll()
        self.configuration.refresh_from_db()
        self.ends[str(run.state)] += 1
        check_accounts(run)
        for row in ContentMetadataItemTransmission.objects.filter(deleted_at=self.clock.now):
            self.left_at[row.pk].append(self.clock.now)
        self.check_claims()
        assert run.state != RunState.ABANDONED
        assert not run.reason.startswith("Internal error")
        assert twins(self.courses()) == []
        return run

    def let_it_poll(self) -> None:
        """Let a polling LMS poll a few times. Does nothing for other LMSs."""
        for _ in range(self.rng.choice(POLLS) if self.system.polls else 0):
            self.system.poll_feed(self.sandbox, self.client, str(self.configuration.enterprise_customer_uuid))

    def store(self) -> None:
        """Write the expected content to the catalogs."""
        for name, catalog in self.stored.items():
            import_into(catalog, self.catalogs.documents([name]).values(), now=self.clock.now, replace=True)
            items = items_of(catalog)
            self.items[str(catalog.pk)] = items
            self.history |= {(str(catalog.pk), key, item.updated_at): item for key, item in items.items()}

    def courses(self) -> list[Course]:
        """Return all courses of the LMS."""
        return [self.system.course(record) for record in self.sandbox.content()]

    def check_claims(self) -> None:
        """Check that the LMS offers the transmitted items in their recorded version, and no deleted item.

        Skips rows whose reason states that the item was not sent.
        """
        offered = {course.key: course.texts for course in self.courses() if course.is_offered}
        for row in ContentMetadataItemTransmission.objects.of(self.configuration):
            if row.state == "transmitted" and not row.reason.startswith("Not sent: "):
                item = self.history[str(row.catalog_uuid), row.content_key, as_text(row.content_updated_at)]
                assert offered.get(row.content_key) == self.system.texts(row.content_key, item)
            if row.deleted_at is not None:
                assert row.content_key not in offered

    def wait(self, run: SyncRun) -> None:
        """Move the clock to the next due time, or sometimes to an earlier or later time."""
        due = self.next_sync_at
        throttled = run.attempts.filter(outcome=Outcome.THROTTLED).first()
        if throttled is not None:
            asked = [seconds for text, seconds in RETRY_AFTER_SECONDS.items() if text in throttled.message]
            assert due >= self.clock.now + timedelta(seconds=max([60, *asked]))
        elif self.rng.random() < CHANCE_BY_HAND:
            due = self.clock.now + (due - self.clock.now) * self.rng.random()
        if self.rng.random() < CHANCE_OF_A_PAUSE:
            due += timedelta(days=1)
        self.clock.now = due

    def keys_that_failed(self, run: SyncRun) -> set[str]:
        """Return the keys of items whose attempts failed in a run."""
        failed = run.attempts.exclude(outcome=Outcome.DONE)
        return set(failed.values_list("transmission__content_key", flat=True))

    def ended(self) -> str:
        """Return the number of runs by state, as text."""
        return ", ".join(f"{number} runs {state}" for state, number in self.ends.most_common())

    @property
    def next_sync_at(self) -> datetime:
        """The due time of the next run. It is never in the past."""
        due = self.configuration.next_sync_at
        assert due is not None
        assert due >= self.clock.now
        return due


@pytest.fixture
def scenario(
    kind: str,
    customer: EnterpriseCustomer,
    catalog_service: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    seed: int,
) -> Iterator[FaultScenario]:
    settings.FEED_THROTTLE_RATE = "100000/second"
    monkeypatch.setattr(feed_views, "timezone", SimpleNamespace(now=clock))  # Polls use the test clock.

    def now() -> float:
        return clock.now.timestamp()

    random.seed(seed)  # The engine's jitter.
    rng, played = Random(seed), system(kind)
    sandbox = played.make(clock=now)
    sandbox.faults = faults = CountedFaults(played, seed=seed)
    lms = Watched(sandbox)
    stored = {name: CatalogFactory.create(customer=customer) for name in ("some", "others")}
    with on_loopback(lms) as url, httpx.Client(base_url=catalog_service.url, timeout=60) as client:
        configuration = ConfigurationFactory.create(
            channel_code=played.code,
            enterprise_customer_uuid=customer.pk,
            base_url=url,
            settings={**sandbox.channel_settings(), **played.settings},
            sandbox=sandbox,
            chunk_size=played.chunk_size,
            delete_limit_percent=100,
        )
        catalogs = ChangingCatalogs([*stored], rng)
        yield FaultScenario(configuration, catalogs, stored, played, sandbox, lms, faults, client, clock, rng)


def test_after_any_responses_the_lms_equals_the_catalogs_once_failures_stop(
    scenario: FaultScenario, monkeypatch: pytest.MonkeyPatch, report: Callable[[str], None], *, soak: bool
) -> None:
    changes = scenario.system.changes
    runs, items = (50, 150) if soak else (12, 40)
    scenario.catalogs.add(items)

    with monkeypatch.context() as patch:
        patch.setattr(lms_client, "TIMEOUT", httpx.Timeout(5, read=READ_SECONDS))
        patch.setattr(site_settings, "LMS_CALL_SECONDS", CALL_SECONDS)
        for _ in range(runs):
            chance = scenario.rng.choice(CHANCES) * scenario.system.times_as_often
            cut_short = scenario.rng.choice(changes) if scenario.rng.random() < CHANCE_TO_CUT_SHORT else None
            scenario.faults.arm_all(of_changes=chance, of_look_ups=chance / LOOK_UPS_PER_CHANGE, cut_short=cut_short)
            run = scenario.run()
            scenario.wait(run)
            scenario.catalogs.favourites = scenario.keys_that_failed(run)
            scenario.catalogs.change(items // 5)
        let_each_strike(scenario)
    tried_again = check_back_off(scenario.configuration, asked_for=RETRY_AFTER_SECONDS, left_at=scenario.left_at)
    dead = recover(scenario)

    check_that_all_is_well(scenario)
    assert [name for operation in changes for name in scenario.faults.missing(operation)] == []
    if not scenario.system.polls:
        assert tried_again > 0
        for message in ("did not respond in time", "The LMS did not complete any response within"):
            assert TransmissionAttempt.objects.filter(message__contains=message).exists()
    report(f"{scenario.ended()}; {tried_again} attempts came after a rest, {dead} items were dead letters")
    report("faults that struck: " + ", ".join(f"{name}: {times}" for name, times in scenario.faults.by_name().items()))


def let_each_strike(scenario: FaultScenario) -> None:
    """Make each fault strike each kind of change that chance has left out."""
    changes, faults = scenario.system.changes, scenario.faults
    for _ in range(2 * len(scenario.system.faults)):
        armed = {operation: missing[0] for operation in changes if (missing := faults.missing(operation))}
        if not armed:
            return
        faults.arm_once(armed)
        scenario.catalogs.add(1)
        for key in settled_keys(scenario, at_most=2):
            scenario.catalogs.alter(key)
        for key in settled_keys(scenario, at_most=1):
            scenario.catalogs.take_away(key)
        scenario.wait(scenario.run())


def settled_keys(scenario: FaultScenario, *, at_most: int) -> list[str]:
    """Return keys of settled items: a change of such an item is sent at once."""
    settled = ContentMetadataItemTransmission.objects.of(scenario.configuration).filter(state="transmitted")
    keys = scenario.catalogs.union().intersection(settled.values_list("content_key", flat=True))
    return scenario.rng.sample(sorted(keys), min(len(keys), at_most))


def recover(scenario: FaultScenario) -> int:
    """Stop all failures, and move the clock until each item may be retried.

    Return the number of items that failed too often. An operator has to queue them again.
    """
    scenario.faults.clear()
    given_up = Q(state="dead_letter") | Q(state="rejected", attempts__gte=MAX_FAILURES)
    dead = ContentMetadataItemTransmission.objects.of(scenario.configuration).filter(given_up)
    queued = decisions.queue_again(dead, by="a resilience test", now=scenario.clock.now)
    scenario.clock.forward(days=1)
    for _ in range(scenario.system.runs_to_recover):
        run = scenario.run()
        if run.state == RunState.COMPLETE:
            return queued
        scenario.clock.now = scenario.next_sync_at
    pytest.fail(f"{scenario.system.runs_to_recover} runs were not enough: {run.reason or run.counts}")


def check_that_all_is_well(scenario: FaultScenario) -> None:
    """Check that the LMS equals the catalogs, and that our rows match the LMS."""
    rows = rows_of(scenario.configuration)
    faults = differences(rows, scenario.courses(), scenario.items, scenario.system.texts)
    assert not faults, "\n".join(faults)
    assert scenario.catalogs.union() == {row.key for row in rows if row.state == "transmitted"}
    check_versions(scenario)


def check_versions(scenario: FaultScenario) -> None:
    """Check with a dry run that the catalogs report no difference from the versions in our rows."""
    answer = StringIO()
    call_command("sync_channels", "--dry-run", "--json", configuration=scenario.configuration.pk, stdout=answer)
    plan = json.loads(answer.getvalue())
    assert (plan["items"], plan["matched"], plan["waiting"], plan["dead"]) == ([], len(scenario.catalogs.union()), 0, 0)
