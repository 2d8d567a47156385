"""What a plan is made of, and plans that somebody looks at before they are carried out.

A saved plan holds no items: it is made again from the catalogs and the rows, as of the moment at which it was made
first, and only if both are what they were. So it brings nothing into the learning system that belongs there no more.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, ConfigDict

from enterprise_catalog.integrated_channels import unchanged
from enterprise_catalog.integrated_channels.exceptions import StopSyncError
from enterprise_catalog.integrated_channels.exporter import catalogs_to_send, desired_items
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.planning import plan
from enterprise_catalog.integrated_channels.types import DeleteLimit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_client import CatalogClient
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.types import Desired, Record, SyncPlan

#: Field of a saved plan -> what has moved on if it differs now.
_PARTS: Final = {
    "settings_digest": "the configuration was edited",
    "catalogs_digest": "the catalogs have changed",
    "rows_digest": "items were sent, queued again or decided on",
}


class StalePlanError(StopSyncError):
    """What the saved plan was made of has moved on; the message says what."""


class SavedPlan(BaseModel):
    """What a plan was made of. Digests are SHA-256 in hexadecimal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    configuration_id: int
    planned_at: datetime
    settings_digest: str
    catalogs_digest: str
    rows_digest: str

    @classmethod
    def of(
        cls,
        configuration: ChannelConfiguration,
        *,
        desired: Desired,
        records: Mapping[str, Record],
        planned_at: datetime,
    ) -> Self:
        """Return what to save of a plan that was made of these.

        Args:
            records: content key -> what the audit knew of all items but those that matched.
        """
        limits = (configuration.delete_limit_items, configuration.delete_limit_percent)
        versions = {str(catalog): version for catalog, version in desired.versions.items()}
        rows = [sorted(desired.matched.items()), [astuple(records[key]) for key in sorted(records)]]
        return cls(
            configuration_id=configuration.pk,
            planned_at=planned_at,
            settings_digest=_digest([unchanged.scope(configuration), *limits]),
            catalogs_digest=_digest(versions),
            rows_digest=_digest(rows),
        )

    def check(self, now: SavedPlan) -> None:
        """Make sure that the plan is still good.

        Args:
            now: what a plan would be made of now.

        Raises:
            StalePlanError: it is another configuration's, or something has moved on.
        """
        if now.configuration_id != self.configuration_id:
            raise StalePlanError(f"The plan is of configuration {self.configuration_id}; nothing was sent.")
        moved = [what for part, what in _PARTS.items() if getattr(now, part) != getattr(self, part)]
        if moved:
            since = f"{self.planned_at:%Y-%m-%d %H:%M:%S}"
            raise StalePlanError(f"The plan of {since} UTC is stale, nothing was sent: {', '.join(moved)} since.")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a plan is made of: both sides, and when they were read."""

    configuration: ChannelConfiguration
    desired: Desired
    records: Mapping[str, Record]  #: By content key; none of what matched.
    at: datetime

    def plan(self, *, saved: SavedPlan | None = None) -> SyncPlan:
        """Return what a run would do.

        Raises:
            StalePlanError: it would not be what ``saved`` was.
        """
        if saved is not None:
            saved.check(self.to_save())
        limit = DeleteLimit(self.configuration.delete_limit_items, self.configuration.delete_limit_percent)
        # What is due by the time of a saved plan is due, and nothing else: it shows what will be done.
        now = saved.planned_at if saved else self.at
        return plan(self.desired.items, self.records, matched=len(self.desired.matched), now=now, delete_limit=limit)

    def to_save(self) -> SavedPlan:
        """Return what tells later whether the plan is still good."""
        return SavedPlan.of(self.configuration, desired=self.desired, records=self.records, planned_at=self.at)


def know(
    configuration: ChannelConfiguration, catalog: CatalogClient, *, of_customer: Sequence[UUID], now: datetime
) -> Knowledge:
    """Return all that a plan is made of; writes nothing, here or elsewhere.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        CatalogUnavailableError: the catalogs could not be read.
        ConfigurationError: the configuration names a catalog that is not the customer's.
    """
    catalog_uuids = catalogs_to_send(configuration, of_customer)
    history = ContentMetadataItemTransmission.objects.of(configuration).history()
    desired = desired_items(catalog_uuids, history, catalog)
    return Knowledge(configuration, desired, history.records_but_of(desired.matched), now)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
