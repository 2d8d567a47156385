"""Statements are canceled when they take too long."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.db.time_limit import TimeLimitError, time_limit

#: A cross join that would run for hours.
EVERY_COMBINATION = (
    "SELECT COUNT(*) FROM information_schema.collations a, information_schema.collations b, "
    "information_schema.collations c, information_schema.collations d, information_schema.collations e"
)

pytestmark = pytest.mark.django_db


def take(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_statement_that_takes_too_long_is_ended_where_the_database_can() -> None:
    if connection.vendor == "sqlite":
        with CaptureQueriesContext(connection) as captured, time_limit(1):
            pass
        assert not captured.captured_queries
        return

    with pytest.raises(TimeLimitError), time_limit(1):
        take(EVERY_COMBINATION)


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(OperationalError, match="another"), time_limit(1):
        raise OperationalError(1, "another")


def test_the_limit_ends_with_the_page() -> None:
    with time_limit(1):
        take("SELECT 1")

    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@SESSION.max_statement_time")
            assert cursor.fetchone() == (0,)
