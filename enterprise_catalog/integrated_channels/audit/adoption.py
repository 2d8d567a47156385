"""Adoption: rows for items that the LMS already has and that were never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.integrated_channels.audit import decisions, leases
from enterprise_catalog.integrated_channels.audit.attempts import CHANGING_COLUMNS
from enterprise_catalog.integrated_channels.audit.bulk import insert, upsert
from enterprise_catalog.integrated_channels.domain import Action, Presence, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    DecisionAction,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.audit.leases import Lease


def adopt(
    configuration: ChannelConfiguration,
    remote_ids: Mapping[str, str],
    *,
    by: str,
    reason: str = "",
    lease: Lease,
    now: datetime,
) -> int:
    """Record that the LMS already has items that were never sent; return their number. The next run updates them.

    Args:
        remote_ids: content key -> the LMS's own id.
        by: name of the user or command, for the decision log.
        reason: the user's own text.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    text = "Found in the LMS and adopted. The next run updates it."

    def adopt_part(part: Sequence[str]) -> None:
        known = set(rows.with_keys(part).values_list("content_key", flat=True))
        insert(
            [
                ContentMetadataItemTransmission(configuration=configuration, content_key=key, created_at=now)
                for key in part
                if key not in known
            ]
        )
        found = list(rows.with_keys(part))
        for row in found:
            row.state, row.action, row.presence = State.PENDING, Action.UPDATE, Presence.PRESENT
            row.remote_id, row.reason, row.due_since = remote_ids[row.content_key], text, row.due_since or now
            row.deleted_at = row.next_attempt_at = None
        upsert(found, columns=CHANGING_COLUMNS)
        items = [decisions.DecidedItem(configuration.pk, row.pk, row.content_key) for row in found]
        decisions.record_items(items, DecisionAction.ADOPT, by=by, now=now, reason=reason)
        # The checkpoint of the last complete run does not include these items.
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(last_full_etag="", synced_versions=None)

    leases.fenced_batches(sorted(remote_ids), adopt_part, lease=lease, now=now)
    return len(remote_ids)
