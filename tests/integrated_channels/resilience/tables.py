"""Reads the tables of the catalog service and of the integrated channels as values of ``reconciliation.py``.

Also makes the next runs compare all items.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from enterprise_catalog.catalog.models import CatalogVersion, ContentChange, ContentMetadata
from enterprise_catalog.db.contention import retry
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncLease,
    SyncRun,
    TransmissionAttempt,
)
from tests.integrated_channels.resilience.reconciliation import Item, RecordedState, Row, as_text

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCatalog


def items_of(catalog: EnterpriseCatalog) -> dict[str, Item]:
    """Return key -> item of a catalog. Reads the original tables of customer and content, not their copies."""
    customer, floor = catalog.enterprise_customer, catalog.documents_changed_at
    start = f"{customer.learner_portal_url}/{customer.slug}/course/"
    end = f"?utm_medium=enterprise&utm_source={customer.name.lower()}"
    content = ContentMetadata.objects.filter(memberships__catalog_query__catalogs=catalog)
    return {
        key: Item(
            as_text(max(moment, floor or moment)),
            title,
            start + quote(key, safe="+:") + end,
            json.loads(bytes(document))["full_description"],
        )
        for key, moment, title, document in content.values_list("content_key", "updated_at", "title", "document__json")
    }


def rows_of(configuration: ChannelConfiguration | int) -> list[Row]:
    """Return the transmission rows of a configuration, which may be given by ID."""
    newest = TransmissionAttempt.objects.filter(transmission=OuterRef("pk")).order_by("-pk")
    columns = ("content_key", "state", "presence", "remote_id", "feed_item__feed_key", "deleted_at", "catalog_uuid")
    rows = ContentMetadataItemTransmission.objects.filter(configuration=configuration).values_list(
        *columns, "content_updated_at", Subquery(newest.values("action")[:1]), Subquery(newest.values("outcome")[:1])
    )
    return [
        Row(
            key=key,
            state=state,
            presence=presence,
            # A polling LMS identifies an item by its key in the feed.
            remote_id=remote_id or feed_key or "",
            has_deleted_at=deleted_at is not None,
            catalog=str(catalog),
            version=as_text(version),
            last_action=action,
            last_outcome=outcome,
        )
        for key, state, presence, remote_id, feed_key, deleted_at, catalog, version, action, outcome in rows
    ]


def recorded_state_of(configuration: int) -> RecordedState:
    """Return what our tables record about a configuration."""
    runs = SyncRun.objects.filter(configuration=configuration).order_by("pk")
    newest = runs.last()
    in_flight = TransmissionAttempt.objects.filter(run__in=runs, outcome="")
    lease = SyncLease.objects.filter(configuration=configuration).first()
    return RecordedState(
        rows=rows_of(configuration),
        attempts_in_flight=in_flight.count(),
        newest_run_in_flight=in_flight.filter(run=newest).count(),
        runs_by_state=dict(Counter(runs.values_list("state", flat=True))),
        runs_without_end=runs.filter(finished_at=None).count(),
        program_errors=list(runs.filter(reason__startswith="Internal error").values_list("reason", flat=True)),
        newest_run=newest.state if newest else "",
        newest_run_began_at=as_text(newest.started_at if newest else None),
        newest_run_ended_at=as_text(newest.finished_at if newest else None),
        lease_is_held=lease is not None and lease.expires_at is not None and lease.expires_at > timezone.now(),
    )


def forget_changes() -> None:
    """Delete the log of changes, as its retention does. The service then answers 410 to all known versions."""
    ContentChange.objects.all().delete()
    CatalogVersion.objects.all().delete()


def request_full_comparisons() -> None:
    """Ask for a full comparison of each configuration, as an operator does."""
    retry(lambda: ChannelConfiguration.objects.update(full_comparison_requested_at=timezone.now()))
