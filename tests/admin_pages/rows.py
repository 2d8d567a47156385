"""Sample data: at least one row in every table that the admin shows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.models import (
    CatalogRole,
    CatalogRoleAssignment,
    ChangeKind,
    RefreshChange,
    RefreshTrigger,
)
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import DecisionAction, Medium, OperationItem
from enterprise_catalog.integrated_channels.reporting.notifications import outbox
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, allow_restricted, run_document
from tests.factories.channels import (
    ConfigurationFactory,
    NotificationFactory,
    OperationFactory,
    SubscriptionFactory,
    TransmissionFactory,
)

if TYPE_CHECKING:
    from typing import Any

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration


def a_row_of_everything() -> None:
    """Save at least one row of each table."""
    user = get_user_model().objects.create_user("reader", email="reader@example.org")
    Group.objects.create(name="support").user_set.add(user)
    catalog = CatalogFactory.create(content=["Org+A"])
    _refresh(catalog)
    allow_restricted(catalog, [run_document("course-v1:Org+A+1", "Org+A")], [CourseFactory.build(key="Org+A")])
    role, _ = CatalogRole.objects.get_or_create(name="enterprise_admin")
    CatalogRoleAssignment.objects.create(user=user, role=role, applies_to_all_contexts=True)
    TransmissionFactory.create_for_keys(["Org+A", "Org+B"], rejected=True)
    held = TransmissionFactory.create(
        content_key="Org+held",
        configuration=ConfigurationFactory.create(channel_code="CANVAS", display_name="Canvas"),
        held=True,
    )
    decided = decisions.DecidedItem(held.configuration_id, held.pk, held.content_key)
    decisions.record_items([decided], DecisionAction.KEEP_ITEMS, by="reader", now=DAY_ONE)
    _operations(held.configuration)
    _notifications(held.configuration)
    AccessAttempt.objects.create(username="reader", ip_address="192.0.2.1", failures_since_start=2)
    _schedules()
    _tokens(user)


def _refresh(catalog: EnterpriseCatalog) -> None:
    assert catalog.catalog_query
    refresh = records.create(catalog.catalog_query, trigger=RefreshTrigger.ADMIN, by="reader", now=DAY_ONE)
    RefreshChange.objects.create(refresh=refresh, content_key="Org+A", kind=ChangeKind.ADDED)


def _operations(configuration: ChannelConfiguration) -> None:
    operation = OperationFactory.create(configuration=configuration, done=1, total=1, counts={"held": 1})
    OperationItem.objects.create(operation=operation, content_key="Org+held", kind="held")


def _notifications(configuration: ChannelConfiguration) -> None:
    NotificationFactory.create(configuration=configuration)
    SubscriptionFactory.create(medium=Medium.WEBHOOK, url="https://hooks.example.org/T0000")
    outbox.announce(now=DAY_ONE)


def _schedules() -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=7, period=IntervalSchedule.MINUTES)
    PeriodicTask.objects.create(name="look", task="integrated_channels.sync_due", interval=every)
    crontab = CrontabSchedule.objects.create(hour="3")
    PeriodicTask.objects.create(name="nightly", task="no.such.task", crontab=crontab, enabled=False)
    ClockedSchedule.objects.create(clocked_time=DAY_ONE)
    SolarSchedule.objects.create(event="sunset", latitude=0, longitude=0)


def _tokens(user: Any) -> None:
    application = Application.objects.create(
        name="reporting", user=user, client_type="confidential", authorization_grant_type="client-credentials"
    )
    shared = {"user": user, "application": application}
    expires = DAY_ONE + timedelta(days=9_000)
    access = AccessToken.objects.create(token="an-access-token-of-the-tests", expires=expires, **shared)
    RefreshToken.objects.create(token="a-refresh-token-of-the-tests", access_token=access, **shared)
    Grant.objects.create(code="a-code-of-the-tests", expires=expires, redirect_uri="https://example.org", **shared)
    IDToken.objects.create(expires=expires, **shared)
