"""Limits for failed logins: parallel requests cannot exceed them, and they never lock out a known network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from enterprise_catalog.settings import base
from enterprise_catalog.web.login_limits import Rate, TooManyFailuresError, count, try_login

if TYPE_CHECKING:
    from pytest_django import Settings

RATE = Rate(3, 60)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The current time in epoch seconds; tests change its only element."""
    moment = [6_000_010]
    monkeypatch.setattr("enterprise_catalog.web.login_limits._seconds", lambda: moment[0])
    return moment


def log_in(name: str = "portal", network: str = "10.0.0.1", *, is_right: bool = False) -> str | None:
    return try_login(lambda: "in" if is_right else None, scope="feed", name=name, network=network, rate=RATE)


def test_rates_are_those_of_the_settings() -> None:
    assert [Rate.parse(text) for text in ("5/second", "60/minute", "7/hour", "1000/day")] == [
        Rate(5, 1),
        Rate(60, 60),
        Rate(7, 3_600),
        Rate(1_000, 86_400),
    ]


def test_a_window_ends(now: list[int]) -> None:
    assert RATE.retry_after == 50
    assert [count("x", "name", RATE) for _ in range(2)] == [1, 2]

    now[0] += 50

    assert count("x", "name", RATE) == 1


def test_names_and_scopes_are_counted_apart() -> None:
    names = ("a", "A", "a ", "á", "\N{FULLWIDTH LATIN SMALL LETTER A}", "", "\ud800", "x" * 100_000)

    assert [count(scope, name, RATE) for name in names for scope in ("x", "y")] == [1] * 2 * len(names)


def test_guesses_from_changing_networks_are_not_tried() -> None:
    assert [log_in(network=f"10.0.0.{number}") for number in range(3)] == [None] * 3

    with pytest.raises(TooManyFailuresError) as error:
        log_in(network="10.0.0.99", is_right=True)

    assert error.value.retry_after == 50


def test_guesses_do_not_lock_out_a_network_that_has_logged_in_before() -> None:
    assert log_in(network="192.0.2.7", is_right=True) == "in"
    for number in range(3):
        log_in(network=f"10.0.0.{number}")

    assert log_in(network="192.0.2.7", is_right=True) == "in"
    assert log_in(network="192.0.2.7") is None
    with pytest.raises(TooManyFailuresError):
        log_in(network="10.0.0.99")


def test_successful_logins_count_nothing() -> None:
    assert [log_in(network=f"10.0.0.{number}", is_right=True) for number in range(10)] == ["in"] * 10

    assert log_in(network="10.1.0.1") is None


def test_an_expired_counter_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    count("x", "name", RATE)
    monkeypatch.setattr(type(cache), "incr", lambda *_: int("expired"), raising=False)

    assert count("x", "name", RATE) == 1


@pytest.mark.usefixtures("no_cache")
def test_without_a_cache_nothing_is_limited() -> None:
    assert count("x", "name", RATE) is None
    assert [log_in() for _ in range(2)] == [None] * 2
    assert log_in(is_right=True) == "in"


def test_parallel_guesses_cannot_pass_the_limit(settings: Settings, redis_url: str) -> None:
    settings.CACHES = {"default": base.cache(redis_url)}
    cache.clear()

    def guess(number: int) -> bool:
        try:
            log_in(network=f"10.0.0.{number}")
        except TooManyFailuresError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        tried = sum(pool.map(guess, range(64)))

    assert tried == RATE.limit
