"""Cornerstone: a portal that polls the feed. It may die, poll twice, or lose a response."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import httpx

from enterprise_catalog.sandbox.cornerstone.portal import FEED, CornerstoneSandbox, PollFailedError
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.resilience.reconciliation import Course, Item
from tests.integrated_channels.resilience.systems.base import VendorLMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLL: Final = "poll"
#: Minimum seconds between polls by the portal's clock: the portal sends its time in full seconds.
_POLLS_APART_SECONDS: Final = 1
#: Requests by other clients with the password that do not count as polls: method and If-Modified-Since.
_STRAYS: Final = (
    ("HEAD", None),
    ("HEAD", "Fri, 31 Dec 2027 23:59:59 GMT"),
    ("GET", None),
    ("GET", "garbage"),
    ("GET", "Fri, 31 Dec 9999 23:59:59 GMT"),
)


class Cornerstone(VendorLMS):
    code = "CSOD"
    polls = True
    changes = (POLL,)
    look_ups = ()
    kept = ("courses", "known_since", "last_poll")
    work_seconds = 0.01
    columns = ({"chunk_size": 1}, {"chunk_size": 2})  # Staging a chunk needs no call and takes hardly any time.
    runs_to_recover = 5  # The second poll after a run, or a later poll, acknowledges its entries.
    faults = {
        "no poll": Fault(kind=FaultKind.REFUSE),
        "answer lost": Fault(kind=FaultKind.DROP),
        "answer broken off": Fault(kind=FaultKind.TRUNCATE),
        "poll forgotten": Fault(kind=FaultKind.REPLACE),
        "all polls forgotten": Fault(kind=FaultKind.ANSWER),
        "two polls at once": Fault(kind=FaultKind.LENGTHEN),
    }
    times_as_often = 3
    kill_faults = (*VendorLMS.kill_faults, FaultKind.ANSWER, FaultKind.LENGTHEN)
    cutting_short = ("answer lost", "poll forgotten")

    def make(
        self, *, name: str = "", clock: Callable[[], float] = time.time, takes_twins: bool = False
    ) -> CornerstoneSandbox:
        # Portals of one customer are identified by user name. One of the two portals requests a token first.
        return Portal(clock=clock, username=f"portal-{name}", with_token=name == "second")

    def poll_feed(self, sandbox: Portal, client: httpx.Client, customer: str) -> None:
        sandbox.poll_with_faults(client, customer)

    def course(self, record: Mapping[str, Any]) -> Course:
        key = unquote(urlsplit(record["URL"]).path.rpartition("/course/")[2])
        texts = (record["Title"], record["Description"], record["URL"])
        return Course(record["ID"], key, texts, is_offered=record["IsActive"])

    def texts(self, key: str, item: Item) -> tuple[str, ...]:
        return item.title, item.description.removeprefix("<p>").removesuffix("</p>"), item.enrollment_url


SYSTEM: Final = Cornerstone()


@dataclass(kw_only=True, eq=False)
class Portal(CornerstoneSandbox):
    """A portal whose polls fail as its faults prescribe. The operation name is ``poll``."""

    last_poll: float = field(init=False, default=0.0)  #: Start of the last poll, by the portal's clock.
    _rng: Random = field(init=False, default_factory=lambda: Random(0))
    _loses: bool = field(init=False, default=False)  #: True if it loses a response after reading it.

    def poll_with_faults(self, client: httpx.Client, customer: str) -> None:
        """Poll once, or as often as a fault prescribes. Errors are ignored.

        Args:
            client: its base URL is the address of our web service.
            customer: UUID.
        """
        fault = self.faults.take(POLL)
        kind = fault.kind if fault else FaultKind.DELAY
        if fault is not None:
            self.faults.sleep(fault.delay_seconds)
        self._send_stray_requests(client, customer)
        self.skew_seconds = max(0.0, self.last_poll + _POLLS_APART_SECONDS - self.clock())
        self.last_poll = self.clock() + self.skew_seconds
        known_since = self.known_since
        self.breaks, self._loses = int(kind is FaultKind.TRUNCATE), kind is FaultKind.DROP
        if kind is FaultKind.LENGTHEN:
            other = threading.Thread(target=self._poll_once, args=(client, customer))
            other.start()
            self._poll_once(client, customer)
            other.join()
        elif kind is not FaultKind.REFUSE:
            self._poll_once(client, customer)
        if kind is FaultKind.REPLACE:
            self.known_since = known_since
        elif kind is FaultKind.ANSWER:
            self.known_since = None

    def _send_stray_requests(self, client: httpx.Client, customer: str) -> None:
        for method, since in self._rng.sample(_STRAYS, self._rng.choice((0, 0, 1, 2))):
            with contextlib.suppress(PollFailedError, httpx.HTTPError):
                headers = {"Authorization": self._authorization(client)}
                if since is not None:
                    headers["If-Modified-Since"] = since
                client.request(method, FEED, params={"ciid": customer}, headers=headers)

    def _poll_once(self, client: httpx.Client, customer: str) -> None:
        with contextlib.suppress(PollFailedError, httpx.HTTPError):
            self.poll(client, customer)

    def _read(self, client: httpx.Client, headers: Mapping[str, str], asked: Mapping[str, str]) -> list[Any]:
        entries = super()._read(client, headers, asked)
        if self._loses:
            raise PollFailedError("The portal lost the answer.")
        return entries
