"""The page of a configuration: its state, counts, reasons and latest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.admin_pages.moments import moment_text
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.reporting.pages import counts
from enterprise_catalog.integrated_channels.reporting.pages.counts import Number, count_by_state, reason_groups
from tests.factories.channels import ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS, TRANSMISSIONS, shown, text_of

if TYPE_CHECKING:
    from django.test import Client

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

pytestmark = pytest.mark.django_db

TOO_LONG = "The title of “{}” has {} characters; the limit is 100."


@pytest.fixture
def configuration() -> ChannelConfiguration:
    """A configuration without items."""
    return ConfigurationFactory.create()


def page_of(client: Client, configuration: ChannelConfiguration) -> str:
    """Return the configuration's page."""
    return text_of(client.get(f"{CONFIGURATIONS}{configuration.pk}/change/"))


def test_items_are_counted_by_state_up_to_a_limit(
    configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "_FEW", 2)
    monkeypatch.setattr(counts, "MAX_ROWS", 4)
    TransmissionFactory.create_for_keys("abcdef", configuration=configuration, transmitted=True)
    TransmissionFactory.create_for_keys("ghi", configuration=configuration, held=True)
    TransmissionFactory.create_for_keys("j", configuration=configuration, kept=True)
    TransmissionFactory.create(held=True)

    numbers = count_by_state(configuration)

    assert numbers[State.TRANSMITTED] == Number(4, is_capped=True)
    assert numbers[State.HELD] == Number(3)
    assert (numbers[State.KEPT], numbers[State.PENDING]) == (Number(1), Number(0))


def test_equal_reasons_are_grouped_whatever_key_and_numbers_they_contain(configuration: ChannelConfiguration) -> None:
    for number, key in enumerate(("Org+A", "Org+B", "Org+C")):
        TransmissionFactory.create(
            content_key=key, configuration=configuration, rejected=True, reason=TOO_LONG.format(key, 100 + number)
        )
    TransmissionFactory.create(configuration=configuration, retrying=True, reason="Timeout.")

    first, second = reason_groups(configuration)

    assert (first.items, first.states, first.prefix) == (Number(3), (State.REJECTED,), "The title of “Org+")
    assert (second.items, second.reason) == (Number(1), "Timeout.")


def test_the_page_has_a_state_in_words_and_links_to_the_items_with_a_reason(
    admin_client: Client, configuration: ChannelConfiguration
) -> None:
    RunFactory.create(configuration=configuration)
    TransmissionFactory.create_for_keys("ab", configuration=configuration, rejected=True, reason="No title.")
    TransmissionFactory.create_for_keys("c", configuration=configuration, dead_letter=True, reason="Timeout.")
    TransmissionFactory.create_for_keys("d", configuration=configuration, held=True)

    page = page_of(admin_client, configuration)
    listed = shown(
        admin_client,
        TRANSMISSIONS,
        configuration__id__exact=configuration.pk,
        state__exact="rejected",
        problem="No title.",
    )

    assert "1 delete waits for approval. 2 items were rejected. 1 item is a dead letter." in page
    assert "2 items:</strong> No title." in page
    assert "state__exact=rejected&amp;problem=No+title." in page
    assert listed == ["a", "b"]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("columns", "run", "sentence"),
    [
        ({"active": False}, {}, "Inactive: nothing is sent until it is activated."),
        ({}, None, "Never synced yet."),
        ({}, {}, "Up to date."),
        ({}, {"state": "complete_except"}, "Up to date, with exceptions."),
        ({}, {"running": True}, "A sync is running."),
        ({}, {"stopped": True}, "The last run stopped: The LMS rejected the credentials."),
        ({}, {"backlog": 3}, "Behind: items are still to be sent, or to be fetched by the LMS."),
    ],
)
def test_the_state_is_in_words(
    admin_client: Client, columns: dict[str, object], run: dict[str, object] | None, sentence: str
) -> None:
    configuration = ConfigurationFactory.create(**columns)
    if run is not None:
        RunFactory.create(configuration=configuration, **run)

    assert sentence in page_of(admin_client, configuration)


def test_the_strip_names_each_run_with_its_state_and_numbers(
    admin_client: Client, configuration: ChannelConfiguration
) -> None:
    run = RunFactory.create(configuration=configuration, counts={"create": {"done": 1200, "rejected": 2}})

    page = page_of(admin_client, configuration)

    assert f'aria-label="Run {run.pk} on {moment_text(run.started_at)}: complete, 1,200 sent, 2 failed"' in page
