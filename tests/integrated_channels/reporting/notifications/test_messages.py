"""Events in words: plural forms, recoveries, and names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.models import EventKind, Resolution
from enterprise_catalog.integrated_channels.reporting.notifications.messages import name_of, text_of_event
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, NotificationFactory

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

NOW = DAY_ONE + timedelta(minutes=61)


def title(kind: EventKind, **columns: object) -> str:
    """Return the title of an event of the configuration “Acme”."""
    configuration = ConfigurationFactory.create(display_name="Acme")
    event = NotificationFactory.create(configuration=configuration, kind=kind, **columns)
    return text_of_event(event, now=NOW).title.replace(name_of(configuration), "Acme")


@pytest.mark.parametrize(
    ("kind", "items", "text"),
    [
        (EventKind.STOPPED, 0, "Acme has stopped: nothing is sent to its LMS."),
        (EventKind.UNREACHABLE, 0, "All calls of Acme have failed for 61 minutes."),
        (EventKind.HELD, 1, "1 delete of Acme waits for approval."),
        (EventKind.HELD, 1_234, "1,234 deletes of Acme wait for approval."),
        (EventKind.LATE, 0, "Acme is late: a change has not reached the LMS within 240 minutes."),
    ],
)
def test_the_beginning_of_each_event_is_a_sentence(kind: EventKind, items: int, text: str) -> None:
    assert title(kind, items=items) == text


def test_a_late_configuration_is_measured_by_its_own_goal() -> None:
    configuration = ConfigurationFactory.create(display_name="Acme", freshness_goal_minutes=1_440)
    event = NotificationFactory.create(kind=EventKind.LATE, configuration=configuration)

    assert text_of_event(event, now=NOW).title.endswith("has not reached the LMS within 1,440 minutes.")


def test_singular_forms_are_right(settings: Settings) -> None:
    settings.FRESHNESS_GOAL_MINUTES = 1

    assert title(EventKind.LATE) == "Acme is late: a change has not reached the LMS within 1 minute."
    assert title(EventKind.UNREACHABLE, opened_at=NOW - timedelta(minutes=1)).endswith("failed for 1 minute.")


@pytest.mark.parametrize("kind", EventKind)
def test_the_end_of_each_event_is_a_sentence_without_a_remedy(kind: EventKind) -> None:
    event = NotificationFactory.create(kind=kind, resolved_at=NOW, resolution=Resolution.RECOVERED)

    text = text_of_event(event, now=NOW)

    assert text.what_to_do == ""
    assert text.title.endswith(".")
    assert any(words in text.title for words in ("syncs again", "no longer wait", "on time again"))


def test_a_name_contains_the_channel_and_the_customer() -> None:
    configuration = ConfigurationFactory.create(display_name="Northwind  prod")
    configuration.status.customer_name = "Northwind"

    assert name_of(configuration) == "Northwind prod (Moodle of Northwind)"
