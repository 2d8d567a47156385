"""The checkpoint of the last complete run, and when it is still valid.

A checkpoint has three parts:

* The ETag of the customer's catalogs, read **before** their differences. A later change therefore has another ETag.
* The configuration's fingerprint: a hash of all settings that decide what belongs in which LMS, as the run used them.
  An edit changes the fingerprint, even an edit during the run.
* The number of items in the catalogs, for the row of the next run.

A run that ends in any other state, or dies, invalidates the checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.audit.leases import LeftBehind
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Reason in the row of a run that needed no diff.
REASON: Final = "Nothing has changed in the catalogs since the last complete run."


def known_etag(configuration: ChannelConfiguration, left_behind: LeftBehind) -> str:
    """Return the ETag of the catalogs that the LMS equals; empty if a diff is needed."""
    if left_behind.has_dead_runs or left_behind.has_unsettled_items:
        return ""
    return left_behind.etag if left_behind.fingerprint == config_fingerprint(configuration) else ""


def checkpoint_fields(configuration: ChannelConfiguration, *, etag: str, items: int) -> dict[str, object]:
    """Return the configuration's columns after a complete run.

    Args:
        etag: of the catalogs, read before their differences; empty if they have none.
        items: number of items in the catalogs.
    """
    return {"last_full_etag": etag, "last_full_scope": config_fingerprint(configuration), "last_full_items": items}


def cleared_checkpoint() -> dict[str, object]:
    """Return the configuration's columns after a run that was not complete: the next run needs a diff."""
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
