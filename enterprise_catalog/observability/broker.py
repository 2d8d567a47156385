"""Short connections to Celery's broker, for health checks and metrics."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kombu import Connection

#: Time limit in seconds for each step. Neither a probe nor a scrape must wait for a broker that hangs.
BROKER_SECONDS: Final = 2


class BrokerUnreachableError(Exception):
    """The broker does not respond. The text is the error's class: its message may contain the broker's password."""


@contextmanager
def connected(connection_for: Callable[..., Connection]) -> Iterator[Connection]:
    """Yield an open connection to the broker, and close it at the end.

    Args:
        connection_for: ``connection_for_read`` or ``connection_for_write`` of the Celery application.

    Raises:
        BrokerUnreachableError: no connection, or an error in the block.
    """
    timeouts = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    try:
        with connection_for(connect_timeout=BROKER_SECONDS, transport_options=timeouts) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
            yield connection
    except Exception as error:  # each transport has its own exceptions; all of them mean "unreachable"
        raise BrokerUnreachableError(type(error).__name__) from error
