"""The task that the scheduler calls every minute: it finds events and queues the messages that are due."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django_celery_beat.models import PeriodicTask

from enterprise_catalog.integrated_channels.models import Delivery, Notification
from enterprise_catalog.integrated_channels.tasks import notify, send_message
from tests.factories.channels import ConfigurationFactory, NotificationFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


def test_the_schedule_contains_the_task_once_a_minute() -> None:
    task = PeriodicTask.objects.get(task=notify.name)

    assert (task.enabled, str(task.interval)) == (True, "every minute")


def test_no_sync_delays_a_notification() -> None:
    queues = {name: settings.CELERY_TASK_ROUTES[name]["queue"] for name in (notify.name, send_message.name)}

    assert queues == {"notify": "scheduler", "send_message": "interactive"}


def test_a_call_queues_each_message_that_is_due_and_a_lost_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(send_message, "delay", calls.append)
    NotificationFactory.create()
    SubscriptionFactory.create()

    assert [notify(), notify()] == [1, 1]

    assert calls == [Delivery.objects.get().pk] * 2


def test_a_call_finds_late_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_message, "delay", lambda _: None)
    ConfigurationFactory.create(next_sync_at="2020-01-01T00:00:00Z")

    notify()

    assert [event.kind for event in Notification.objects.all()] == ["late"]
