"""``logs/content_sync_status/…`` and ``logs/learner_sync_status/…``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.api.open_edx.sync_status import STATUSES
from enterprise_catalog.integrated_channels.domain import State
from tests.factories import DAY_ONE
from tests.factories.channels import REJECTION, ConfigurationFactory, TransmissionFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

pytestmark = pytest.mark.django_db

ACME: Final = UUID(int=7)
PREFIXES: Final = ("/integrated_channels/api/v1/", "/channel_integrations/api/v1/")


@pytest.fixture
def admin(admin_of: Callable[[UUID], APIClient]) -> APIClient:
    return admin_of(ACME)


@pytest.fixture
def configuration() -> ChannelConfiguration:
    """A configuration with one item that the LMS has, one that waits and one that was rejected."""
    made = ConfigurationFactory.create()
    for key, state in (("edX+DemoX", "transmitted"), ("edX+New", "pending"), ("edX+Gone", "rejected")):
        TransmissionFactory.create_for_keys(
            [key], configuration=made, content_title=key.removeprefix("edX+"), **{state: True}
        )
    return made


def place_of(configuration: ChannelConfiguration, kind: str = "content", prefix: str = PREFIXES[1]) -> str:
    customer, code = configuration.enterprise_customer_uuid, configuration.channel_code
    return f"{prefix}logs/{kind}_sync_status/{customer}/{code}/{configuration.pk}"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_errors_come_first_then_items_that_are_okay(
    admin: APIClient, configuration: ChannelConfiguration, prefix: str, slash: str
) -> None:
    found = admin.get(place_of(configuration, prefix=prefix) + slash).json()

    at = f"{DAY_ONE:%Y-%m-%dT%H:%M:%S.%f}Z"
    assert found == {
        "pages_count": 1,
        "count": 3,
        "next": None,
        "previous": None,
        "results": [
            _status("Gone", "error", at, REJECTION),
            _status("DemoX", "okay", at, None),
            _status("New", "pending", None, None),
        ],
    }


def _status(name: str, status: str, at: str | None, message: str | None) -> dict[str, Any]:
    return {
        "content_title": name,
        "content_id": f"edX+{name}",
        "sync_status": status,
        "sync_last_attempted_at": at,
        "friendly_status_message": message,
    }


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"sort_by": "content_title"}, ["DemoX", "Gone", "New"]),
        ({"sort_by": "-content_id"}, ["New", "Gone", "DemoX"]),
        ({"sort_by": "-sync_status"}, ["New", "DemoX", "Gone"]),
        ({"content_title": "emo"}, ["DemoX"]),
        ({"content_id": "X+G"}, ["Gone"]),
        ({"sync_status": "okay"}, ["DemoX"]),
        ({"sync_status": "n", "page_size": "5"}, ["New"]),
        ({"friendly_status_message": "parameter"}, ["Gone"]),
        ({"content_title": "emo", "sync_status": "error"}, []),
        ({"page_size": "1", "page": "2"}, ["DemoX"]),
    ],
)
def test_items_are_sorted_filtered_and_paged(
    admin: APIClient, configuration: ChannelConfiguration, query: dict[str, str], titles: list[str]
) -> None:
    found = admin.get(place_of(configuration), query).json()["results"]

    assert [row["content_title"] for row in found] == titles


def test_pages_are_linked(admin: APIClient, configuration: ChannelConfiguration) -> None:
    first = admin.get(place_of(configuration), {"page_size": 2}).json()
    second = admin.get(first["next"]).json()

    assert (first["pages_count"], first["count"], first["previous"]) == (2, 3, None)
    assert (len(second["results"]), second["next"]) == (1, None)
    assert admin.get(second["previous"]).json() == first


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "query", [{"sort_by": "state"}, {"sort_by": "--content_id"}, {"page": "0"}, {"page_size": "10001"}]
)
def test_a_wrong_parameter_is_refused(
    admin: APIClient, configuration: ChannelConfiguration, query: dict[str, str]
) -> None:
    response = admin.get(place_of(configuration), query)

    assert (response.status_code, [*response.json()]) == (400, [*query, "code"])


def test_a_page_that_does_not_exist_is_not_found(admin: APIClient, configuration: ChannelConfiguration) -> None:
    assert admin.get(place_of(configuration), {"page": 2}).status_code == 404


@pytest.mark.parametrize("kind", ["content", "learner"])
def test_an_unknown_channel_code_is_refused(admin: APIClient, configuration: ChannelConfiguration, kind: str) -> None:
    configuration.channel_code = "NO_LMS"

    response = admin.get(place_of(configuration, kind))

    assert (response.status_code, [*response.json()]) == (400, ["channel_code", "code"])


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("kind", ["content", "learner"])
@pytest.mark.parametrize("change", [{"pk": 999}, {"channel_code": "CANVAS"}, {"enterprise_customer_uuid": UUID(int=8)}])
def test_a_configuration_that_does_not_match_is_refused(
    admin: APIClient, configuration: ChannelConfiguration, kind: str, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(configuration, name, value)

    assert admin.get(place_of(configuration, kind)).status_code == 403


def test_another_customers_items_are_not_shown(
    admin_of: Callable[[UUID], APIClient], configuration: ChannelConfiguration
) -> None:
    assert admin_of(UUID(int=8)).get(place_of(configuration)).status_code == 403


def test_the_page_of_learner_data_is_empty(admin: APIClient, configuration: ChannelConfiguration) -> None:
    found = admin.get(place_of(configuration, "learner")).json()

    assert found == {"pages_count": 1, "count": 0, "next": None, "previous": None, "results": []}


def test_each_state_has_one_status() -> None:
    assert sorted(state for states in STATUSES.values() for state in states) == sorted(State)


def test_a_page_takes_four_statements(
    admin: APIClient, configuration: ChannelConfiguration, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    admin.get(place_of(configuration))  # Creates the caller's user.

    with django_assert_num_queries(4):  # The user, the configuration, the count, and the page.
        admin.get(place_of(configuration))
