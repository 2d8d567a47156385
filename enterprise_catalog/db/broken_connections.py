"""Reconnects after a run's database connection broke, so that the run can record how it ended."""

from __future__ import annotations

from typing import Final

from django.db import InterfaceError, OperationalError, connection

#: Errors that are raised when the database goes away, or does not respond in time.
CONNECTION_ERRORS: Final = (OperationalError, InterfaceError)


def reset_connection() -> None:
    """Close the database connection, in any state; the next statement opens a new one. Uncommitted changes are lost.

    Needed if a connection breaks between a COMMIT and the return to autocommit. Django then treats the next transaction
    as nested, marks the connection accordingly, and fails to create a savepoint. Nothing removes the mark
    (``Atomic.__enter__`` in 5.2). The connection would be neither closed nor used again, not even by later tasks.
    """
    connection.in_atomic_block = connection.closed_in_transaction = False
    connection.close()
