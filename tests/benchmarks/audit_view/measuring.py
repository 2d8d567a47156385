"""Opens each page twice, and compares its statements and rows with the limits."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment, teardown_test_environment

from tests.benchmarks.audit_view.addresses import addresses
from tests.benchmarks.audit_view.counters import counted, timed
from tests.benchmarks.audit_view.seeding import seed, update_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.benchmarks.audit_view.counters import Statement
    from tests.benchmarks.audit_view.seeding import Size

#: A page has fewer statements.
MAX_STATEMENTS: Final = 30
#: No statement reads more rows.
MAX_ROWS_READ: Final = 5_000
#: A page takes at most this many times as long as with :data:`SMALL` transmissions.
MAX_GROWTH: Final = 2.0
#: Number of transmissions that times are compared with.
SMALL: Final = 10_000
#: Pages that are this fast are not compared: their times differ by chance.
COMPARED_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """An opened page."""

    address: str
    status: int
    statements: Sequence[Statement]
    seconds: float  #: The median, without counting rows.

    @property
    def rows_read(self) -> int:
        """Rows read by the statement that reads the most."""
        return max((statement.rows_read for statement in self.statements), default=0)

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each limit that the page exceeds."""
        if self.status not in (200, 302):
            yield f"{self.address} returned {self.status}."
        if len(self.statements) >= MAX_STATEMENTS:
            yield f"{self.address} has {len(self.statements)} statements."
        for statement in self.statements:
            if statement.rows_read > MAX_ROWS_READ:
                yield f"{self.address} reads {statement.rows_read:,} rows: {statement.sql[:2_000]}"


def measure(size: Size, *, repeats: int, say: Callable[[str], object]) -> Iterator[Page]:
    """Seed the empty database, and yield each page of the admin."""
    seed(size, say=say)
    update_statistics()
    say("Opening the pages")
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_superuser("admin"))
    setup_test_environment()  # The responses then have their contexts, from which filters are discovered.
    try:
        yield from open_pages(client, lambda address: client.get(address).status_code, repeats=repeats)
    finally:
        teardown_test_environment()


def open_pages(client: Client, open_page: Callable[[str], int], *, repeats: int = 0) -> Iterator[Page]:
    """Open each page of the admin, once to count its rows, and ``repeats`` times to measure its time.

    Args:
        client: a superuser, to discover the pages.
        open_page: opens the page at an address and returns its status.
    """
    for address in dict.fromkeys(addresses(client)):
        with counted() as statements:
            status = open_page(address)
        seconds = []
        for _ in range(repeats):
            with timed() as elapsed:
                open_page(address)
            seconds.append(elapsed())
        yield Page(address, status, statements, statistics.median(seconds) if seconds else 0)


def growth_problems(pages: Sequence[Page], small: Mapping[str, float]) -> Iterator[str]:
    """Yield a sentence for each page that takes too long compared with the seconds of few transmissions."""
    for page in pages:
        before = small.get(page.address)
        if before and page.seconds > max(COMPARED_SECONDS, MAX_GROWTH * before):
            yield f"{page.address} takes {page.seconds / before:.1f} times as long as with {SMALL:,} transmissions."
