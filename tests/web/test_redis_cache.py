"""A cache whose Redis stops, hangs and recovers."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from redis import RedisError

from enterprise_catalog.web.redis_cache import RedisCache
from tests import services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.services import PrivateServer


@pytest.fixture
def redis() -> Iterator[PrivateServer]:
    server = services.or_skip(services.private_redis)
    yield server
    server.stop()


@pytest.mark.processes
def test_reads_miss_and_writes_are_lost_while_redis_is_down(redis: PrivateServer) -> None:
    cache = RedisCache(redis.url, {})
    cache.set("before", 1)
    read = [cache.get("before")]

    redis.kill()
    cache.set("meanwhile", 2)
    read += [cache.get("before"), cache.get("before", "nothing")]
    redis.start()
    cache.set("after", 3)
    read += [cache.get("meanwhile"), cache.get("after")]

    assert read == [1, None, "nothing", None, 3]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda cache: cache.add("key", 1), id="add"),
        pytest.param(lambda cache: cache.incr("key"), id="incr"),
        pytest.param(lambda cache: cache.delete("key"), id="delete"),
        pytest.param(lambda cache: cache.clear(), id="clear"),
    ],
)
def test_what_others_rely_on_fails_while_redis_is_away(use: Callable[[RedisCache], object]) -> None:
    cache = RedisCache(f"redis://127.0.0.1:{services.free_port()}/0", {})

    with pytest.raises(RedisError):
        use(cache)


def test_a_redis_that_hangs_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = RedisCache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", {})
        began_at = time.monotonic()

        assert cache.get("key", "nothing") == "nothing"
        assert time.monotonic() - began_at < 3
