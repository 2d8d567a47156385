"""The inputs of a plan, and saved plans, which an operator reviews before a run carries them out.

A saved plan contains no items. It is computed again from the catalogs and the rows, with the original time, and only if
both are unchanged. So it never sends an item that no longer belongs in the LMS.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, ConfigDict

from enterprise_catalog.integrated_channels.domain import DeleteLimit
from enterprise_catalog.integrated_channels.exceptions import StopSyncError
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync import checkpoint
from enterprise_catalog.integrated_channels.sync.desired import catalogs_to_send, load_desired_items
from enterprise_catalog.integrated_channels.sync.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
    from enterprise_catalog.integrated_channels.domain import Desired, Record, SyncPlan
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Field of a saved plan -> what has changed if the field differs now.
_PARTS: Final = {
    "settings_digest": "the configuration was edited",
    "catalogs_digest": "the catalogs have changed",
    "rows_digest": "items were sent, queued again or decided on",
}


class StalePlanError(StopSyncError):
    """The inputs of the saved plan have changed; the message names them."""


class SavedPlan(BaseModel):
    """The inputs of a plan, as SHA-256 digests in hexadecimal."""

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
        """Return the saved form of a plan with these inputs.

        Args:
            records: content key -> record, for all items that did not match.
        """
        limits = (configuration.delete_limit_items, configuration.delete_limit_percent)
        versions = {str(catalog): version for catalog, version in desired.versions.items()}
        rows = [sorted(desired.matched.items()), [astuple(records[key]) for key in sorted(records)]]
        return cls(
            configuration_id=configuration.pk,
            planned_at=planned_at,
            settings_digest=_digest([checkpoint.config_fingerprint(configuration), *limits]),
            catalogs_digest=_digest(versions),
            rows_digest=_digest(rows),
        )

    def check(self, now: SavedPlan) -> None:
        """Check that the plan is still valid.

        Args:
            now: the saved form of a plan made now.

        Raises:
            StalePlanError: the plan belongs to another configuration, or its inputs have changed.
        """
        if now.configuration_id != self.configuration_id:
            raise StalePlanError(f"The plan belongs to configuration {self.configuration_id}. Nothing was sent.")
        moved = [what for part, what in _PARTS.items() if getattr(now, part) != getattr(self, part)]
        if moved:
            since = f"{self.planned_at:%Y-%m-%d %H:%M:%S} UTC"
            changes = " and ".join(moved)
            message = f"The plan of {since} is stale; nothing was sent. Since then, {changes}. Save a new plan."
            raise StalePlanError(message)


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """The inputs of a plan: catalogs, rows, and the time at which they were read."""

    configuration: ChannelConfiguration
    desired: Desired
    records: Mapping[str, Record]  #: By content key; without items that matched.
    at: datetime

    def plan(self, *, saved: SavedPlan | None = None) -> SyncPlan:
        """Return the actions of a run.

        Raises:
            StalePlanError: the inputs are no longer those of ``saved``.
        """
        if saved is not None:
            saved.check(self.to_save())
        limit = DeleteLimit(self.configuration.delete_limit_items, self.configuration.delete_limit_percent)
        # The plan is carried out as shown: exactly the items that were due at its time are due now.
        now = saved.planned_at if saved else self.at
        return plan(self.desired.items, self.records, matched=len(self.desired.matched), now=now, delete_limit=limit)

    def to_save(self) -> SavedPlan:
        """Return the saved form, which later shows if the plan is still valid."""
        return SavedPlan.of(self.configuration, desired=self.desired, records=self.records, planned_at=self.at)


def load_plan_inputs(
    configuration: ChannelConfiguration, catalog: CatalogClient, *, of_customer: Sequence[UUID], now: datetime
) -> PlanInputs:
    """Return the inputs of a plan. Writes nothing, here or elsewhere.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        CatalogUnavailableError: the catalogs could not be read.
        ConfigurationError: the configuration names a catalog that does not belong to the customer.
    """
    catalog_uuids = catalogs_to_send(configuration, of_customer)
    history = ContentMetadataItemTransmission.objects.of(configuration).history()
    desired = load_desired_items(catalog_uuids, history, catalog)
    return PlanInputs(configuration, desired, history.records_but_of(desired.matched), now)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
