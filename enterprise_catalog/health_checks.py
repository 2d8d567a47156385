"""The checks behind ``/health``: of the cache, and those that applications add when they are loaded."""

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
#: All checks together are waited for no longer than this; Kubernetes' probes give up after one second unless told
#: otherwise.
CHECK_SECONDS: Final = 0.5


class DegradedError(Exception):
    """A part of the site does not work; the text is for staff, and holds no addresses, names or passwords."""


class Check:
    """One part of the site. Its check runs in a thread of its own, so that a part that hangs delays no probe."""

    def __init__(self, run: Callable[[], str]) -> None:
        """Prepare the check.

        Args:
            run: returns a detail for staff, or :data:`OK`. It raises :class:`DegradedError` if the part does not work;
                an error of the database means the same.
        """
        self._run = run
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._latest: Future[str] | None = None

    def begin(self) -> Future[str]:
        """Begin the check, or return the earlier one that has not ended yet."""
        with self._lock:
            if self._executor is None:  # Not before a process has forked.
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="health")
            if self._latest is None or self._latest.done():
                self._latest = self._executor.submit(self._run_alone)
            return self._latest

    def _run_alone(self) -> str:
        try:
            return self._run()
        finally:
            connection.close()  # The thread's own, if it has used one.


def outcome(check: Future[str], deadline: float) -> tuple[bool, str]:
    """Return whether the part works, and the detail."""
    try:
        return True, check.result(max(0, deadline - time.monotonic()))
    except NotInTimeError:
        return False, f"no answer within {CHECK_SECONDS} seconds"
    except DegradedError as error:
        return False, str(error)
    except (DatabaseError, InterfaceError) as error:
        return False, f"the database cannot be read ({type(error).__name__})"


def _check_cache() -> str:
    value = secrets.token_hex(8)
    try:
        cache.set("health-check", value, 60)
        found = cache.get("health-check")
    except Exception as error:  # each cache has exceptions of its own; any of them means that it does not work
        raise DegradedError(f"no answer ({type(error).__name__})") from error
    if found is None:
        raise DegradedError("does not keep values, or does not answer")
    return OK


#: Name -> check. Applications add their own when they are loaded.
CHECKS: Final[dict[str, Check]] = {"cache": Check(_check_cache)}
