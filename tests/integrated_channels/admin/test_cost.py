"""The cost of the audit lists does not grow with the size of their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.admin_pages import pages
from enterprise_catalog.admin_pages.lists import paginator
from enterprise_catalog.db.time_limit import TimeLimitError
from tests.admin_pages.crawler import all_models, base_of
from tests.admin_pages.rows import a_row_of_everything
from tests.factories.channels import AttemptFactory, ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.pages import ATTEMPTS, CONFIGURATIONS, RUNS, TRANSMISSIONS, statements, text_of

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

LISTS = [TRANSMISSIONS, ATTEMPTS, RUNS, CONFIGURATIONS]
MAX_STATEMENTS = 30
MAX_BYTES = 120 * 1024


def channel_models() -> list[type[Model]]:
    """Return the channels' models that have pages in the admin."""
    return [model for model in all_models() if model._meta.app_label == "integrated_channels"]


@pytest.mark.parametrize("address", LISTS)
def test_a_list_takes_as_many_statements_for_300_rows_as_for_3(admin_client: Client, address: str) -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["a", "b", "c"], configuration=configuration, rejected=True)
    few = statements(admin_client, address)

    TransmissionFactory.create_for_keys([f"k{number}" for number in range(297)], rejected=True)
    for _ in range(60):
        RunFactory.create(configuration=configuration)
        ConfigurationFactory.create()

    assert len(statements(admin_client, address)) == len(few)


@pytest.mark.parametrize("address", LISTS)
def test_a_list_counts_no_more_than_its_limit(admin_client: Client, address: str) -> None:
    TransmissionFactory.create_for_keys(["a", "b", "c"], rejected=True)

    counts = [sql for sql in statements(admin_client, address) if "COUNT(" in sql]

    assert counts
    assert all(f"LIMIT {paginator.MAX_ROWS + 1}" in sql for sql in counts)


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_a_list_reads_one_page_of_its_table_without_joining_others(admin_client: Client, address: str) -> None:
    TransmissionFactory.create_for_keys(["a", "b", "c"], rejected=True)

    table = {TRANSMISSIONS: "itemtransmission", ATTEMPTS: "transmissionattempt", RUNS: "syncrun"}[address]
    [rows] = [
        sql for sql in statements(admin_client, address) if table in sql and "ORDER BY" in sql and "COUNT(" not in sql
    ]

    assert "JOIN" not in rows


def test_a_list_that_is_too_long_to_count_has_a_note_and_no_further_pages(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "MAX_ROWS", 60)
    TransmissionFactory.create_for_keys([f"k{number:03}" for number in range(70)], rejected=True)

    page = text_of(admin_client.get(TRANSMISSIONS))
    beyond = admin_client.get(TRANSMISSIONS, {"p": 4})

    assert "more than 60" in page
    assert beyond.status_code == 302


def test_a_list_whose_query_times_out_is_empty_and_shows_the_reason(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(_: int) -> None:
        raise TimeLimitError

    monkeypatch.setattr(pages, "time_limit", too_slow)
    TransmissionFactory.create(content_key="Org+A", rejected=True)

    page = text_of(admin_client.get(TRANSMISSIONS))

    assert "The search was stopped after 10 seconds." in page
    assert "Org+A" not in page


@pytest.mark.parametrize("model", channel_models(), ids=lambda model: model.__name__)
def test_the_page_of_a_row_takes_fewer_than_30_statements_and_at_most_120_kb(
    admin_client: Client, model: type[Model], settings: Settings
) -> None:
    a_row_of_everything()
    settings.CATALOG_API_URL = settings.OAUTH2_PROVIDER_URL = "http://127.0.0.1:1"
    row = TransmissionFactory.create(rejected=True)
    AttemptFactory.create_batch(40, transmission=row)
    address = f"{base_of(model)}{model._default_manager.order_by('-pk').values_list('pk', flat=True)[0]}/change/"

    assert len(statements(admin_client, address)) < MAX_STATEMENTS
    assert len(text_of(admin_client.get(address)).encode()) <= MAX_BYTES
