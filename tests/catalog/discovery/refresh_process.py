"""Processes that refresh a query, and are killed; and what readers see meanwhile.

The process runs :func:`main`. For each line of JSON on standard input, it forks workers that each carry out one
refresh, reads the query's members until they end or are killed, and writes what it saw as a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connections

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.discovery.refresh import refresh
from enterprise_catalog.catalog.models import CatalogMembership, CatalogRefresh, RefreshTrigger
from tests.catalog.discovery.refreshes import discovery_query

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import CatalogQuery

#: Longer than a lease: the worker of each line finds the lease of a killed worker expired.
BETWEEN_LINES: Final = timedelta(hours=1)


def main() -> None:
    """Answer one line after the other."""
    query = discovery_query()
    for number, line in enumerate(sys.stdin):
        order = json.loads(line)
        seen = _run(query, number, workers=order["workers"], seconds=order["seconds"])
        states = dict.fromkeys(CatalogRefresh.objects.values_list("state", flat=True))
        sys.stdout.write(json.dumps({"seen": seen, "states": list(states)}) + "\n")
        sys.stdout.flush()


def _run(query: CatalogQuery, number: int, *, workers: int, seconds: float | None) -> list[Any]:
    """Run workers, kill them after some seconds, and return the distinct contents that were seen, in their order."""
    connections.close_all()  # A forked process must not use them.
    children = [_fork(query, number) for _ in range(workers)]
    deadline = None if seconds is None else time.monotonic() + seconds
    seen: list[Any] = []
    while children:
        if deadline is not None and time.monotonic() > deadline:
            for child in children:
                os.kill(child, signal.SIGKILL)
        children = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
        content = _content_of(query)
        if content not in seen:
            seen.append(content)
        time.sleep(0.005)
    return seen


def _fork(query: CatalogQuery, number: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        started = time.monotonic()
        offset = number * BETWEEN_LINES

        def now() -> datetime:
            return datetime.now(UTC) + offset

        row = records.create(query, trigger=RefreshTrigger.COMMAND, by="", now=now())
        while not refresh(row, clock=now, sleep=lambda _: None) and time.monotonic() - started < 60:
            time.sleep(0.01)
    finally:
        os._exit(0)


def _content_of(query: CatalogQuery) -> list[Any]:
    """Return (key, title) pairs of the members, read by one statement."""
    rows = CatalogMembership.objects.filter(catalog_query=query).order_by("content_key")
    return [list(pair) for pair in rows.values_list("content_key", "content__title")]
