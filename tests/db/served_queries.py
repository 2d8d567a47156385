"""The queries that the indexes serve, for ``test_indexes.py``: the program's own functions, or the query that they use.

An index without a name of its own is named by its model and field.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from hashlib import md5
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils import timezone

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.items import identified
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
    NestedContent,
    NestedRun,
    RefreshChange,
    RestrictedCourse,
    RestrictedRun,
)
from enterprise_catalog.catalog.versions import reads
from enterprise_catalog.db.batched_deletes import BatchedDeletes
from enterprise_catalog.integrated_channels.audit import runs, status
from enterprise_catalog.integrated_channels.domain import Action, State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Decision,
    DecisionItem,
    Delivery,
    DeliveryItem,
    DeliveryState,
    FeedItem,
    Notification,
    Operation,
    OperationItem,
    RunState,
    SlowSyncSlot,
    Subscription,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.reporting.fleet.daily_figures import last_days
from enterprise_catalog.integrated_channels.reporting.notifications import deliveries
from enterprise_catalog.integrated_channels.reporting.overview import Overview
from enterprise_catalog.integrated_channels.tasks import claims
from tests.benchmarks.audit_view.mixture import customer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOW: Final = timezone.now()
_LONG_AGO: Final = _NOW - timedelta(days=1_000)
_CUSTOMER: Final = UUID(customer_of(7))
_KEY: Final = "Org7X+COURSE000007"
#: A configuration with about 20 items.
_CONFIGURATION: Final = 8


def _read(rows: Any, size: int = 100) -> Callable[[], object]:
    """Return a function that reads the first rows."""
    return lambda: list(rows.all()[:size])


def _items() -> Any:
    return ContentMetadataItemTransmission.objects.filter(configuration=_CONFIGURATION)


def _remove_old() -> None:
    """Look for old rows. There are none, so nothing is deleted."""
    deletes = BatchedDeletes(seconds=60)
    for subject in (runs, deliveries, records):
        subject.remove_old(deletes, before=_LONG_AGO)
    assert deletes.removed == 0


_CATALOG: Final[Mapping[str, Callable[[], object]]] = {
    "CatalogMembership.content": lambda: CatalogMembership.objects.filter(content__in=[1, 2]).update(updated_at=_NOW),
    "membership_diff": _read(
        CatalogMembership.objects.filter(catalog_query=1).in_key_order().values_list("content_key", "updated_at")
    ),
    "membership_once": _read(CatalogMembership.objects.filter(catalog_query__in=[1, 2], content__in=[1, 2, 3])),
    "CatalogQuery.content_filter_hash": _read(
        CatalogQuery.objects.filter(content_filter_hash=md5(b"7", usedforsecurity=False).hexdigest())
    ),
    "query_title": _read(CatalogQuery.objects.order_by("title", "pk").values_list("pk")),
    "query_version": lambda: reads.read_changed_customers("1"),
    "CatalogQuery.uuid": lambda: CatalogQuery.objects.get(uuid=CatalogQuery.objects.get(pk=1).uuid),
    "refresh_by_query": lambda: records.find_recent(CatalogQuery.objects.get(pk=1), now=_NOW, force=False),
    "refresh_by_state": lambda: list(records.refresh_gauges()),
    "refresh_by_time": _remove_old,
    "ContentMetadata.content_key": _read(ContentMetadata.objects.with_keys([_KEY, "Org8X+COURSE000008"])),
    "content_runs": _read(ContentMetadata.objects.filter(parent_content_key__in=[_KEY, "b"])),
    "content_search_key": _read(ContentMetadata.objects.with_similar_keys([_KEY])),
    "content_search_title": _read(ContentMetadata.objects.titled("Statistics 10")),
    "content_uuid": lambda: identified.read_plain(str(uuid.uuid4())),
    "EnterpriseCatalog.catalog_query": lambda: EnterpriseCatalog.objects.filter(catalog_query=1).exists(),
    "EnterpriseCatalog.enterprise_customer": _read(EnterpriseCatalog.objects.of_customers([_CUSTOMER])),
    "catalog_revision": lambda: reads.read_changed_customers("1"),
    "catalog_title": _read(EnterpriseCatalog.objects.order_by("title", "pk").values_list("pk")),
    "customer_catalog_lost": lambda: reads.read_changed_customers("1"),
    "customer_search_name": _read(EnterpriseCustomer.objects.named("customer 7")),
    "nested_content_by_key": _read(NestedContent.objects.filter(content_type="course", content_key=_KEY)),
    "nested_content_once": _read(NestedContent.objects.filter(container__in=[1, 2])),
    "NestedRun.content": _read(NestedRun.objects.filter(content__in=[1, 2])),
    "nested_run_once": _read(NestedRun.objects.filter(run_key__in=["run 7", "run 8"])),
    "refresh_change_by_key": _read(RefreshChange.objects.filter(content_key=_KEY).order_by("-refresh")),
    "refresh_change_by_refresh": _read(RefreshChange.objects.filter(refresh=1, kind="added").order_by("content_key")),
    "RestrictedCourse.content": lambda: RestrictedCourse.objects.filter(content=1).delete(),
    "restricted_course_once": _read(RestrictedCourse.objects.filter(catalog_query=1)),
    "RestrictedRun.content": lambda: RestrictedRun.objects.filter(content=1).delete(),
    "restricted_run_once": _read(RestrictedRun.objects.filter(catalog_query=1)),
}

_CHANNELS: Final[Mapping[str, Callable[[], object]]] = {
    "configuration_by_channel": _read(ChannelConfiguration.objects.not_deleted().filter(channel_code="CSOD")),
    "configuration_due": lambda: claims.claim_due(claims.Load(), now=_NOW - timedelta(minutes=69)),
    "configuration_queued": lambda: claims.read_load(_NOW),
    "ChannelConfiguration.enterprise_customer_uuid": _read(
        ChannelConfiguration.objects.not_deleted().filter(enterprise_customer_uuid=_CUSTOMER)
    ),
    "lease_by_expiry": lambda: claims.read_load(_NOW + timedelta(minutes=1_900)),
    "SlowSyncSlot.configuration": _read(SlowSyncSlot.objects.filter(configuration=1)),
    "status_by_rank": lambda: Overview(ConfigurationStatus.objects.all(), _NOW).page(
        Overview(ConfigurationStatus.objects.all(), _NOW).counts()
    ),
    "status_by_next_sync": lambda: Overview(ConfigurationStatus.objects.all(), _NOW).counts(),
    "transmission_once": _read(_items().with_keys([_KEY, "Org8X+COURSE000008"])),
    "transmission_by_key": _read(ContentMetadataItemTransmission.objects.with_keys([_KEY]).order_by("content_key")),
    "transmission_by_state": lambda: (_items().touched([]), _items().history(), status.count_items([_CONFIGURATION])),
    "transmission_by_attempt": _read(
        ContentMetadataItemTransmission.objects.filter(
            state__in=list(State), action__in=list(Action), last_attempt_at__gt=_LONG_AGO
        ).order_by("-state", "-action", "-last_attempt_at", "-id")
    ),
    "transmission_by_title": _read(ContentMetadataItemTransmission.objects.filter(content_title__istartswith="calcul")),
    "transmission_by_remote_id": _read(ContentMetadataItemTransmission.objects.filter(remote_id="7000048")),
    "transmission_by_problem": _read(ContentMetadataItemTransmission.objects.filter(problem__istartswith="the tit")),
    "TransmissionAttempt.transmission": _read(TransmissionAttempt.objects.filter(transmission=7).order_by("-pk"), 1),
    "TransmissionAttempt.started_at": _remove_old,
    "attempt_by_run": lambda: list(
        SyncRun.objects.filter(configuration=_CONFIGURATION)
        .latest("pk")
        .attempts.filter(outcome__in=["rejected", "retry"])
    ),
    "attempt_by_outcome": _read(
        TransmissionAttempt.objects.filter(outcome="rejected").order_by("-outcome", "-action", "-started_at", "-id")
    ),
    "run_by_configuration": _read(
        SyncRun.objects.filter(configuration=_CONFIGURATION).order_by("-started_at", "-pk"), 1
    ),
    "run_by_state_and_start": _read(SyncRun.objects.filter(state=RunState.STOPPED).order_by("-started_at", "-pk")),
    "run_by_start": _remove_old,
    "run_by_state": _read(SyncRun.objects.filter(configuration=_CONFIGURATION, state=RunState.RUNNING)),
    "daily_figure_by_day": lambda: last_days(_NOW.date()),
    "Decision.action": _read(Decision.objects.filter(action="adopt").order_by("-id")),
    "Decision.made_at": _read(Decision.objects.filter(made_at__gt=_NOW - timedelta(hours=1)).order_by("-made_at")),
    "Decision.made_by": _read(Decision.objects.filter(made_by="nobody").order_by("-id")),
    "decision_by_configuration": _read(Decision.objects.filter(configuration=_CONFIGURATION).order_by("-id")),
    "decision_item_once": lambda: list(Decision.objects.latest("pk").decided_items.all()),
    "DecisionItem.transmission": _read(DecisionItem.objects.filter(transmission=7).order_by("-id")),
    "feed_by_configuration": _read(FeedItem.objects.to_serve(ChannelConfiguration(pk=_CONFIGURATION))),
    "event_is_open_once": _read(Notification.objects.filter(configuration=_CONFIGURATION, is_open=True)),
    "event_by_next_step": _read(Notification.objects.filter(next_step_at__lte=_LONG_AGO).order_by("next_step_at")),
    "event_by_open": _read(Notification.objects.filter(is_open=True).order_by("kind", "opened_at")),
    "event_by_opening": _remove_old,
    "event_by_kind": _read(Notification.objects.filter(kind="held").order_by("-opened_at")),
    "Subscription.configuration": _read(Subscription.objects.filter(configuration__in=[7, 8])),
    "Subscription.enterprise_customer_uuid": _read(
        Subscription.objects.filter(enterprise_customer_uuid__in=[_CUSTOMER])
    ),
    "delivery_by_next_attempt": lambda: deliveries.due(_LONG_AGO),
    "delivery_by_subscription": _read(Delivery.objects.filter(subscription=7, state=DeliveryState.WAITING)),
    "delivery_by_creation": _remove_old,
    "DeliveryItem.delivery": _read(DeliveryItem.objects.filter(delivery=7)),
    "DeliveryItem.subscription": _read(DeliveryItem.objects.filter(subscription=7)),
    "delivered_once": _read(DeliveryItem.objects.filter(notification__in=[7, 8], is_recovery=False)),
    "Operation.created_at": _remove_old,
    "Operation.decision": _read(Operation.objects.filter(decision=7)),
    "operation_runs_once": _read(Operation.objects.filter(configuration=_CONFIGURATION)),
    "operation_by_state": _read(Operation.objects.filter(state="failed").order_by("-created_at")),
    "operation_by_kind": _read(Operation.objects.filter(kind="adopt").order_by("-created_at")),
    "operation_item_by_key": _read(OperationItem.objects.filter(operation=7).order_by("content_key")),
    "operation_item_by_kind": lambda: list(
        Operation.objects.latest("pk").found.filter(kind="create").order_by("content_key")[:100]
    ),
}

#: Index -> a function that runs its query.
SERVED: Final = {**_CATALOG, **_CHANNELS}
#: Unique indexes that serve no query. They keep a rule.
RULES: Final = {"CatalogRefresh.task_id", "Delivery.message_id", "daily_figure_once", "feed_key_once"}
