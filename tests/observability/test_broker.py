"""Short connections to the broker: opened, refused, and unresponsive."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from kombu import Connection

from enterprise_catalog.observability import broker
from enterprise_catalog.observability.broker import BrokerUnreachableError, connected
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable


def connection_to(url: str) -> Callable[..., Connection]:
    return lambda **options: Connection(url, **options)


def test_the_connection_is_open_in_the_block_and_closed_after_it(redis_url: str) -> None:
    with connected(connection_to(redis_url)) as connection:
        assert connection.connected

    assert not connection.connected


def test_the_error_contains_no_password() -> None:
    with (
        pytest.raises(BrokerUnreachableError) as caught,
        connected(connection_to(f"redis://:geheim@127.0.0.1:{free_port()}/0")),
    ):
        pass

    assert str(caught.value) == "OperationalError"


@pytest.mark.parametrize("transport", ["redis", "amqp"])
def test_a_broker_that_accepts_connections_and_does_not_respond(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "BROKER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{transport}://127.0.0.1:{silent.getsockname()[1]}//"
        start = time.monotonic()

        with pytest.raises(BrokerUnreachableError), connected(connection_to(url)):
            pass

    assert time.monotonic() - start < 10


def test_an_error_in_the_block_means_that_the_broker_is_unreachable(redis_url: str) -> None:
    with pytest.raises(BrokerUnreachableError) as caught, connected(connection_to(redis_url)):
        raise ConnectionResetError

    assert str(caught.value) == "ConnectionResetError"
