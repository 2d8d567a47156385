"""Whether anything has changed since the last complete run: what such a run remembers, and when that still holds.

It remembers two things. The ETag that its customer's catalogs had **before** it asked for their differences, so that
what changes in between has another one. And the scope: all of the configuration that decides what belongs where, as the
run had it, so that an edit makes another one even while the run is under way. A run that ends otherwise than complete,
or dies, lets both be forgotten.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.leases import LeftBehind
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: What a run's row says when it asked for no difference.
REASON: Final = "Nothing has changed in the catalogs since the last complete run."


def known_etag(configuration: ChannelConfiguration, left_behind: LeftBehind) -> str:
    """Return the ETag of the catalogs that the LMS equals; empty if only a diff can tell what there is to do."""
    if left_behind.has_dead_runs or left_behind.has_unsettled_items:
        return ""
    return left_behind.etag if left_behind.scope == scope(configuration) else ""


def to_remember(configuration: ChannelConfiguration, *, etag: str, items: int) -> dict[str, Any]:
    """Return the configuration's columns after a complete run.

    Args:
        etag: of the catalogs, read before their differences; empty if they have none.
        items: how many the catalogs have.
    """
    return {"last_full_etag": etag, "last_full_scope": scope(configuration), "last_full_items": items}


def to_forget() -> dict[str, Any]:
    """Return the configuration's columns after a run of any other end: the next one has to ask for a diff."""
    return {"last_full_etag": ""}


def scope(configuration: ChannelConfiguration) -> str:
    """Return the SHA-256 of all that decides what belongs where; not of the pace, the name and the times.

    That an address or credentials of the same LMS changed costs one diff; that those of another one did not would cost
    its content.
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
