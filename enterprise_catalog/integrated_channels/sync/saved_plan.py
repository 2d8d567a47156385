"""Saved plans, which an operator reviews before a run carries them out.

A saved plan contains no items. It is computed again from the catalogs and the rows, with the original time, and only if
both are unchanged. So it never sends an item that no longer belongs in the LMS.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, ConfigDict

from enterprise_catalog.integrated_channels.exceptions import StopSyncError
from enterprise_catalog.integrated_channels.sync import checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.domain import Desired, Record
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


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
