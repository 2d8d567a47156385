"""A time limit for the statements of a block."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.db import OperationalError, connection

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The error codes of MariaDB and MySQL for a statement that exceeded the time limit.
_TIMEOUT_ERRORS: Final = frozenset({1969, 3024})


class TimeLimitError(Exception):
    """A statement exceeded the time limit."""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Stop each statement in this block that takes longer. No effect on SQLite, which has no such limit.

    Raises:
        TimeLimitError: a statement was stopped.
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
    """Return the variable's name and value. MariaDB counts in seconds; MySQL in milliseconds, for SELECTs only."""
    if connection.mysql_is_mariadb:  # type: ignore[attr-defined]  # only MySQL's wrapper has it
        return "max_statement_time", seconds
    return "max_execution_time", seconds * 1_000
