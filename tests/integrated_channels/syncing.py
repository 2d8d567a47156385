"""Shortcuts for tests of syncs: run a sync, act during one, and read a row."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync.engine import sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

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


@contextmanager
def acting_during_runs(act: Callable[[], object]) -> Iterator[None]:
    """Call ``act`` each time that a run asks for the customer's catalogs."""
    ask = CatalogClient.list_catalogs_if_changed

    def act_and_ask(client: CatalogClient, etag: str, customer: UUID) -> object:
        act()
        return ask(client, etag, customer)

    with mock.patch.object(CatalogClient, "list_catalogs_if_changed", act_and_ask):
        yield
