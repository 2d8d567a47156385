"""The next sync of a configuration: how many items it sends, and which of them the LMS cannot hold.

Nothing is sent or written. The items are translated as in a sync, but only up to :data:`MAX_ITEMS`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import Chunk
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError
from enterprise_catalog.integrated_channels.sync.export import translate_chunk
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_plan_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import PlannedItem, SyncPlan
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Items that are translated. A thousand take about two seconds.
MAX_ITEMS: Final = 1_000
_ITEMS_PER_REQUEST: Final = 500
#: Maximum duration of all requests of a preview together: a person is waiting.
MAX_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that cannot be sent, and all reasons."""

    content_key: str
    title: str
    reason: str


@dataclass(slots=True)
class SyncPreview:
    """The plan of the next sync, and the items in it that cannot be sent."""

    plan: SyncPlan
    checked: int = 0  #: Number of creates and updates that were translated.
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """True if all creates and updates were translated."""
        return self.checked == len(self.plan.creates) + len(self.plan.updates)


def preview_sync(configuration: ChannelConfiguration, *, now: datetime) -> SyncPreview:
    """Return the preview of the configuration's next sync. If time runs out, fewer items are checked.

    Raises:
        CatalogUnavailableError: the catalogs could not be read in time, or there is no such customer.
        ConfigurationError: the configuration does not fit its channel or its customer.
    """
    ends_at = time.monotonic() + MAX_SECONDS
    with (
        CatalogClient(read_timeout_seconds=MAX_SECONDS, run_seconds_left=lambda: ends_at - time.monotonic()) as catalog,
        open_channel(configuration) as channel,
    ):
        try:
            catalogs = catalog.list_catalogs(configuration.enterprise_customer_uuid).uuids
            plan = load_plan_inputs(configuration, catalog, of_customer=catalogs, now=now).plan()
        except RunDeadlineError:
            text = gettext("The catalog service did not return the catalogs within %(seconds)d seconds. Try again.")
            raise CatalogUnavailableError(text % {"seconds": MAX_SECONDS}) from None
        return _checked(plan, catalog, channel)


def _checked(plan: SyncPlan, catalog: CatalogClient, channel: Channel) -> SyncPreview:
    items = [*plan.creates, *plan.updates][:MAX_ITEMS]
    preview = SyncPreview(plan)
    for start in range(0, len(items), _ITEMS_PER_REQUEST):
        part = items[start : start + _ITEMS_PER_REQUEST]
        try:
            preview.refusals += _find_refusals(part, catalog, channel)
        except RunDeadlineError:
            break
        preview.checked += len(part)
    return preview


def _find_refusals(items: Sequence[PlannedItem], catalog: CatalogClient, channel: Channel) -> list[Refusal]:
    translated = translate_chunk(Chunk(tuple(items)), catalog, channel)
    return [
        Refusal(key, each.exported.title if each.exported else "", each.refusal.message)
        for key, each in translated.by_key.items()
        if each.refusal is not None
    ]
