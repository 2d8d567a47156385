"""A limit to how long the database may work on a page's statements."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.db import OperationalError, connection

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The errors by which MariaDB and MySQL say that a statement took too long.
_TIMEOUT_ERRORS: Final = frozenset({1969, 3024})


class TimeLimitError(Exception):
    """A statement took longer than it may."""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """End each statement within that takes longer; SQLite, which holds small sites, has no such limit.

    Raises:
        TimeLimitError: a statement was ended.
    """
    if connection.vendor != "mysql":
        yield
        return
    variable, value = _limit(seconds)
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {variable} = {value}")
    try:
        yield
    except OperationalError as error:
        if error.args and error.args[0] in _TIMEOUT_ERRORS:
            raise TimeLimitError from error
        raise
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {variable} = DEFAULT")


def _limit(seconds: int) -> tuple[str, int]:
    """Return the variable's name and value: MariaDB counts seconds, MySQL milliseconds, and only those of reads."""
    if connection.mysql_is_mariadb:  # type: ignore[attr-defined]  # only MySQL's wrapper has it
        return "max_statement_time", seconds
    return "max_execution_time", seconds * 1_000
