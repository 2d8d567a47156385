"""A fleet: all processes of a site, several customers with an LMS each, and subscribers of their events.

Each process can be killed and started again. ``fleet_process.py`` plays the operators and reads the tables.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.sandbox.application import CONTROL_PREFIX
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.reporting.notifications.receivers import running_http_receiver, running_mail_server
from tests.integrated_channels.resilience.changing_catalogs import ChangingCatalogs
from tests.integrated_channels.resilience.reconciliation import Item, RecordedState, differences, loose_ends, twins
from tests.integrated_channels.resilience.systems.registry import system
from tests.migrated_database import migrate
from tests.processes import Service, Site, connections_to, get_json, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from random import Random

    from enterprise_catalog.sandbox.application import SandboxApplication
    from tests.integrated_channels.reporting.notifications.receivers import HTTPReceiver, MailServer
    from tests.integrated_channels.resilience.systems.base import VendorLMS
    from tests.processes import Dialogue
    from tests.services import PrivateServer

#: Signs the webhooks.
SECRET: Final = "the-secret-of-the-receiver"
#: Few places, so that syncs wait in the database, too.
QUEUE_SIZE: Final = 3
CATALOGS_PER_CUSTOMER: Final = 2
ITEMS_AT_FIRST: Final = 8
#: Duration of a call that changes courses, in seconds. Longer than in other tests: kills have to strike runs.
WORK_SECONDS: Final = 0.08
#: Enough for anything that one of the processes does, even on a busy machine.
PATIENCE_SECONDS: Final = 60

_CELERY: Final = ("celery", "-A", "enterprise_catalog")
_QUICK: Final = ("-I", "tests.integrated_channels.resilience.quick_claims")
_SYNC_QUEUES: Final = "interactive,changes,celery,sweep"
#: Name -> command. Claims whose message is lost end after seconds instead of minutes.
_CELERY_PROCESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "scheduler worker": (*_CELERY, "worker", "-n", "ticks@%h", "--queues", "scheduler", "--pool", "solo", *_QUICK),
    "sync worker": (*_CELERY, "worker", "-n", "syncs@%h", "--queues", _SYNC_QUEUES, "--concurrency", "2", *_QUICK),
    "scheduler": (*_CELERY, "beat"),
}

_INVALID_TOKEN: Final = json.dumps(
    {"exception": "moodle_exception", "errorcode": "invalidtoken", "message": "Invalid token - token not found"}
)
#: Trouble of an LMS -> kind of the event, and the faults.
TROUBLES: Final[Mapping[str, tuple[str, Fault]]] = {
    "dead credentials": ("stopped", Fault(kind=FaultKind.ANSWER, times=None, status=200, body=_INVALID_TOKEN)),
    "outage": ("unreachable", Fault(kind=FaultKind.REFUSE, times=None)),
}
#: Faults that every LMS has now and then: some of its responses are lost.
_LOSSES: Final = Fault(kind=FaultKind.DROP, times=None, probability=0.04)


@dataclass(eq=False)
class Customer:
    """A customer with two catalogs, one configuration and its LMS."""

    name: str
    kind: str  #: Of the LMS, in ``systems/registry.py``.
    sandbox: SandboxApplication
    url: str
    content: ChangingCatalogs
    configuration: int = 0
    trouble: str = ""  #: A name in ``TROUBLES``; empty if the LMS accepts calls.

    @property
    def system(self) -> VendorLMS:
        """The LMS's vendor."""
        return system(self.kind)

    def set_faults(self, *faults: Fault) -> None:
        """Replace the faults of the LMS. Calls that change courses keep their duration."""
        work = [
            Fault(kind=FaultKind.DELAY, operation=operation, times=None, delay_seconds=WORK_SECONDS)
            for operation in self.system.changes
        ]
        self.sandbox.faults.set([*faults, *work])

    def wait_for_dead_clients(self) -> None:
        """Wait until the LMS has finished or dropped all requests of dead processes."""
        port = int(self.url.rpartition(":")[2])
        wait_until(lambda: connections_to(port) == 0, seconds=PATIENCE_SECONDS, every=0.005)


@dataclass(eq=False)
class Fleet:
    """All processes, customers and subscribers of one site."""

    site: Site
    process: Dialogue
    broker: PrivateServer
    mail_server: MailServer
    receiver: HTTPReceiver  #: Gets all events, and again those of the first customer.
    processes: dict[str, Service] = field(default_factory=dict)
    customers: list[Customer] = field(default_factory=list)
    subscriptions: dict[str, int] = field(default_factory=dict)  #: "mail", "webhook" and "customer" -> ID.
    #: ID of a message to a subscriber -> number of kills that struck its worker before it recorded the result.
    struck_messages: Counter[str] = field(default_factory=Counter)
    self_ended: Counter[str] = field(default_factory=Counter)  #: Process -> number of times that it ended by itself.
    _backup: list[ChangingCatalogs] = field(default_factory=list)

    def order(self, do: str, **arguments: object) -> Any:
        """Have the fleet process carry out an order."""
        return self.process.ask(do=do, **arguments)

    # --- processes ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all processes."""
        for process in self.processes.values():
            process.start()

    def kill(self, name: str) -> None:
        """Kill a process and its children with SIGKILL. Takes note of the messages to subscribers that it strikes."""
        self.processes[name].kill()
        if name == "sync worker":
            self._expire_claims()

    def _expire_claims(self) -> None:
        """Let the leases and claims of the dead sync worker end."""
        for customer in self.customers:
            customer.wait_for_dead_clients()
        self.struck_messages.update(self.order("expire_claims"))

    def restart_dead_processes(self) -> None:
        """Restart all processes that are dead, as a supervisor would. Celery may end without its broker."""
        for name, process in self.processes.items():
            if process.process is None:
                process.start()
            elif not process.is_running:
                self.self_ended[name] += 1
                self.kill(name)
                process.start()

    # --- customers ----------------------------------------------------------------------------------------------------

    def add_customer(self, name: str, kind: str, rng: Random, open_: ExitStack) -> None:
        """Create a customer with content. Its LMS runs in a thread of the test, until ``open_`` closes."""
        made = self.order("make_customer", name=name, catalogs=CATALOGS_PER_CUSTOMER)
        sandbox = system(kind).make(name=name, takes_twins=True)
        url = open_.enter_context(on_loopback(sandbox))
        content = ChangingCatalogs(made["catalogs"], rng, prefix=f"{name}+C")
        customer = Customer(name, kind, sandbox, url, content)
        customer.set_faults()
        lms = {
            "url": url,
            "settings": {**sandbox.channel_settings(), **customer.system.settings},
            "credentials": dict(sandbox.channel_credentials()),
        }
        columns = {**customer.system.columns[0], "channel_code": customer.system.code, "delete_limit_percent": 100}
        arguments = {"customer": made["customer"], "catalogs": made["catalogs"], "lms": lms, "columns": columns}
        customer.configuration = self.order("connect", **arguments)
        content.add(ITEMS_AT_FIRST)
        self.customers.append(customer)
        self.put(customer)

    def put(self, customer: Customer) -> None:
        """Write the expected content to the customer's catalogs."""
        for catalog in customer.content.names:
            self.order("put", catalog=catalog, documents=[*customer.content.documents([catalog]).values()])

    def back_up(self) -> None:
        """Back up the catalog service's tables."""
        self.order("back_up")
        self._backup = [copy.deepcopy(customer.content) for customer in self.customers]

    @property
    def has_backup(self) -> bool:
        """True after :meth:`back_up`, until the backup is restored."""
        return bool(self._backup)

    def restore(self) -> None:
        """Restore the backup. The web service must be dead."""
        self.order("restore")
        for customer, earlier in zip(self.customers, self._backup, strict=True):
            customer.content.members = copy.deepcopy(earlier.members)
            customer.content.versions = copy.deepcopy(earlier.versions)
        self._backup = []

    def is_healthy(self, customer: Customer) -> bool:
        """Return True if the customer has no trouble, and no event of an earlier one is open."""
        return not customer.trouble and not self.order("open_events", configuration=customer.configuration)

    def begin_trouble(self, customer: Customer, trouble: str) -> None:
        """Let the LMS of a customer reject all calls, while there is something to send."""
        customer.trouble = trouble
        customer.set_faults(TROUBLES[trouble][1])
        customer.content.add(2)
        self.put(customer)

    def end_trouble(self, customer: Customer) -> None:
        """Wait until subscribers are notified of a trouble, and end it. They do not learn of one that ends before."""
        wait_until(lambda: self._is_noticed(customer), seconds=PATIENCE_SECONDS, every=1)
        customer.trouble = ""
        customer.set_faults(_LOSSES)

    def _is_noticed(self, customer: Customer) -> bool:
        kind, _ = TROUBLES[customer.trouble]
        events = self.order("open_events", configuration=customer.configuration)
        if events.get(kind):
            return True
        self.restart_dead_processes()
        if kind not in events:
            # Without something to send, a run makes no calls. The web service may have been dead for the last one.
            customer.content.add(1)
            self.put(customer)
            self.order("let_pauses_end")
        return False

    # --- the end ------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """End all troubles and faults, and wait until each LMS equals its catalogs and nothing is left to do."""
        for customer in self.customers:
            if customer.trouble:
                self.end_trouble(customer)
            customer.set_faults()
        self.wait_until_settled()

    def wait_until_settled(self) -> None:
        """Wait until each LMS equals its catalogs and nothing is left to do. Pauses after failures end at once."""
        left: list[str] = []

        def is_settled() -> bool:
            self.restart_dead_processes()
            self.order("let_pauses_end")
            left[:] = [*self.order("unsettled"), *self.differences()]
            return not left

        try:
            wait_until(is_settled, seconds=PATIENCE_SECONDS, every=0.5)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *left])) from error

    def attempts(self, customer: Customer) -> list[dict[str, Any]]:
        """Return the rows of a configuration's attempts, the oldest first."""
        attempts: list[dict[str, Any]] = self.order("read", configuration=customer.configuration)["attempts"]
        return attempts

    def differences(self) -> list[str]:
        """Return the differences between the catalogs, the rows and the LMSs, duplicates, and open ends."""
        return [f"{customer.name}: {text}" for customer in self.customers for text in self._differences(customer)]

    def _differences(self, customer: Customer) -> Iterable[str]:
        names = [*customer.content.names]
        found = self.order("recorded", configuration=customer.configuration, catalogs=names)
        state = RecordedState.from_json(found["state"])
        catalogs = {uuid: {key: Item(*item) for key, item in of.items()} for uuid, of in found["catalogs"].items()}
        stored = {key: item.title for items in catalogs.values() for key, item in items.items()}
        expected = {key: document["title"] for key, document in customer.content.documents().items()}
        if stored != expected:
            yield f"the catalogs hold {stored}, and not {expected}"
        courses = [customer.system.course(record) for record in get_json(f"{customer.url}{CONTROL_PREFIX}content")]
        yield from differences(state.rows, courses, catalogs, customer.system.texts)
        yield from twins(courses)
        yield from loose_ends(state)
        yield from state.program_errors


@contextmanager
def running_fleet(
    folder: Path, kinds: Iterable[str], rng: Random, *, broker: PrivateServer, **environment: str
) -> Iterator[Fleet]:
    """Run a fleet until the block ends. Each LMS equals its catalogs.

    Args:
        kinds: names of LMSs in ``systems/registry.py``, one for each customer.
        environment: variables of the site: the database and the cache.
    """
    with ExitStack() as open_:
        mail_server = open_.enter_context(running_mail_server())
        receiver = open_.enter_context(running_http_receiver())
        receiver.delay_seconds = 0.1  # A kill strikes some requests.
        site = Site.make(
            folder,
            CELERY_BROKER_URL=broker.url,
            EMAIL_URL=f"smtp://127.0.0.1:{mail_server.port}",
            DEFAULT_FROM_EMAIL="catalog@example.org",
            SYNC_QUEUE_SIZE=str(QUEUE_SIZE),
            NOTIFY_OUTAGE_MINUTES="0",
            API_THROTTLE_RATE="100000/second",
            **environment,
        )
        migrate(site)
        code = "from tests.integrated_channels.resilience.fleet_process import main; main()"
        fleet = Fleet(site, open_.enter_context(site.dialogue(code)), broker, mail_server, receiver)
        options = ("--bind", f"127.0.0.1:{site.port}", "--workers", "2", "--timeout", "150")
        fleet.processes["web service"] = Service(site, "gunicorn", *options, "enterprise_catalog.wsgi", port=site.port)
        fleet.processes |= {name: Service(site, *command) for name, command in _CELERY_PROCESSES.items()}
        for process in fleet.processes.values():
            open_.callback(_end, process)
        fleet.order("set_schedule", seconds=1)
        for number, kind in enumerate(kinds):
            fleet.add_customer(f"Customer{number}", kind, rng, open_)
        first = fleet.order("read", configuration=fleet.customers[0].configuration)["configuration"][0]
        webhook = {"medium": "webhook", "url": receiver.url, "secret": SECRET}
        fleet.subscriptions = {
            "mail": fleet.order("subscribe", email="ops@example.org"),
            "webhook": fleet.order("subscribe", **webhook),
            "customer": fleet.order("subscribe", **webhook, enterprise_customer_uuid=first["enterprise_customer_uuid"]),
        }
        fleet.start()
        fleet.settle()
        yield fleet


def _end(process: Service) -> None:
    if process.process is not None:
        process.kill()
