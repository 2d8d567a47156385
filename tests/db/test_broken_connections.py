"""Connections that break are replaced, whatever state they broke in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import Error, OperationalError, connection, transaction

from enterprise_catalog.db.broken_connections import reset_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connection() -> Iterator[None]:
    connection.ensure_connection()
    yield
    reset_connection()


def is_usable() -> bool:
    """Return whether a transaction can be committed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def break_connection() -> None:
    """Break the connection in the way that the database allows."""
    if connection.vendor == "sqlite":
        connection.connection.close()
        return
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("KILL %s", [connection.connection.thread_id()])
    other.close()


def break_after_a_commit() -> None:
    """Break the connection before it returns to autocommit, and try to begin the next transaction."""
    connection.set_autocommit(False)
    break_connection()
    with pytest.raises(Error), transaction.atomic():
        pass  # Not reached.


def test_a_connection_that_breaks_between_statements_is_replaced() -> None:
    break_connection()

    reset_connection()

    assert is_usable()


def test_django_alone_does_not_replace_a_connection_that_breaks_after_a_commit() -> None:
    break_after_a_commit()

    connection.close()

    with pytest.raises(Error):
        is_usable()


def test_a_connection_that_breaks_after_a_commit_is_replaced() -> None:
    break_after_a_commit()

    reset_connection()

    assert is_usable()
    assert connection.get_autocommit()


def test_a_connection_is_replaced_once_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("unreachable")

    break_after_a_commit()
    with monkeypatch.context() as patched:
        patched.setattr(connection, "get_new_connection", refuse)
        reset_connection()
        with pytest.raises(Error):
            is_usable()

    reset_connection()

    assert is_usable()


def test_a_connection_in_a_transaction_is_replaced() -> None:
    with pytest.raises(Error), transaction.atomic():
        break_connection()

    reset_connection()

    assert is_usable()
