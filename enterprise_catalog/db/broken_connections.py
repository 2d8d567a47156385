"""Reconnects after a run's database connection broke, so that the run can record how it ended."""

from __future__ import annotations

from typing import Final

from django.db import InterfaceError, OperationalError, connection

#: Errors that are raised when the database goes away, or does not respond in time.
CONNECTION_ERRORS: Final = (OperationalError, InterfaceError)


def reset_connection() -> None:
    """Close the database connection, in any state; the next statement opens a new one. Uncommitted changes are lost.

    Sets two attributes of Django's connection, because ``close()`` alone keeps a connection that broke between a COMMIT
    and the return to autocommit, or that was interrupted at the end of a transaction (ADR 0024).
    """
    connection.in_atomic_block = connection.closed_in_transaction = False
    connection.close()
