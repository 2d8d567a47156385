"""Retries of transactions that failed because of a concurrent transaction."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import DatabaseError, connection

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Time limit for retries, in seconds from the start of the first attempt. An attempt that is already running is not
#: interrupted.
RETRY_SECONDS: Final = 120.0
#: The same limit if a user or another system is waiting for the response.
REQUEST_SECONDS: Final = 10.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0

#: MariaDB's "record has changed since last read" (from 11.6 on), "duplicate entry", "lock wait timeout exceeded" and
#: "deadlock found". The transaction is rolled back, by the database or by Django; the next attempt sees what the other
#: transaction has written.
_RETRYABLE_CODES: Final = frozenset({1020, 1062, 1205, 1213})
#: SQLite's SQLITE_BUSY and SQLITE_LOCKED, without the extension in the upper bytes (https://sqlite.org/rescode.html).
_RETRYABLE_SQLITE_CODES: Final = frozenset({5, 6})


class ContentionError(Exception):
    """Other transactions blocked this one until the time limit of :func:`retry`; nothing was written."""


def is_contention(error: DatabaseError) -> bool:
    """Return True if the same transaction may succeed when it is run again."""
    sqlite_code = getattr(error.__cause__, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _RETRYABLE_SQLITE_CODES
    return not _RETRYABLE_CODES.isdisjoint(error.args)


def retry(transact: Callable[[], T], *, seconds: float | None = None) -> T:
    """Run ``transact`` and return its result; run it again while concurrent transactions make it fail.

    Pauses double from 0.05 to 5 seconds. Each is shortened at random by up to half, to keep two transactions that
    collided from colliding again. Inside a transaction, ``transact`` runs only once: the database may also have rolled
    back the earlier statements.

    Args:
        transact: opens its own transaction, and does nothing that cannot be repeated.
        seconds: no attempt starts later than this; ``None`` means :data:`RETRY_SECONDS`.

    Raises:
        ContentionError: no attempt succeeded in time.
    """
    if connection.in_atomic_block:
        return transact()
    allowed = RETRY_SECONDS if seconds is None else seconds
    deadline = time.monotonic() + allowed
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return transact()
        except DatabaseError as error:
            if not is_contention(error):
                raise
            if time.monotonic() + pause > deadline:
                raise ContentionError(f"Other transactions kept the database busy for {allowed:g} seconds.") from error
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  (not a secret)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
