"""What a run does when its connection to the database breaks: it goes on with another one, to write how it ended."""

from __future__ import annotations

from typing import Final

from django.db import InterfaceError, OperationalError, connection

#: What is raised when the database goes away, or does not answer in time.
BROKEN: Final = (OperationalError, InterfaceError)


def drop_connection() -> None:
    """Let the next statement open another connection, in whatever state this one is; what was not committed is lost.

    Where a connection breaks between a COMMIT and the return to autocommit, Django takes the next transaction for one
    inside another, marks the connection so, and fails to make a savepoint; nobody unmarks it then (``Atomic.__enter__``
    in 5.2). The connection is neither closed nor used any more, by later tasks either.
    """
    connection.in_atomic_block = connection.closed_in_transaction = False
    connection.close()
