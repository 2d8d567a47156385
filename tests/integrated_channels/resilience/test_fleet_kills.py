"""Scheduler, broker, workers and web service are killed at random while a fleet works and its catalogs change.

One process at a time is killed with SIGKILL and started again. Meanwhile LMSs lose responses, are down, or reject the
credentials, so events begin and end. Syncs from changes are mixed with full comparisons, with an expired log of changes
(410), and with a catalog service that is restored from a backup. In the end each LMS holds exactly its catalogs, and
nothing is left to do.

No subscriber gets two messages about the beginning or the end of an event. A message is sent a second time only if a
kill struck its worker between the receiver's acceptance and the record of it. Then it has the same ID and the same
text, so receivers can ignore it (``docs/reference/notifications.rst``).
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests import services
from tests.integrated_channels.resilience.fleet import SECRET, TROUBLES, Customer, Fleet, running_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.services import PrivateServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.long,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

#: Broker -> what is killed, and how often: in the reduced form, and times seven in the long form.
VICTIMS: Final[Mapping[str, Sequence[str]]] = {
    "redis": (*("sync worker",) * 3, *("broker",) * 2, "web service", "scheduler worker", "scheduler"),
    "rabbitmq": (*("sync worker",) * 2, "broker"),
}
ROUNDS_OF_A_SOAK: Final = 7
#: Names of the folders in which brokers keep their data.
DATA: Final = ("appendonlydir", "data")
KINDS: Final = ("moodle", "moodle", "canvas")
KINDS_OF_A_SOAK: Final = ("moodle",) * 4 + ("canvas",) * 2
#: The most seconds that a test waits for something that a kill can strike, on an idle machine.
LOOKOUT_SECONDS: Final = 8.0
#: The most seconds from there to the kill.
MOST_SECONDS: Final = 0.4


@dataclass
class Kills:
    """Kills at random instants, with a line of text for each."""

    fleet: Fleet
    chance: Random
    lines: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)  #: Number of kills while syncs ran or messages were sent.
    troubles: int = 0
    _ends: dict[int, int] = field(default_factory=dict)  #: Configuration -> the kill after which its trouble ends.

    def kill(self, victim: str) -> None:
        """Change the catalogs, wait for a random instant, and kill the victim; later start it again."""
        done = [self._change(), self._vary_trouble(), self._mix()]
        is_sending = victim == "sync worker" and self.chance.random() < 0.3
        found = self._lookout("messages" if is_sending and self._ends else "runs")
        seconds = self.chance.uniform(0, MOST_SECONDS)
        time.sleep(seconds)
        self.struck.update({what: 1 for what, number in found.items() if number})
        done.append(self._kill_broker() if victim == "broker" else self._kill_process(victim))
        self.fleet.order("let_pauses_end")
        at = ", ".join(f"{number} {what}" for what, number in found.items())
        self.lines.append(f"kill {len(self.lines) + 1}: {victim}, with {at}; {', '.join(filter(None, done))}")

    def _change(self) -> str:
        changed = self.chance.sample(self.fleet.customers, k=self.chance.randint(1, len(self.fleet.customers)))
        for customer in changed:
            customer.content.change(self.chance.randint(1, 6))
            self.fleet.put(customer)
        return f"{len(changed)} customers changed"

    def _vary_trouble(self) -> str:
        """End the troubles that have lasted long enough, and begin one now and then."""
        done = []
        for customer in self.fleet.customers:
            if customer.trouble and self._ends[customer.configuration] <= len(self.lines):
                done.append(f"{customer.trouble} of {customer.name} ended")
                self.fleet.end_trouble(customer)
        healthy = [customer for customer in self.fleet.customers if self.fleet.is_healthy(customer)]
        if len(healthy) > 1 and (not self.troubles or self.chance.random() < 0.3):
            customer = self.chance.choice(healthy)
            self.fleet.begin_trouble(customer, self._trouble_for(customer))
            self.troubles += 1
            self._ends[customer.configuration] = len(self.lines) + self.chance.randint(1, 3)
            done.append(f"{customer.trouble} of {customer.name} began")
        return ", ".join(done)

    def _trouble_for(self, customer: Customer) -> str:
        return self.chance.choice([*TROUBLES]) if customer.kind == "moodle" else "outage"

    def _mix(self) -> str:
        """Now and then, make a run compare all items, on request or because its version is unknown."""
        configuration = self.chance.choice(self.fleet.customers).configuration
        match self.chance.choice(("", "", "compare_all", "sync_full", "forget_changes", "back_up")):
            case "":
                return ""
            case "forget_changes":
                self.fleet.order("forget_changes")
                return "changes forgotten"
            case "back_up":
                self.fleet.back_up()
                return "catalogs backed up"
            case order:
                self.fleet.order(order, configuration=configuration)
                return f"{order} of configuration {configuration}"

    def _lookout(self, what: str) -> dict[str, int]:
        """Wait until a sync runs or a message is sent, but not for long. Return what is going on."""
        until = time.monotonic() + services.patience(LOOKOUT_SECONDS)
        while True:
            self.fleet.restart_dead_processes()
            found: dict[str, int] = self.fleet.order("activity")
            if found[what] or time.monotonic() > until:
                return found
            time.sleep(0.01)

    def _kill_process(self, victim: str) -> str:
        self.fleet.kill(victim)
        done = ""
        if victim == "web service" and self.fleet.has_backup:
            self.fleet.restore()
            done = "catalogs restored"
        time.sleep(self.chance.uniform(0, MOST_SECONDS))
        self.fleet.restart_dead_processes()
        return done

    def _kill_broker(self) -> str:
        broker = self.fleet.broker
        broker.kill()
        done = "data kept"
        if self.chance.random() < 0.4:
            for name in DATA:
                shutil.rmtree(broker.folder / name, ignore_errors=True)
            done = "data lost"
        time.sleep(self.chance.uniform(0, MOST_SECONDS))
        broker.start()
        self.fleet.restart_dead_processes()
        return done


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.soak)])
def broker(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    """A broker of the test's own, which keeps its data, Redis except for the last second."""
    options: Mapping[str, Callable[[], PrivateServer]] = {
        "redis": lambda: services.private_redis("--appendonly", "yes"),
        "rabbitmq": services.private_rabbitmq,
    }
    server = services.or_skip(options[request.param])
    yield server
    server.stop()


@pytest.fixture
def victims(request: pytest.FixtureRequest, *, seed: int, soak: bool) -> list[str]:
    """The names of the processes to kill, in this order."""
    chosen = [*VICTIMS[request.node.callspec.params["broker"]]] * (ROUNDS_OF_A_SOAK if soak else 1)
    Random(seed).shuffle(chosen)
    return chosen


def test_every_lms_is_right_and_no_one_is_notified_twice_whatever_is_killed(
    tmp_path: Path,
    mariadb_url: str,
    redis_url: str,
    broker: PrivateServer,
    victims: list[str],
    *,
    seed: int,
    soak: bool,
    report: Callable[[str], None],
) -> None:
    chance = Random(seed)
    kinds = KINDS_OF_A_SOAK if soak else KINDS
    environment = {
        "DATABASE_URL": services.create_database(mariadb_url, "fleet_kills"),
        "CACHE_URL": f"{redis_url.rpartition('/')[0]}/9",
    }
    with (
        running_fleet(tmp_path, kinds, chance, broker=broker, **environment) as fleet,
        reporting(Kills(fleet, chance), report) as kills,
    ):
        for victim in victims:
            kills.kill(victim)
        fleet.settle()
        news, comparisons = fleet.order("news"), fleet.order("comparisons")

        check_messages(fleet, news)
        assert {"changes", *(["dead_run"] if soak else [])} <= {*comparisons}
        assert kills.struck["runs"] >= (len(victims) / 2 if soak else 1), "most kills struck no run"
        kinds_of_events = Counter(event["kind"] for event in news["events"])
        assert kinds_of_events.total() >= kills.troubles
        report(f"kills during {dict(kills.struck)}; comparisons: {comparisons}")
        report(
            f"{dict(kinds_of_events)} events in {len(news['messages'])} messages; "
            f"{fleet.struck_messages.total()} of them were struck, and {repeats(fleet).total()} sent again"
        )
        report(f"ended by themselves without the broker: {dict(fleet.self_ended)}")


@contextmanager
def reporting(kills: Kills, report: Callable[[str], None]) -> Iterator[Kills]:
    """Report all kills if the block fails."""
    try:
        yield kills
    except BaseException:
        for line in kills.lines:
            report(line)
        raise


def receipts(fleet: Fleet) -> Mapping[str, list[str]]:
    """Return message ID -> the text of each receipt, over all subscribers."""
    found: dict[str, list[str]] = {}
    for headers, body in list(fleet.receiver.requests):
        found.setdefault(headers["enterprise-catalog-message-id"], []).append(body.decode())
    for mail in list(fleet.mail_server.received):
        found.setdefault(mail["Message-ID"].strip("<>").partition("@")[0], []).append(mail.get_content())
    return found


def repeats(fleet: Fleet) -> Counter[str]:
    """Return message ID -> number of receipts after the first."""
    return Counter({message_id: len(texts) - 1 for message_id, texts in receipts(fleet).items()})


def check_messages(fleet: Fleet, news: Mapping[str, Any]) -> None:
    """Check that each subscriber got each event once, and each message once unless a kill struck it."""
    received = receipts(fleet)
    assert all(fleet.receiver.is_signed(position, SECRET) for position in range(len(fleet.receiver.requests)))
    assert {message["state"] for message in news["messages"]} == {"sent"}
    stored = {message["message_id"]: message["message"] for message in news["messages"]}
    assert received.keys() == stored.keys()
    assert all(body["events"] == stored[body["id"]]["events"] for body in fleet.receiver.bodies())
    assert all(len(set(texts)) == 1 for texts in received.values()), "a repeated message has another text"
    assert repeats(fleet) <= fleet.struck_messages, "a message was repeated although no kill struck its worker"

    reported = Counter(
        (message["subscription_id"], event["id"], event["state"])
        for message in news["messages"]
        for event in message["message"]["events"]
    )
    assert max(reported.values()) == 1, "a subscriber was notified twice of one event"
    for event in news["events"]:
        end = "resolved" if event["resolution"] == "recovered" else "opened"
        missing = [each for each in event["subscriptions"] if not reported[each, event["id"], end]]
        assert not missing, f"the subscriptions {missing} were not notified of {event}"
