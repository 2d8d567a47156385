"""Django's Redis cache, with fallbacks for an unreachable Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.core.cache.backends import redis as django_redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from redis import RedisError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger(__name__)

#: Waiting longer than this for a cache costs more than a cache miss.
_TIMEOUT_SECONDS = 1.0


class RedisCache(django_redis.RedisCache):
    """Treats an unreachable Redis as a cache miss on ``get``, and drops the write on ``set``.

    All other methods raise as usual: ``add`` and ``incr`` coordinate processes, and callers rely on ``delete`` and
    ``clear``.
    """

    def __init__(self, server: str, params: Mapping[str, Any]) -> None:
        timeouts = {"socket_connect_timeout": _TIMEOUT_SECONDS, "socket_timeout": _TIMEOUT_SECONDS}
        super().__init__(server, {**params, "OPTIONS": {**timeouts, **params.get("OPTIONS", {})}})

    def get(self, key: str, default: object = None, version: int | None = None) -> object:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            log.warning("cache_unavailable", operation="get", error=type(error).__name__)
            return default

    def set(self, key: str, value: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except RedisError as error:
            log.warning("cache_unavailable", operation="set", error=type(error).__name__)
