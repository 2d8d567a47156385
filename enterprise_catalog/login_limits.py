"""Limits for guesses: counters in the cache that all processes share, and logins that are limited by name.

A counter covers one window of time, such as a minute, and is raised atomically, so that parallel requests cannot pass
it. Without the cache nothing is counted and nothing is limited; a caller that must not go on then decides so itself.
See docs/decisions/0019.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, TypeVar

import structlog
from django.core.cache import cache
from redis import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

T = TypeVar("T")

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
#: How long an address is remembered from which a name has logged in.
_KNOWN_SECONDS: Final = 90 * 86_400


class TooManyFailuresError(Exception):
    """The limit of a name is reached; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many failed logins. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Rate:
    """So many events in each window of so many seconds."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rate that a setting such as ``60/minute`` stands for; the environment has checked it."""
        limit, _, window = text.partition("/")
        return cls(int(limit), _SECONDS[window])

    @property
    def retry_after(self) -> int:
        """Return how many seconds are left of the present window; at least 1."""
        return self.seconds - _seconds() % self.seconds


def count(scope: str, name: str, rate: Rate) -> int | None:
    """Raise the counter of ``name`` for the present window, and return it; ``None`` without a cache.

    Args:
        scope: what is counted, such as ``feed address``.
        name: text of any length, from anybody.
    """
    key = _key(scope, name, rate)
    try:
        if cache.add(key, 1, timeout=rate.seconds):
            return 1
        return cache.incr(key)
    except ValueError:  # It expired, or was evicted, in between.
        return 1
    except RedisError as error:
        log.warning("cache_unavailable", operation="count", error=type(error).__name__)
        return None


def limited_login(attempt: Callable[[], T | None], *, scope: str, name: str, network: str, rate: Rate) -> T | None:
    """Return what ``attempt`` returns: who logged in, or ``None`` if the secret is wrong.

    Once ``name`` has failed as often as ``rate`` allows, no further attempt is made from networks that it has never
    logged in from. From a network that it has logged in from, it still can, so that guesses do not lock it out.

    Args:
        scope: the kind of name, such as ``feed``.
        name: as the caller sent it; it need not exist.
        network: where the caller is (``client_address.client_network``).

    Raises:
        TooManyFailuresError: no attempt was made.
    """
    if cache.get(_known_key(scope, name, network)) is not None:
        return attempt()
    # Counted before the attempt, so that parallel ones cannot pass the limit together, and taken back if it succeeds.
    failures = count(f"{scope} name", name, rate)
    if failures is not None and failures > rate.limit:
        log.warning("login_limited", scope=scope, network=network)
        raise TooManyFailuresError(rate.retry_after)
    found = attempt()
    if found is not None and failures is not None:
        cache.set(_known_key(scope, name, network), 1, timeout=_KNOWN_SECONDS)
        _uncount(f"{scope} name", name, rate)
    return found


def _seconds() -> int:
    return int(time.time())


def _uncount(scope: str, name: str, rate: Rate) -> None:
    try:
        cache.decr(_key(scope, name, rate))
    except ValueError:
        pass  # A new window has begun.
    except RedisError as error:
        log.warning("cache_unavailable", operation="count", error=type(error).__name__)


def _key(scope: str, name: str, rate: Rate) -> str:
    return f"limit:{scope.replace(' ', '-')}:{_digest(name)}:{_seconds() // rate.seconds}"


def _known_key(scope: str, name: str, network: str) -> str:
    return f"known:{scope}:{_digest(name)}:{_digest(network)}"


def _digest(text: str) -> str:
    """Return a short key for text of any length and any characters, lone surrogates included."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
