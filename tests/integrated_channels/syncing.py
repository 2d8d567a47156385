"""What tests of syncs ask again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync import sync

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from tests.integrated_channels.conftest import Clock


def row_of(key: str) -> ContentMetadataItemTransmission:
    """Return the only transmission row of ``key``."""
    return ContentMetadataItemTransmission.objects.get(content_key=key)


def run_of(configuration: ChannelConfiguration, clock: Clock) -> SyncRun:
    """Sync, and return the run's row; nobody else may hold the lease."""
    row = sync(configuration, clock=clock)
    assert row is not None
    return row
