"""Leaky-bucket rate limits: calls stop before the bucket is full and wait until it has drained."""

from __future__ import annotations

from typing import Final

import pytest

from enterprise_catalog.integrated_channels.channels.protocols.leaky_bucket import LeakyBucket
from enterprise_catalog.integrated_channels.exceptions import BudgetSpentError
from enterprise_catalog.integrated_channels.lms.client import LMSResponse

BUCKET: Final = LeakyBucket("Lectern", size=100.0, drained_per_second=4.0, header="x-room")


def with_headers(**headers: str) -> LMSResponse:
    return LMSResponse(429, b"", "Slow down", {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "answer", [with_headers(), *(with_headers(x_room=text) for text in ("", "plenty", "inf", "nan"))]
)
def test_a_missing_rate_limit_header_delays_no_call(answer: LMSResponse) -> None:
    remaining = BUCKET.remaining(answer)

    assert remaining is None
    BUCKET.require(50.0, remaining)


def test_a_call_that_finds_no_room_is_not_made_before_the_bucket_has_drained() -> None:
    remaining = BUCKET.remaining(with_headers(x_room="40.0"))
    BUCKET.require(40.0, remaining)

    with pytest.raises(BudgetSpentError) as stopped:
        BUCKET.require(40.5, remaining)

    assert stopped.value.message == "The rate limit of Lectern is almost reached: 40 of 100 units are left."
    assert stopped.value.retry_after_seconds == 15.0


@pytest.mark.parametrize(("headers", "seconds"), [({}, 25.0), ({"x_room": "80"}, 5.0), ({"x_room": "200"}, 0.0)])
def test_a_bucket_that_is_full_is_waited_for_as_long_as_it_drains(headers: dict[str, str], seconds: float) -> None:
    full = BUCKET.overflow(with_headers(**headers))

    assert (full.message, full.status_code, full.retry_after_seconds) == ("Lectern: Slow down", 429, seconds)
