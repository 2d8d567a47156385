"""The client of the catalog service, against the real service over HTTP."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from edx_rest_api_client.client import TieredCache
from oauth2_provider.models import get_application_model

from enterprise_catalog.integrated_channels.catalog_api import client as catalog_client
from enterprise_catalog.integrated_channels.catalog_api.changes import read_moment
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient, Unreadable
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("sqlite"),
    pytest.mark.usefixtures("catalog_service"),
]


@pytest.fixture
def client() -> Iterator[CatalogClient]:
    with CatalogClient() as client:
        yield client


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


# --- catalogs and diffs ---------------------------------------------------------------------------------------------


def test_only_a_customers_catalogs_are_listed_in_order(client: CatalogClient) -> None:
    customer = CustomerFactory.create()
    ours = [CatalogFactory.create(customer=customer).pk for _ in range(3)]
    CatalogFactory.create(customer__slug="other")

    assert client.list_catalogs(customer.pk).uuids == sorted(ours)


def test_a_customer_that_does_not_exist_is_no_customer_without_catalogs(client: CatalogClient) -> None:
    with pytest.raises(CatalogUnavailableError) as raised:
        client.list_catalogs(uuid.uuid4())

    assert raised.value.status_code == 404


def test_a_diff_returns_existing_and_new_items(client: CatalogClient) -> None:
    catalog = CatalogFactory.create(content=["A", "B", "é 漢+/"])

    answer = client.fetch_diff(catalog.pk, ["A", "Z", "é 漢+/"])

    assert {key: read_moment(version, of="") for key, version in answer.existing.items()} == {
        "A": DAY_ONE,
        "é 漢+/": DAY_ONE,
    }
    assert answer.to_create == ["B"]


def test_a_diff_of_no_keys_is_the_whole_catalog(client: CatalogClient) -> None:
    catalog = CatalogFactory.create(courses=3)

    answer = client.fetch_diff(catalog.pk, [])

    assert answer.existing == {}
    assert answer.to_create == ["Northwind+C000000", "Northwind+C000001", "Northwind+C000002"]


@pytest.mark.parametrize("known", [0, 1, 2, 3, 4, 5])
def test_a_diff_in_several_parts_is_the_diff_of_all_keys(
    client: CatalogClient, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    catalog = CatalogFactory.create(content="ABCDE")
    keys = [*"ABCDE"[:known], "X", "Y", "Z"]
    whole = client.fetch_diff(catalog.pk, keys)
    monkeypatch.setattr(catalog_client, "MAX_DIFF_KEYS", 2)

    assert client.fetch_diff(catalog.pk, keys) == whole


def test_a_catalog_that_does_not_exist_is_no_empty_catalog(client: CatalogClient) -> None:
    with pytest.raises(CatalogUnavailableError, match="returned 404 for POST") as raised:
        client.fetch_diff(uuid.uuid4(), ["A"])

    assert raised.value.status_code == 404


# --- metadata -------------------------------------------------------------------------------------------------------


def test_metadata_is_read_into_content_items(client: CatalogClient) -> None:
    catalog = CatalogFactory.create(
        content=[
            CourseFactory.build(key="A", title="Data", image_url=None, marketing_url="https://m.example.org", extra=[1])
        ]
    )

    answer = client.fetch_metadata(catalog.pk, ["A"])

    assert answer.items == {
        "A": an_item(
            "A",
            title="Data",
            short_description="Short.",
            full_description="<p>Long.</p>",
            enrollment_url="https://learn.example.org/acme/course/A?utm_medium=enterprise&utm_source=acme",
            marketing_url="https://m.example.org",
            image_url="",
            course_type="",
        )
    }
    assert (answer.unreadable, answer.missing) == ({}, {})


def test_documents_are_not_compressed_because_that_takes_longer(
    client: CatalogClient,
) -> None:
    catalog = CatalogFactory.create(courses=10)
    encodings: list[str | None] = []
    client._connection._session.hooks["response"].append(
        lambda answer, **_: encodings.append(answer.headers.get("Content-Encoding"))
    )

    client.fetch_metadata(catalog.pk, CourseFactory.keys(10))

    assert encodings == [None]


def test_each_key_is_in_exactly_one_of_three(client: CatalogClient) -> None:
    catalog = CatalogFactory.create(content=["A", CourseFactory.build(key="B", title=5)])

    answer = client.fetch_metadata(catalog.pk, ["A", "B", "C"])

    assert list(answer.items) == ["A"]
    reason = "The content document is invalid: title: Input should be a valid string"
    assert answer.unreadable == {"B": Unreadable(reason, DAY_ONE)}
    assert answer.missing == {"C": "not_in_catalog"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-05T09:30:00Z", "2026-01-05T09:30:00+00:00"),
        ("2026-01-05T09:30:00.5+02:00", "2026-01-05T09:30:00.500000+02:00"),
        ("2026-01-05T09:30:00", "2026-01-05T09:30:00+00:00"),
        ("2026-01-05", "2026-01-05T00:00:00+00:00"),
    ],
)
def test_times_of_runs_always_have_a_zone(client: CatalogClient, written: str, read: str) -> None:
    catalog = CatalogFactory.create(
        content=[CourseFactory.build(key="R", content_type="courserun", start=written, end=None)]
    )

    item = client.fetch_metadata(catalog.pk, ["R"]).items["R"]

    assert item.start is not None
    assert (item.start.isoformat(), item.end) == (read, None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, ()),
        ([], ()),
        (["North: North Institute", "Plain", "Key: ", ": Name"], ("North Institute", "Plain", "Key: ", "Name")),
    ],
)
def test_organizations_are_names(client: CatalogClient, written: object, read: tuple[str, ...]) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="A", organizations=written)])

    assert client.fetch_metadata(catalog.pk, ["A"]).items["A"].organizations == read


def test_a_document_nested_too_deeply_for_pydantic_does_not_affect_other_items(client: CatalogClient) -> None:
    catalog = CatalogFactory.create(content=["A", CourseFactory.build(key="B", syllabus=nested(240))])

    assert list(client.fetch_metadata(catalog.pk, ["A", "B"]).items) == ["A", "B"]


def test_metadata_of_a_catalog_that_does_not_exist_is_not_missing_content(client: CatalogClient) -> None:
    with pytest.raises(CatalogUnavailableError):
        client.fetch_metadata(uuid.uuid4(), ["A"])


# --- access ---------------------------------------------------------------------------------------------------------


def test_a_wrong_client_secret_is_reported_without_the_secret(settings: Settings) -> None:
    TieredCache.dangerous_clear_all_tiers()  # An earlier test has cached a valid token.
    settings.OAUTH2_CLIENT_SECRET = "not-the-right-secret"

    with (
        CatalogClient() as client,
        pytest.raises(CatalogUnavailableError, match="It rejected the client's credentials") as raised,
    ):
        client.fetch_diff(uuid.uuid4(), [])

    assert "not-the-right-secret" not in raised.value.message


def test_a_client_without_a_role_is_refused_and_sees_no_empty_catalog(settings: Settings) -> None:
    catalog = CatalogFactory.create(content=["A"])
    application = get_application_model()
    application.objects.create(
        client_id="unknown",
        client_secret="unknown-secret",
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_CLIENT_CREDENTIALS,
        user=get_user_model().objects.create(username="unknown"),
    )
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = "unknown", "unknown-secret"

    with CatalogClient() as client, pytest.raises(CatalogUnavailableError) as raised:
        client.fetch_diff(catalog.pk, ["A"])

    assert raised.value.status_code == 403
