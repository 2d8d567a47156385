"""Two concurrent writers, interleaved at every statement: times and versions show every change.

One writer pauses after its first statement, then after its second, and so on. At each pause the other writer runs as
far as locks allow. Committed data is checked the whole time. SQLite allows one writer at a time, so there the second
writer waits until the first is done.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import connection, transaction
from django.db.models import F

from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.catalog.models import CatalogMembership, EnterpriseCatalog, EnterpriseCustomer
from tests.catalog.connections import is_blocked, wait_until
from tests.catalog.queries import version_of
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

pytestmark = pytest.mark.django_db(transaction=True)

DAY_THREE: Final = DAY_ONE + timedelta(days=2)

#: Every writer executes more statements than this.
FEW: Final = 4


@dataclass(slots=True)
class World:
    """Two catalogs with separate content: ``mine`` has x and y, ``theirs`` has z."""

    name: str
    mine: EnterpriseCatalog = field(init=False)
    theirs: EnterpriseCatalog = field(init=False)

    def __post_init__(self) -> None:
        self.mine = CatalogFactory.create(content=(self.course(each) for each in "xy"))
        self.theirs = CatalogFactory.create(content=[self.course("z")])

    def course(self, name: str, **fields: Any) -> dict[str, Any]:
        return CourseFactory.build(key=f"{self.name}+{name}", **fields)

    def seen(self) -> Iterator[Seen]:
        """Yield the committed state of both catalogs."""
        with transaction.atomic() if connection.vendor == "mysql" else nullcontext():
            for catalog in EnterpriseCatalog.objects.filter(pk__in=[self.mine.pk, self.theirs.pk]):
                items = CatalogMembership.objects.filter(catalog_query=catalog.catalog_query_id)
                rows = items.values_list("content_key", "updated_at", "content__title")
                floor, address = catalog.documents_changed_at, catalog.enrollment_urls
                documents = {(key, max(moment, floor or moment), title, address) for key, moment, title in rows}
                yield Seen(str(catalog.pk), version_of(catalog), frozenset(documents))


@dataclass(frozen=True, slots=True)
class Seen:
    """A catalog as a client may have seen it."""

    catalog: str
    version: str
    documents: frozenset[tuple[str, datetime, str, str]]  #: Key, time of change, title, URLs.


@dataclass(slots=True)
class Rival:
    """A writer in its own thread, which can pause after one of its statements."""

    act: Callable[[], object]
    stop_after: int = 0  #: Number of statements before the pause; 0 for no pause.
    statements: int = 0
    has_stopped: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    errors: list[BaseException] = field(default_factory=list)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    @property
    def is_done(self) -> bool:
        return not self.thread.is_alive()

    def _run(self) -> None:
        try:
            with connection.execute_wrapper(self._stop_once):
                self.act()
        except BaseException as error:  # noqa: BLE001  (checked in interleave())
            self.errors.append(error)
        finally:
            connection.close()

    def _stop_once(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        self.statements += 1
        if self.statements == self.stop_after:
            self.has_stopped.set()
            self.may_go_on.wait()
        return result


def move_customer(world: World) -> None:
    """Change the URL of the customer of ``mine``; it is part of each document."""
    customer = EnterpriseCustomer.objects.get(catalogs=world.mine)
    customer.slug = "another"
    save_customer(customer, now=DAY_TWO)


ACTS: Final[dict[str, Callable[[World], object]]] = {
    "mine changes x": lambda world: import_into(world.mine, [world.course("x", title="Mine")], now=DAY_TWO),
    "mine loses x": lambda world: import_into(world.mine, [world.course("y")], now=DAY_TWO, replace=True),
    "mine adds w": lambda world: import_into(world.mine, [world.course("w", title="Mine")], now=DAY_THREE),
    "mine moves": move_customer,
    "theirs adds x": lambda world: import_into(world.theirs, [world.course("x")], now=DAY_TWO),
    "theirs becomes x": lambda world: import_into(world.theirs, [world.course("x")], now=DAY_TWO, replace=True),
    "theirs changes x": lambda world: import_into(world.theirs, [world.course("x", title="Theirs")], now=DAY_THREE),
    "theirs adds w": lambda world: import_into(world.theirs, [world.course("w", title="Theirs")], now=DAY_TWO),
}

PAIRS: Final = [
    ("mine changes x", "theirs adds x"),
    ("mine changes x", "theirs becomes x"),
    ("mine changes x", "theirs changes x"),
    ("mine changes x", "mine loses x"),
    ("mine loses x", "theirs changes x"),
    ("mine adds w", "theirs adds w"),
]
#: On SQLite, the second writer waits for the first, so there one order is enough.
SWAPPED: Final = [
    pytest.param(second, first, marks=[pytest.mark.only_on("mariadb"), pytest.mark.slow]) for first, second in PAIRS
]
both_orders_of_each_pair = pytest.mark.parametrize(
    ("first", "second"), [*PAIRS, *SWAPPED], ids=lambda act: act.replace(" ", "_")
)


@both_orders_of_each_pair
def test_times_and_versions_reflect_the_changes_of_two_imports(first: str, second: str) -> None:
    assert faults_of_each_interleaving(first, second) == []


@pytest.mark.parametrize(("first", "second"), [("mine changes x", "mine moves"), ("mine moves", "mine changes x")])
def test_times_and_versions_reflect_an_import_and_an_edit_of_the_customer(first: str, second: str) -> None:
    assert faults_of_each_interleaving(first, second) == []


def test_an_import_that_started_before_an_edit_of_the_customer_has_a_later_time() -> None:
    world = World("1")
    move_customer(world)
    seen = {*world.seen()}

    import_into(world.mine, [world.course("x", title="Mine")], now=DAY_TWO - timedelta(minutes=1))

    assert [*faults_of(world, seen | {*world.seen()})] == []


@pytest.mark.only_on("mariadb")
@pytest.mark.usefixtures("refused_old_snapshots")
@pytest.mark.parametrize(
    ("first", "second"), [PAIRS[0], *(pytest.param(*pair, marks=pytest.mark.slow) for pair in PAIRS[1:4])]
)
def test_imports_come_through_where_the_server_refuses_old_snapshots(first: str, second: str) -> None:
    assert faults_of_each_interleaving(first, second) == []


@pytest.fixture
def refused_old_snapshots(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enable MariaDB's default since 11.6.2: rows changed after the transaction began cannot be locked (MDEV-35124).

    Servers that do not have the variable are not changed.
    """
    option = "/*M!101108 SET SESSION innodb_snapshot_isolation = ON */"
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", option)
    connection.close()
    yield
    connection.close()


def faults_of_each_interleaving(first: str, second: str) -> list[str]:
    """Run ``second`` after each statement of ``first``, each time with new catalogs; return the errors."""
    faults: list[str] = []
    for stop_after in itertools.count(1):
        world = World(f"{stop_after}")
        seen = interleave(world, ACTS[first], ACTS[second], stop_after=stop_after)
        if seen is None:
            break
        faults += [f"{second} after statement {stop_after}: {fault}" for fault in faults_of(world, seen)]
    assert stop_after > FEW
    return faults


def interleave(
    world: World, first: Callable[[World], object], second: Callable[[World], object], *, stop_after: int
) -> set[Seen] | None:
    """Run ``second`` after some statements of ``first``; return all states seen.

    None if ``first`` made fewer statements; ``second`` then had to wait for its end.
    """
    seen = {*world.seen()}
    one = Rival(lambda: first(world), stop_after)
    wait_until(lambda: one.has_stopped.is_set() or one.is_done)
    other = Rival(lambda: second(world))
    wait_until(lambda: other.is_done or is_blocked())
    seen |= {*world.seen()}
    one.may_go_on.set()
    while not (one.is_done and other.is_done):
        seen |= {*world.seen()} if connection.vendor == "mysql" else set()
        time.sleep(0.001)
    assert (one.errors, other.errors) == ([], [])
    return seen | {*world.seen()} if one.has_stopped.is_set() else None


def faults_of(world: World, seen: set[Seen]) -> Iterator[str]:
    """Yield states that would mislead a client, and memberships that contradict their content."""
    contents: dict[tuple[str, str], set[object]] = {}
    documents: dict[tuple[str, str, datetime], set[object]] = {}
    for each in seen:
        contents.setdefault((each.catalog, each.version), set()).add(each.documents)
        for key, moment, *document in each.documents:
            documents.setdefault((each.catalog, key, moment), set()).add(tuple(document))
    yield from (f"{len(found)} contents of version {place}" for place, found in contents.items() if len(found) > 1)
    yield from (f"{len(found)} documents of {place}" for place, found in documents.items() if len(found) > 1)
    members = CatalogMembership.objects.filter(content_key__startswith=f"{world.name}+").select_related("content")
    belied = members.exclude(updated_at=F("content__updated_at"))
    yield from (f"{each} has {each.updated_at}, its content {each.content.updated_at}" for each in belied)
