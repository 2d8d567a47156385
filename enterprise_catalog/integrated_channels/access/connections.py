"""Connections to an LMS outside of a run: check the connection, authorize, list items.

Each connection takes the configuration's lease, so it never calls the LMS during a run. Some LMSs issue a new refresh
token with each use: two connections at the same time would invalidate each other's token.

A person waits for most of them, and a web thread with the person. All calls of such a connection together take at most
:data:`MAX_SECONDS`.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings

from enterprise_catalog.integrated_channels.access.configurations import open_channel, save_credentials
from enterprise_catalog.integrated_channels.audit import leases
from enterprise_catalog.integrated_channels.audit.lease_renewer import LeaseRenewer
from enterprise_catalog.integrated_channels.channels.base import ConsentingChannel
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    DeadlineExceededError,
    LMSTooSlowError,
    StopSyncError,
    SyncError,
)
from enterprise_catalog.integrated_channels.lms.deadlines import CallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Tokens are signed and dated. If the clocks differ by more, one side rejects the other side's tokens as expired or not
#: yet valid.
MOST_CLOCKS_DIFFER: Final = timedelta(minutes=3)
#: Maximum duration of all calls of a connection for which a person waits.
MAX_SECONDS: Final = 30.0


class BusyError(StopSyncError):
    """A run of this configuration is in progress."""


@contextmanager
def connect(
    configuration: ChannelConfiguration, *, clock: Callable[[], datetime], seconds: float | None = None
) -> Iterator[tuple[Channel, LeaseRenewer]]:
    """Yield the configuration's channel, and the renewer of the lease that is held until the block ends.

    Args:
        seconds: maximum duration of all calls together; ``None`` for no limit.

    Raises:
        BusyError: a run holds the lease.
        ConfigurationError: the configuration does not fit its channel.
        LMSTooSlowError: the calls took longer than ``seconds``.
    """
    lease = leases.acquire(configuration.pk, now=clock())
    if lease is None:
        raise BusyError("A sync of this configuration is running; try again when it has ended.")
    renewer = LeaseRenewer(lease, clock)
    try:
        with (
            _limited(seconds) as call_clock,
            open_channel(
                configuration,
                before_each_call=renewer.before_call,
                call_clock=call_clock,
                save_credentials=lambda changes: save_credentials(configuration, changes, lease=lease, now=clock()),
            ) as channel,
        ):
            lease.budget.limit = channel.rate_limit
            yield channel, renewer
    finally:
        leases.release(lease)


@contextmanager
def _limited(seconds: float | None) -> Iterator[CallClock | None]:
    """Yield a clock for calls that together take at most ``seconds``; ``None`` for no limit."""
    if seconds is None:
        yield None
        return
    ends_at = time.monotonic() + seconds
    try:
        yield CallClock(
            seconds=min(seconds, settings.LMS_CALL_SECONDS), run_seconds_left=lambda: ends_at - time.monotonic()
        )
    except (DeadlineExceededError, LMSTooSlowError) as error:
        text = f"The LMS did not respond within {seconds:g} seconds. Check that it is running, then try again."
        raise LMSTooSlowError(text) from error


def check_connection(configuration: ChannelConfiguration, *, clock: Callable[[], datetime]) -> list[str]:
    """Return the problems that would prevent a sync, one sentence each. Changes nothing.

    The configuration may be new, or have unsaved changes.
    """
    try:
        with _connect_for_check(configuration, clock=clock) as channel:
            problems = list(channel.check_connection())
            server_time = channel.client.server_time
    except SyncError as error:
        return [error.message]
    if server_time is not None and abs(server_time - clock()) > MOST_CLOCKS_DIFFER:
        difference = abs(server_time - clock())
        problems.append(
            f"The LMS's clock shows {server_time:%Y-%m-%d %H:%M:%S} UTC and differs from this server's clock by"
            f" {difference}. Correct the wrong clock; tokens depend on it."
        )
    return problems


@contextmanager
def _connect_for_check(configuration: ChannelConfiguration, *, clock: Callable[[], datetime]) -> Iterator[Channel]:
    """Yield the configuration's channel. A new configuration needs no lease: no run can call its LMS yet."""
    if configuration.pk is None:
        with _limited(MAX_SECONDS) as call_clock, open_channel(configuration, call_clock=call_clock) as channel:
            yield channel
    else:
        with connect(configuration, clock=clock, seconds=MAX_SECONDS) as (channel, _):
            yield channel


def lacks_authorization(configuration: ChannelConfiguration) -> bool:
    """Return True if a user has to grant access at the LMS before the configuration can be synced. Sends nothing."""
    try:
        with open_channel(configuration) as channel:
            return isinstance(channel, ConsentingChannel) and not channel.is_authorized
    except ConfigurationError:
        return False


def authorization_url(
    configuration: ChannelConfiguration, *, redirect_uri: str, state: str, clock: Callable[[], datetime]
) -> str:
    """Return the URL at which a user of the customer grants access to the LMS.

    Raises:
        ConfigurationError: the channel needs no authorization, or the configuration does not fit the channel.
        BusyError: a run is in progress.
    """
    with connect(configuration, clock=clock, seconds=MAX_SECONDS) as (channel, _):
        return _require_consenting(channel).authorization_url(redirect_uri=redirect_uri, state=state)


def redeem(configuration: ChannelConfiguration, code: str, *, redirect_uri: str, clock: Callable[[], datetime]) -> None:
    """Exchange the authorization code from the LMS for credentials, and store them.

    Raises:
        SyncError: the LMS rejects the code or is unreachable, or a run is in progress.
    """
    with connect(configuration, clock=clock, seconds=MAX_SECONDS) as (channel, _):
        channel.save_credentials(_require_consenting(channel).redeem(code, redirect_uri=redirect_uri))


def _require_consenting(channel: Channel) -> ConsentingChannel:
    if not isinstance(channel, ConsentingChannel):
        raise ConfigurationError(f"{channel.label} needs no authorization. Enter its credentials instead.")
    return channel
