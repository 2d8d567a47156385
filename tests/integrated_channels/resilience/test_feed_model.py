"""Random scenarios of a feed: an item only counts as received if the portal has it, and finally it has all items.

hypothesis generates changes of the catalogs, syncs that die, failed polls, overlapping polls, polls during syncs, and
requests by other clients. The catalog service, the sync, the feed and the database are real and run in this process.
The portal is the sandbox's portal.
"""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from enterprise_catalog.integrated_channels.feed import views as feed_views
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.resilience.model.batches import run_batches
from tests.integrated_channels.resilience.model.catalogs import Catalogs, TickingClock
from tests.integrated_channels.resilience.model.in_process_http import CATALOG_URL, InProcessHTTP
from tests.integrated_channels.resilience.model.occurrences import OCCURRENCES, note
from tests.integrated_channels.resilience.model.portal import FATES, NO_POLLS, OLD, ModelPortal
from tests.integrated_channels.resilience.model.simulation import delete_everything
from tests.integrated_channels.resilience.model.workers import Moment, Worker, Workers
from tests.integrated_channels.resilience.test_model import EDITS, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

    from tests.integrated_channels.resilience.model.simulation import Incident

BATCHES: Final = 4
BATCHES_ON_MARIADB: Final = 2
BATCHES_OF_A_SOAK: Final = 200
#: Added to the seed. From here, all expected events occur in the first batch.
FIRST_BATCH: Final = 2
STEPS: Final = 10
STEPS_OF_A_SOAK: Final = 16

EXPECTED: Final = (
    *(f"poll: {fate}" for fate in FATES),
    *(f"others: {kind}" for kind in (*NO_POLLS, *OLD)),
    *("poll during a poll", "poll during a sync", "others during a sync", "run died", "acknowledged"),
)
#: Seconds by which the portal's clock is ahead of ours.
SKEWS: Final = (0, 0, 0, -30, -7_200, 3_000)
FATE: Final = st.sampled_from((*FATES, "well", "well"))
SECONDS: Final = st.sampled_from((0, 0, 1, 3, 90, 3_700))


class Feed(RuleBasedStateMachine):
    """One customer, one portal, and other clients that know its password."""

    def __init__(self, workers: Workers, clock: TickingClock) -> None:
        super().__init__()
        delete_everything()
        self.workers, self.clock = workers, clock
        self.catalogs = Catalogs(clock)
        self.client = httpx.Client(base_url=CATALOG_URL, transport=httpx.WSGITransport(WSGIHandler()))
        self.customer = str(self.catalogs.customer.pk)

    @initialize(skew=st.sampled_from(SKEWS), count=st.sampled_from((None, None, 2)), number=NUMBERS)
    def begin(self, *, skew: int, count: int | None, number: int) -> None:
        clock = self.clock
        self.portal = ModelPortal(clock=lambda: clock().timestamp(), skew_seconds=skew, count=count)
        self.id = ConfigurationFactory.create(
            channel_code="CSOD",
            enterprise_customer_uuid=self.catalogs.customer.pk,
            sandbox=self.portal,
            chunk_size=1,
            delete_limit_percent=100,
        ).pk
        self.catalogs.add(number | 1)
        self.portal.poll_with_fate(
            self.client, self.customer, "well"
        )  # Like the first poll of a portal, without a time.
        self._sync(Worker())

    @rule(edit=EDITS, seconds=SECONDS)
    def edit(self, edit: Incident, seconds: int) -> None:
        getattr(self.catalogs, edit.what)(edit.number)
        self.clock.forward(seconds=seconds)

    @rule(seconds=SECONDS)
    def sync(self, seconds: int) -> None:
        self._sync(Worker())
        self.clock.forward(seconds=seconds)

    @rule(number=st.integers(0, 25))
    def sync_and_die(self, number: int) -> None:
        worker = Worker(Moment.STATEMENT, number)
        self._sync(worker)
        if worker.is_dead:
            note("run died")
            self.clock.forward(minutes=6)  # The lease expires.

    @rule(number=st.integers(0, 8), fate=FATE, kind=st.sampled_from(tuple(NO_POLLS)))
    def sync_during_which_the_portal_polls(self, number: int, fate: str, kind: str) -> None:
        def happen() -> None:
            self.portal.poll_with_fate(self.client, self.customer, fate)
            self.portal.others_ask(self.client, self.customer, kind)

        worker = Worker(Moment.ANSWER, number, happen)
        self._sync(worker)
        if worker.was_interrupted:
            note("poll during a sync")
            note("others during a sync")

    @rule(fate=FATE, seconds=SECONDS)
    def poll(self, fate: str, seconds: int) -> None:
        self.portal.poll_with_fate(self.client, self.customer, fate)
        self.clock.forward(seconds=seconds)

    @rule(edit=EDITS, fate=FATE, seconds=SECONDS)
    def usual_day(self, edit: Incident, fate: str, seconds: int) -> None:
        getattr(self.catalogs, edit.what)(edit.number)
        self._sync(Worker())
        self.clock.forward(seconds=seconds)
        self.portal.poll_with_fate(self.client, self.customer, fate)
        self.clock.forward(seconds=seconds)

    @rule(fates=st.tuples(FATE, FATE), seconds=SECONDS, has_sync=st.booleans())
    def poll_during_a_poll(self, fates: tuple[str, str], seconds: int, *, has_sync: bool) -> None:
        def happen() -> None:
            self.clock.forward(seconds=seconds)
            if has_sync and not self._is_ahead:
                self._sync(Worker())
            self.portal.poll_with_fate(self.client, self.customer, fates[1])
            note("poll during a poll")

        self.portal.meanwhile = happen
        self.portal.poll_with_fate(self.client, self.customer, fates[0])
        self.portal.meanwhile = None

    @rule(kind=st.sampled_from((*NO_POLLS, *OLD)), seconds=SECONDS)
    def others_ask(self, kind: str, seconds: int) -> None:
        if kind in NO_POLLS or not self._is_ahead:
            before = self._states()
            self.portal.others_ask(self.client, self.customer, kind)
            assert kind in OLD or self._states() == before
        self.clock.forward(seconds=seconds)

    @invariant()
    def the_portal_has_what_counts_as_received(self) -> None:
        received = FeedItem.objects.filter(is_confirmed=True)
        for item in received.select_related("transmission"):
            course = self.portal.courses[item.feed_key]
            assert course.LastModifiedUTC == f"{item.modified_at:%Y-%m-%dT%H:%M:%S.%f}Z"
            assert course.Title == item.payload["Title"]
            note("acknowledged")
        settled = ContentMetadataItemTransmission.objects.filter(state__in=("transmitted", "deleted"))
        assert not settled.filter(feed_item__is_confirmed=False).exists()

    def teardown(self) -> None:
        # hypothesis also calls this after failures and when it aborts an example.
        if sys.exc_info()[0] is None:
            self._converge()
        self.client.close()

    def _converge(self) -> None:
        self.clock.forward(minutes=6)
        self._sync(Worker())
        self.clock.forward(hours=3)  # The portal's clock may be slow.
        for _ in range(8):
            self.portal.poll_with_fate(self.client, self.customer, "well")
            self.clock.forward(hours=3)
            if not FeedItem.objects.filter(is_confirmed=False).exists():
                break
        self.the_portal_has_what_counts_as_received()
        assert not FeedItem.objects.filter(is_confirmed=False).exists()
        desired = {key: self.catalogs.titles[key] for key in self.catalogs.desired}
        active = [course for course in self.portal.courses.values() if course.IsActive]
        offered = {unquote(urlsplit(course.URL).path.rpartition("/course/")[2]): course.Title for course in active}
        assert offered.keys() <= desired.keys()
        # An item without a title is rejected, and its course remains unchanged.
        assert {key: title for key, title in desired.items() if title}.items() <= offered.items()

    def _sync(self, worker: Worker) -> None:
        configuration = ChannelConfiguration.objects.get(pk=self.id)
        self.workers.run(worker, lambda: sync(configuration, clock=self.clock))

    @property
    def _is_ahead(self) -> bool:
        """Return True if the portal's clock is ahead. Only then may other clients or overlapping polls lose entries."""
        return self.portal.skew_seconds > 0

    def _states(self) -> list[object]:
        return [*FeedItem.objects.order_by("pk").values(), *ChannelConfiguration.objects.order_by("pk").values()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> TickingClock:
    """The clock of the portal, the feed and the sync."""
    clock = TickingClock()
    monkeypatch.setattr(feed_views, "timezone", SimpleNamespace(now=clock))
    return clock


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    """Workers whose SQL statements are watched."""
    settings.CATALOG_API_URL = CATALOG_URL
    settings.OAUTH2_PROVIDER_URL = f"{CATALOG_URL}/oauth2"
    settings.FEED_THROTTLE_RATE = "100000/second"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "cache" in name]
    workers = Workers()
    with workers.watched():
        yield workers


@pytest.mark.long(15)
@pytest.mark.timeout(3_600)  # hypothesis may take minutes to shorten a failing scenario.
@pytest.mark.django_db(transaction=True)
def test_no_lost_entry_of_the_feed_counts_as_received(
    workers: Workers,
    clock: TickingClock,
    *,
    seed: int,
    soak: bool,
    report: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)

    class Machine(Feed):
        def __init__(self) -> None:
            super().__init__(workers, clock)

    with InProcessHTTP(workers.pass_on).patched():
        run_batches(
            Machine,
            seed=seed + FIRST_BATCH,
            batches=BATCHES_OF_A_SOAK if soak else BATCHES if connection.vendor == "sqlite" else BATCHES_ON_MARIADB,
            steps=STEPS_OF_A_SOAK if soak else STEPS,
            expected=EXPECTED,
        )

    report(", ".join(f"{what} {often:,}" for what, often in sorted(OCCURRENCES.items())))
