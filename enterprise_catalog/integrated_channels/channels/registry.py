"""List of all channels. To add a channel, add one line here; nothing else outside its folder changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.channels.blackboard.channel import Blackboard
from enterprise_catalog.integrated_channels.channels.canvas.channel import Canvas
from enterprise_catalog.integrated_channels.channels.cornerstone.channel import Cornerstone
from enterprise_catalog.integrated_channels.channels.degreed.channel import Degreed
from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle
from enterprise_catalog.integrated_channels.channels.sap_success_factors.channel import SAPSuccessFactors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.channels.base import Channel

_ALL: tuple[type[Channel], ...] = (
    Blackboard,
    Canvas,
    Cornerstone,
    Degreed,
    Moodle,
    SAPSuccessFactors,
)

#: Code -> channel.
CHANNELS: Mapping[str, type[Channel]] = {channel.code: channel for channel in _ALL}


def channel_choices() -> list[tuple[str, str]]:
    """Return (code, label) of each channel, sorted by label. A callable, so that a new channel needs no migration."""
    return sorted(((code, channel.label) for code, channel in CHANNELS.items()), key=lambda choice: choice[1])
