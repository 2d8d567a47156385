"""The checks behind ``/health``: the cache check, and checks that applications add when they are loaded."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection

if TYPE_CHECKING:
    from collections.abc import Callable

OK: Final = "OK"
#: Time limit for all checks together. Kubernetes' probes time out after one second by default.
CHECK_SECONDS: Final = 0.5


class DegradedError(Exception):
    """A part of the site does not work. The text is for staff and contains no addresses, names or passwords."""


class Check:
    """The check of one part of the site. It runs in its own thread: an unresponsive part does not delay probes."""

    def __init__(self, run: Callable[[], str]) -> None:
        """Store the check; the thread starts with the first :meth:`begin`.

        Args:
            run: returns a detail for staff, or :data:`OK`. Raises :class:`DegradedError` if the part does not work; a
                database error has the same meaning.
        """
        self._run = run
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._latest: Future[str] | None = None

    def begin(self) -> Future[str]:
        """Start the check, or return the earlier one if it is still running."""
        with self._lock:
            if self._executor is None:  # Created lazily: threads do not survive a fork.
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="health")
            if self._latest is None or self._latest.done():
                self._latest = self._executor.submit(self._run_alone)
            return self._latest

    def _run_alone(self) -> str:
        try:
            return self._run()
        finally:
            connection.close()  # The thread has its own connection, if any.


def outcome(check: Future[str], deadline: float) -> tuple[bool, str]:
    """Return True if the part works, otherwise False, and the detail.

    Args:
        check: what :meth:`Check.begin` returned.
        deadline: in seconds of ``time.monotonic()``; a check that is still running then has failed.
    """
    try:
        return True, check.result(max(0, deadline - time.monotonic()))
    except NotInTimeError:
        return False, f"no response within {CHECK_SECONDS} seconds"
    except DegradedError as error:
        return False, str(error)
    except (DatabaseError, InterfaceError) as error:
        return False, f"the database cannot be read ({type(error).__name__})"


def _check_cache() -> str:
    value = secrets.token_hex(8)
    try:
        cache.set("health-check", value, 60)
        found = cache.get("health-check")
    except Exception as error:  # each cache has its own exceptions; any of them means that the cache does not work
        raise DegradedError(f"unreachable ({type(error).__name__})") from error
    if found is None:
        raise DegradedError("unreachable, or does not store values")
    return OK


#: Name -> check. Applications add their own checks when they are loaded.
CHECKS: Final[dict[str, Check]] = {"cache": Check(_check_cache)}
