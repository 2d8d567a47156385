"""One search term is recognized as a customer, key, title, id or reason, and an index answers it."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.reporting.search import Kind, Search, recognize
from tests.factories.channels import ConfigurationFactory, TransmissionFactory
from tests.plans import plan_of

pytestmark = pytest.mark.django_db

CUSTOMER = UUID(int=11)


@pytest.fixture(autouse=True)
def _items() -> None:
    configuration = ConfigurationFactory.create(enterprise_customer_uuid=CUSTOMER)
    TransmissionFactory.create(
        configuration=configuration, content_key="Org+A", content_title="Économie", rejected=True
    )
    TransmissionFactory.create(content_key="Org+B", content_title="Intro to 100% _Fun_", transmitted=True)


def found(term: str) -> list[str]:
    search = recognize(term)
    assert search is not None
    return [row.content_key for row in search.rows(ContentMetadataItemTransmission.objects.all())]


@pytest.mark.parametrize(
    ("term", "kind", "keys"),
    [
        (str(CUSTOMER), Kind.CUSTOMER, ["Org+A"]),
        (str(CUSTOMER).upper(), Kind.CUSTOMER, ["Org+A"]),
        ("Org+", Kind.KEY, ["Org+A", "Org+B"]),
        ("intro TO 100% _f", Kind.TITLE, ["Org+B"]),
        (" Écono", Kind.TITLE, ["Org+A"]),
        ("42", Kind.REMOTE_ID, ["Org+B"]),
        ("invalid PARAMETER", Kind.REASON, ["Org+A"]),
        ("title: intro", Kind.TITLE, ["Org+B"]),
        ("Title:intro", Kind.TITLE, ["Org+B"]),
        ("customer: No such name", Kind.CUSTOMER, []),
        ("remote: 4", Kind.REMOTE_ID, []),
        ("title:", Kind.KEY, []),
        ("ntro", Kind.KEY, []),
        ("in%", Kind.KEY, []),
        (str(UUID(int=12)), Kind.KEY, []),
    ],
)
def test_a_term_is_recognized(term: str, kind: Kind, keys: list[str]) -> None:
    search = recognize(term)

    assert search is not None
    assert search.kind is kind
    assert found(term) == keys


def test_an_empty_term_is_no_search() -> None:
    assert recognize("  ") is None


def test_the_reason_of_an_item_that_needs_no_attention_is_not_searched() -> None:
    TransmissionFactory.create(content_key="kept", kept=True)

    assert found("reason: left the catalogs") == []


@pytest.mark.parametrize(
    ("kind", "index"),
    [
        (Kind.CUSTOMER, "transmission_once"),
        (Kind.KEY, "transmission_by_key"),
        (Kind.TITLE, "transmission_by_title"),
        (Kind.REMOTE_ID, "transmission_by_remote_id"),
        (Kind.REASON, "transmission_by_problem"),
    ],
)
def test_an_index_answers_each_kind(kind: Kind, index: str) -> None:
    TransmissionFactory.create_for_keys([f"key{number}" for number in range(300)], transmitted=True)
    search = Search(kind, str(CUSTOMER) if kind is Kind.CUSTOMER else "x")

    plan = plan_of(
        lambda: list(search.rows(ContentMetadataItemTransmission.objects.all())[:50]),
        of=ContentMetadataItemTransmission,
    )

    # SQLite names the index of a constraint by number.
    assert (index if connection.vendor == "mysql" or kind is not Kind.CUSTOMER else "INDEX sqlite_autoindex") in plan
