"""Dates and waits in HTTP headers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.service_client.http_dates import MAX_RETRY_AFTER_SECONDS, retry_after_seconds

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30),
        ("Sun, 01 Mar 2026 12:00:30", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("9" * 400, MAX_RETRY_AFTER_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_SECONDS),
        ("", None),
        ("soon", None),
        ("99999999999999999999 Mar 2026 12:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, now=NOON) == seconds


def test_a_missing_retry_after_gives_no_delay() -> None:
    assert retry_after_seconds({}) is None


dates = st.from_regex(r"(Sun, )?[0-9]{1,3} (Mar|Foo) [0-9]{1,6}( [0-9]{1,3}(:[0-9]{1,3}){0,3})?( [+-]?[0-9A-Z]{1,7})?")


@given(st.text() | dates)
def test_no_retry_after_is_too_odd(value: str) -> None:
    seconds = retry_after_seconds({"retry-after": value}, now=NOON)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS
