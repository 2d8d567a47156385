"""The next sync of a configuration: how many items it sends, and which of them the LMS cannot hold.

Nothing is sent or written. The items are translated as in a sync, but only up to :data:`MAX_ITEMS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Chunk
from enterprise_catalog.integrated_channels.sync.export import translate_chunk
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_plan_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import PlannedItem, SyncPlan
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Items that are translated. A thousand take about two seconds.
MAX_ITEMS: Final = 1_000
_ITEMS_PER_REQUEST: Final = 500
_READ_TIMEOUT_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that cannot be sent, and all reasons."""

    content_key: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncPreview:
    """The plan of the next sync, and the items in it that cannot be sent."""

    plan: SyncPlan
    checked: int  #: Number of creates and updates that were translated.
    refusals: list[Refusal]

    @property
    def is_complete(self) -> bool:
        """True if all creates and updates were translated."""
        return self.checked == len(self.plan.creates) + len(self.plan.updates)


def preview_sync(configuration: ChannelConfiguration, *, now: datetime) -> SyncPreview:
    """Return the preview of the configuration's next sync.

    Raises:
        CatalogUnavailableError: the catalogs could not be read, or there is no such customer.
        ConfigurationError: the configuration does not fit its channel or its customer.
    """
    with CatalogClient(read_timeout_seconds=_READ_TIMEOUT_SECONDS) as catalog, open_channel(configuration) as channel:
        catalogs = catalog.list_catalogs(configuration.enterprise_customer_uuid).uuids
        plan = load_plan_inputs(configuration, catalog, of_customer=catalogs, now=now).plan()
        items = [*plan.creates, *plan.updates][:MAX_ITEMS]
        return SyncPreview(plan, len(items), list(_find_refusals(items, catalog, channel)))


def _find_refusals(items: Sequence[PlannedItem], catalog: CatalogClient, channel: Channel) -> Iterator[Refusal]:
    for start in range(0, len(items), _ITEMS_PER_REQUEST):
        chunk = Chunk(tuple(items[start : start + _ITEMS_PER_REQUEST]))
        for key, translation in translate_chunk(chunk, catalog, channel).items():
            if translation.refusal is not None:
                title = translation.exported.title if translation.exported else ""
                yield Refusal(key, title, translation.refusal.message)
