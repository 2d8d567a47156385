"""Helpers that run code on a second connection in the middle of a test."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def before_each_scan(act: Callable[[], object]) -> Iterator[None]:
    """Run ``act`` on a second connection before each statement that reads memberships in this thread."""

    def execute(run: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if "catalog_catalogmembership" in sql:
            in_another_connection(act)
        return run(sql, parameters, many, context)

    with connection.execute_wrapper(execute):
        yield


def in_another_connection(act: Callable[[], object]) -> None:
    """Run ``act`` to its end on a second connection, in another thread."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  (raised below)
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def is_blocked() -> bool:
    """Return True if a transaction waits for a lock."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Innodb_row_lock_current_waits'")
        [(_, waiting)] = cursor.fetchall()
        return int(waiting) > 0


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.002)
