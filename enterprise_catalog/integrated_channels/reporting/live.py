"""Looks an item up in the LMS now. Takes the configuration's lease, so it never calls the LMS during a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.access import connections
from enterprise_catalog.integrated_channels.exceptions import SyncError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration


@dataclass(frozen=True, slots=True)
class LiveItem:
    """The LMS's response about one item."""

    is_there: bool = False
    is_offered: bool = False  #: Learners see it.
    remote_id: str = ""
    problem: str = ""  #: The reason why there is no response; empty if there is one.


def look_up_live(configuration: ChannelConfiguration, key: str, *, clock: Callable[[], datetime]) -> LiveItem:
    """Return what the LMS holds under a content key, within 30 seconds. Changes nothing.

    The calls count against the rate limit.
    """
    try:
        with connections.connect(configuration, clock=clock, seconds=connections.MAX_SECONDS) as (channel, _):
            if not channel.can_look_up:
                text = gettext("%(channel)s offers no look-up of single items.")
                return LiveItem(problem=text % {"channel": channel.label})
            found = channel.look_up(key)
    except SyncError as error:
        return LiveItem(problem=error.message)
    if found is None:
        return LiveItem()
    return LiveItem(is_there=True, is_offered=found.is_offered, remote_id=found.remote_id)
