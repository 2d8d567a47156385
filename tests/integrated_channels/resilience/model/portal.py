"""A portal that polls our feed and fails in every possible way, and other clients of the same feed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.http import http_date

from enterprise_catalog.sandbox.cornerstone.portal import FEED, CornerstoneSandbox, PollFailedError
from tests.integrated_channels.resilience.model.occurrences import note

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

#: Requests that do not count as polls: name -> method and If-Modified-Since.
NO_POLLS: Final[dict[str, tuple[str, str | None]]] = {
    "HEAD": ("HEAD", None),
    "HEAD from the future": ("HEAD", "Fri, 31 Dec 9999 23:59:59 GMT"),
    "no header": ("GET", None),
    "garbage": ("GET", "31 December"),
    "future": ("GET", "Fri, 31 Dec 9999 23:59:59 GMT"),
}
#: Requests that look like polls: they repeat a time that the portal once sent, or a time that it never sent.
OLD: Final = ("first of all times", "the portal's own time", "an earlier time of the portal")
#: Results of a poll; only the first is a success.
FATES: Final = ("well", "lost", "cut", "refused", "forgotten")


@dataclass(kw_only=True, eq=False)
class ModelPortal(CornerstoneSandbox):
    """A portal whose polls end as a test decides. ``meanwhile`` runs during a poll's response."""

    loses: bool = False  #: Loses a response after reading it completely.
    meanwhile: Callable[[], None] | None = None  #: Called once, after the first bytes of a response.
    times: list[float] = field(init=False, default_factory=lambda: [0.0])  #: Values of ``known_since`` so far.

    def poll_with_fate(self, client: httpx.Client, customer: str, fate: str) -> None:
        """Poll the feed with the result ``fate``, one of ``FATES``."""
        note(f"poll: {fate}")
        if fate == "refused":
            return
        earlier, earlier_loses = self.known_since, self.loses
        self.breaks, self.loses = int(fate == "cut"), fate == "lost"
        with contextlib.suppress(PollFailedError):
            self.poll(client, customer)
            if fate != "forgotten":
                self.times.append(self.known_since or 0.0)
        self.breaks, self.loses = 0, earlier_loses
        if fate == "forgotten":
            self.known_since = earlier

    def others_ask(self, client: httpx.Client, customer: str, kind: str) -> None:
        """Request the feed as another client that has the password; ``kind`` is in ``NO_POLLS`` or ``OLD``."""
        note(f"others: {kind}")
        moments = {OLD[0]: 0.0, OLD[1]: self.known_since, OLD[2]: self.times[len(self.times) // 2]}
        moment = moments.get(kind)
        method, since = NO_POLLS.get(kind, ("GET", None if moment is None else http_date(moment)))
        headers = {"Authorization": self._authorization(client)} | ({"If-Modified-Since": since} if since else {})
        asked = {"ciid": customer}  # All entries, even if the portal requests few.
        client.request(method, FEED, params=asked, headers=headers).raise_for_status()

    def _receive(self, answer: httpx.Response) -> bytes:
        is_cut, is_lost = self.breaks > 0, self.loses
        parts = answer.iter_raw()
        content = next(parts, b"")
        if (happening := self.meanwhile) is not None:
            self.meanwhile = None
            happening()
        if is_cut:
            raise PollFailedError("the portal closed the connection")
        content += b"".join(parts)
        if is_lost:
            raise PollFailedError("the portal lost the answer")
        return content
