"""The checkpoint of the last runs, and the comparison that the next run needs: none, changes, or all items.

It has two parts, both for one fingerprint: a hash of all settings that decide what belongs in which LMS, as the run
used them. An edit changes the fingerprint, even an edit during the run.

After a complete run, there is nothing to compare until the catalogs change:

* The ETag of the customer's catalogs, read **before** their differences. A later change therefore has another ETag.
* The number of items in the catalogs, for the row of the next run.

After every run that carried out or marked its whole plan, complete or not, changed and unsettled items suffice:

* The version of each catalog, read **with** its differences or changes.
* The number of different items in the catalogs, because the next run does not read them all.

A run that dies invalidates both parts. So does a run that sends content of a later version than it compared: if the
catalog service were then restored from a backup of the compared version, the next run would find nothing changed.
Without doubt, all items are still compared once in ``FULL_COMPARISON_HOURS``.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings

from enterprise_catalog.integrated_channels.models import Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.integrated_channels.audit.leases import LeftBehind
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.integrated_channels.sync.plan_inputs import Synced

#: Reason in the row of a run that needed no diff.
REASON: Final = "Nothing has changed in the catalogs since the last complete run."


def known_etag(configuration: ChannelConfiguration, left_behind: LeftBehind, *, now: datetime) -> str:
    """Return the ETag of the catalogs that the LMS equals; empty if a comparison is needed."""
    if left_behind.has_unsettled_items or _why_doubt(configuration, left_behind, now):
        return ""
    return left_behind.etag


def why_full(
    configuration: ChannelConfiguration, left_behind: LeftBehind, catalogs: Sequence[UUID], *, now: datetime
) -> Comparison | None:
    """Return the reason for a comparison of all items; ``None`` if changed and unsettled items suffice.

    Args:
        catalogs: the catalogs to send.
    """
    if not left_behind.synced_versions:
        return Comparison.DEAD_RUN if left_behind.has_dead_runs else Comparison.FIRST
    if reason := _why_doubt(configuration, left_behind, now):
        return reason
    if {str(catalog_uuid) for catalog_uuid in catalogs} != left_behind.synced_versions.keys():
        return Comparison.EDITED
    return None


def _why_doubt(configuration: ChannelConfiguration, left_behind: LeftBehind, now: datetime) -> Comparison | None:
    """Return the reason why the checkpoint is not valid, or is too old."""
    compared_at, requested_at = left_behind.fully_compared_at, left_behind.full_comparison_requested_at
    if left_behind.has_dead_runs:
        return Comparison.DEAD_RUN
    if left_behind.fingerprint != config_fingerprint(configuration):
        return Comparison.EDITED
    if compared_at is None:
        return Comparison.FIRST
    if requested_at is not None and requested_at >= compared_at:
        return Comparison.REQUESTED
    is_old = now - compared_at >= timedelta(hours=settings.FULL_COMPARISON_HOURS)
    return Comparison.DAILY if is_old else None


def checkpoint_fields(configuration: ChannelConfiguration, *, etag: str, items: int) -> dict[str, object]:
    """Return the configuration's columns after a complete run.

    Args:
        etag: of the catalogs, read before their differences; empty if they have none.
        items: number of items in the catalogs.
    """
    return {"last_full_etag": etag, "last_full_scope": config_fingerprint(configuration), "last_full_items": items}


def synced_fields(
    configuration: ChannelConfiguration, synced: Synced, *, fully_compared_at: datetime | None
) -> dict[str, object]:
    """Return the configuration's columns after a run that carried out or marked its whole plan.

    Args:
        fully_compared_at: start of the run, if it compared all items.
    """
    columns: dict[str, object] = {
        "synced_versions": {str(catalog_uuid): version for catalog_uuid, version in synced.versions.items()},
        "synced_items": synced.items,
        "last_full_scope": config_fingerprint(configuration),
    }
    return columns if fully_compared_at is None else columns | {"fully_compared_at": fully_compared_at}


def incomplete_fields() -> dict[str, object]:
    """Return the configuration's columns after a run that was not complete: the next run needs a comparison."""
    return {"last_full_etag": ""}


def config_fingerprint(configuration: ChannelConfiguration) -> str:
    """Return the SHA-256 of all settings that decide what belongs in which LMS, without pace, name and times.

    Includes URL and credentials. If they change for the same LMS, the cost is one needless diff. If a change to another
    LMS were missed, the new LMS would stay empty.
    """
    parts = [
        settings.CATALOG_API_URL,
        str(configuration.enterprise_customer_uuid),
        configuration.catalog_uuids,
        configuration.channel_code,
        configuration.base_url,
        configuration.settings,
        configuration.credentials,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
