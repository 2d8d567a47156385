"""Shortcuts for tests of syncs: run a sync, and read a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync.engine import sync

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration, SyncRun
    from tests.integrated_channels.conftest import Clock


def row_of(key: str) -> ContentMetadataItemTransmission:
    """Return the only transmission row for ``key``."""
    return ContentMetadataItemTransmission.objects.get(content_key=key)


def run_of(configuration: ChannelConfiguration, clock: Clock) -> SyncRun:
    """Sync, and return the run's row. Asserts that the lease was free."""
    row = sync(configuration, clock=clock)
    assert row is not None
    return row
