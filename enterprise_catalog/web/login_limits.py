"""Limits for password guessing: shared counters in the cache, and logins limited by name.

A counter covers one window of time, such as a minute. It is incremented atomically: parallel requests cannot exceed the
limit. Without a cache, nothing is counted or limited. A caller that must not continue in that case decides so itself.
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
#: Lifetime of an entry for a network from which a name has logged in successfully.
_KNOWN_SECONDS: Final = 90 * 86_400


class TooManyFailuresError(Exception):
    """The name has reached its limit; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many failed logins. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` events per window of ``seconds`` seconds."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a setting such as ``60/minute``, which the environment module has already validated."""
        limit, _, window = text.partition("/")
        return cls(int(limit), _SECONDS[window])

    @property
    def retry_after(self) -> int:
        """Return the seconds left in the current window; at least 1."""
        return self.seconds - _seconds() % self.seconds


def count(scope: str, name: str, rate: Rate) -> int | None:
    """Increment the counter of ``name`` for the current window and return it; ``None`` without a cache.

    Args:
        scope: what is counted, such as ``feed address``.
        name: untrusted text of any length.
    """
    key = _key(scope, name, rate)
    try:
        if cache.add(key, 1, timeout=rate.seconds):
            return 1
        return cache.incr(key)
    except ValueError:  # The counter expired or was evicted between the two calls.
        return 1
    except RedisError as error:
        log.warning("cache_unavailable", operation="count", error=type(error).__name__)
        return None


def try_login(attempt: Callable[[], T | None], *, scope: str, name: str, network: str, rate: Rate) -> T | None:
    """Return the result of ``attempt``: the authenticated object, or ``None`` if the secret is wrong.

    When ``name`` has reached ``rate``, attempts are only made from networks that it has logged in from before. Guesses
    from other networks therefore do not lock out the name's owner.

    Args:
        scope: the kind of name, such as ``feed``.
        name: as the caller sent it; it need not exist.
        network: the caller's network (``client_address.client_network``).

    Raises:
        TooManyFailuresError: the limit is reached; no attempt was made.
    """
    if cache.get(_known_key(scope, name, network)) is not None:
        return attempt()
    # Counted before the attempt, to keep parallel attempts from exceeding the limit together. A success is uncounted.
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
        pass  # A new window has started.
    except RedisError as error:
        log.warning("cache_unavailable", operation="count", error=type(error).__name__)


def _key(scope: str, name: str, rate: Rate) -> str:
    return f"limit:{scope.replace(' ', '-')}:{_digest(name)}:{_seconds() // rate.seconds}"


def _known_key(scope: str, name: str, network: str) -> str:
    return f"known:{scope}:{_digest(name)}:{_digest(network)}"


def _digest(text: str) -> str:
    """Return a short key for text of any length and any characters, including lone surrogates."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
