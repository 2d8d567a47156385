"""A connection to an LMS outside of a run: to try it, to let a person consent to it, to look at what is there.

Each takes the configuration's lease, so that it never talks to the LMS at the same time as a run: an LMS that gives a
new refresh token with each use would forget the other's.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels import leases
from enterprise_catalog.integrated_channels.channels.base import ConsentingChannel
from enterprise_catalog.integrated_channels.configurations import channel_for, save_credentials
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, StopSyncError, SyncError
from enterprise_catalog.integrated_channels.run import LeaseKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Tokens are signed and dated; further apart than this, one side takes the other's for stale or not yet valid.
MOST_CLOCKS_DIFFER: Final = timedelta(minutes=3)


class BusyError(StopSyncError):
    """A run of this configuration is under way."""


@contextmanager
def connected(
    configuration: ChannelConfiguration, *, clock: Callable[[], datetime]
) -> Iterator[tuple[Channel[Any, Any], LeaseKeeper]]:
    """Give the configuration's channel, and the lease that is held until the block ends.

    Raises:
        BusyError: a run holds the lease.
        ConfigurationError: the configuration does not fit its channel.
    """
    lease = leases.acquire(configuration.pk, now=clock())
    if lease is None:
        raise BusyError("A sync of this configuration is running; try again when it has ended.")
    keeper = LeaseKeeper(lease, clock)
    try:
        with channel_for(
            configuration,
            before_each_call=keeper.before_call,
            save_credentials=lambda changes: save_credentials(configuration, changes, lease=lease, now=clock()),
        ) as channel:
            lease.budget.limit = channel.rate_limit
            yield channel, keeper
    finally:
        leases.release(lease)


def try_connection(configuration: ChannelConfiguration, *, clock: Callable[[], datetime]) -> list[str]:
    """Return what has to be mended before the configuration can be synced, a sentence for each; nothing is changed."""
    try:
        with connected(configuration, clock=clock) as (channel, _):
            mend = list(channel.probe())
            told = channel.client.told_time
    except SyncError as error:
        return [error.message]
    if told is not None and abs(told - clock()) > MOST_CLOCKS_DIFFER:
        mend.append(f"The learning system's clock says {told:%Y-%m-%d %H:%M:%S} UTC; ours differs by {told - clock()}.")
    return mend


def authorization_url(
    configuration: ChannelConfiguration, *, redirect_uri: str, state: str, clock: Callable[[], datetime]
) -> str:
    """Return where a person of the customer lets us in.

    Raises:
        ConfigurationError: the channel needs no such consent, or the configuration does not fit it.
        BusyError: a run is under way.
    """
    with connected(configuration, clock=clock) as (channel, _):
        return _consenting(channel).authorization_url(redirect_uri=redirect_uri, state=state)


def redeem(configuration: ChannelConfiguration, code: str, *, redirect_uri: str, clock: Callable[[], datetime]) -> None:
    """Exchange the code that the LMS gave a person for credentials, and store them.

    Raises:
        SyncError: the LMS does not take the code, cannot be reached, or a run is under way.
    """
    with connected(configuration, clock=clock) as (channel, _):
        channel.save_credentials(_consenting(channel).redeem(code, redirect_uri=redirect_uri))


def _consenting(channel: Channel[Any, Any]) -> ConsentingChannel:
    if not isinstance(channel, ConsentingChannel):
        raise ConfigurationError(f"{channel.label} is not authorized by a person; its credentials are entered.")
    return channel
