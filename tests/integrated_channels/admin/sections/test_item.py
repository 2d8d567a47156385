"""The page of an item: payloads with their difference, and the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, TransmissionPayload
from enterprise_catalog.integrated_channels.models.payloads import pack
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.factories.channels import AttemptFactory, TransmissionFactory
from tests.integrated_channels.pages import TRANSMISSIONS, text_of
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(client: Client, row: ContentMetadataItemTransmission, **parameters: str) -> str:
    """Return the item's page."""
    return text_of(client.get(f"{TRANSMISSIONS}{row.pk}/change/", parameters))


def store(row: ContentMetadataItemTransmission, accepted: dict[str, object] | None, sent: dict[str, object]) -> None:
    """Store payloads of ``row``."""
    before = {"accepted": pack(accepted), "accepted_at": DAY_ONE} if accepted else {}
    TransmissionPayload.objects.create(transmission=row, sent=pack(sent), sent_hash="6" * 64, sent_at=DAY_ONE, **before)


def test_the_payload_last_sent_stands_next_to_the_last_accepted_one(admin_client: Client) -> None:
    row = TransmissionFactory.create(rejected=True)
    store(row, {"title": "Old title", "gone": 1, "same": 2}, {"title": "New title", "same": 2, "added": 3})

    page = page_of(admin_client, row)

    assert page.index("Last accepted by the LMS") < page.index("Last sent, not accepted")
    assert "3 fields differ." in page
    assert "<del>Old</del><ins>New</ins> title" in page
    assert all(words in page for words in ("~ changed", " removed</span>", "+ added", "1 equal field"))


def test_an_item_without_a_stored_payload_says_so(admin_client: Client) -> None:
    assert "No payload is stored" in page_of(admin_client, TransmissionFactory.create(pending=True))


def test_the_page_compares_with_what_would_be_sent_now_on_request(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, clock: Clock, admin_client: Client
) -> None:
    catalog = CatalogFactory.create(customer=customer)
    import_into(catalog, [CourseFactory.build(key="A", title="First title")], now=clock.now)
    run_of(configuration, clock)
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="A", title="Second title")], now=clock.now)

    plain, compared = page_of(admin_client, row_of("A")), page_of(admin_client, row_of("A"), payload="now")

    assert "Would be sent now" not in plain
    assert "Compare with what would be sent now" in plain
    assert "Last sent, and accepted" in compared
    assert "<del>First</del><ins>Second</ins> title" in compared


def test_an_unreachable_catalog_is_named_as_the_reason(admin_client: Client, settings: Settings) -> None:
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:1"
    row = TransmissionFactory.create(transmitted=True, catalog_uuid="22222222-2222-4222-8222-222222222222")
    store(row, None, {"title": "A"})

    page = page_of(admin_client, row, payload="now")

    assert "It is unknown what would be sent now. The content could not be fetched." in page
    assert "Ask the catalog again" in page


def test_the_timeline_has_attempts_and_decisions_newest_first(admin_client: Client) -> None:
    row = TransmissionFactory.create(rejected=True)
    transmissions = ContentMetadataItemTransmission.objects.filter(pk=row.pk)
    decisions.queue_again(transmissions, by="support", now=DAY_ONE.replace(hour=13), reason="They fixed it.")
    AttemptFactory.create(transmission=row, outcome="done", message="", started_at=DAY_ONE.replace(hour=14))

    page = page_of(admin_client, row)

    sentences = (
        "Created in the LMS.",
        "support queued it to be sent again.",
        "They fixed it.",
        "Could not be created: rejected.",
    )
    positions = [page.index(sentence, page.index('id="timeline"')) for sentence in sentences]
    assert positions == sorted(positions)


def test_the_timeline_is_cut_after_30_entries(admin_client: Client) -> None:
    row = TransmissionFactory.create(rejected=True)
    AttemptFactory.create_batch(31, transmission=row)

    page = page_of(admin_client, row)

    assert page.count("Could not be created: rejected.") == 30
    assert "Older entries are left out." in page
