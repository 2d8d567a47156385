"""Opens each page twice, and compares its statements and rows with the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth import get_user_model
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.test.utils import override_settings, setup_test_environment, teardown_test_environment

from enterprise_catalog.local_auth.tokens import signed_token
from tests.benchmarks.audit_view.addresses import addresses
from tests.benchmarks.audit_view.counters import counted, timed
from tests.benchmarks.audit_view.seeding import seed, update_statistics
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django.contrib.auth.models import User

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
#: Lifetime of the client's token.
_TOKEN_SECONDS: Final = 24 * 3_600
#: Pages that are this fast are not compared: their times differ by chance.
COMPARED_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """An opened page."""

    address: str
    status: int
    statements: Sequence[Statement]
    seconds: float  #: The shortest time, without counting rows. Load on the machine affects the others.

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
    user, _ = get_user_model().objects.get_or_create(username="admin", is_staff=True, is_superuser=True)
    setup_test_environment()  # The responses then have their contexts, from which filters are discovered.
    try:
        with on_loopback(get_wsgi_application()) as url, override_settings(**catalog_settings(url)):
            client = client_of(user)
            yield from open_pages(client, lambda address: client.get(address).status_code, repeats=repeats)
    finally:
        teardown_test_environment()


def catalog_settings(url: str) -> dict[str, str]:
    """Return the settings of the catalog service at ``url``."""
    return {"CATALOG_API_URL": url, "OAUTH2_PROVIDER_URL": f"{url}/oauth2"}


def client_of(user: User) -> Client:
    """Return a client that is logged in, and has a token with a role for all customers."""
    token = signed_token("operator", roles=("enterprise_openedx_operator:*",), lifetime_seconds=_TOKEN_SECONDS)
    client = Client(raise_request_exception=False, headers={"authorization": f"JWT {token}"})
    client.force_login(user)
    return client


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
        yield Page(address, status, statements, min(seconds, default=0))


def growth_problems(pages: Sequence[Page], small: Mapping[str, float]) -> Iterator[str]:
    """Yield a sentence for each page that takes too long compared with the seconds of few transmissions."""
    for page in pages:
        before = small.get(page.address)
        if before and page.seconds > max(COMPARED_SECONDS, MAX_GROWTH * before):
            yield f"{page.address} takes {page.seconds / before:.1f} times as long as with {SMALL:,} transmissions."
