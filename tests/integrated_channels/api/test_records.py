"""``runs/``, ``transmissions/`` and ``attempts/``: fields, filters and pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.factories import DAY_ONE
from tests.factories.channels import REJECTION, ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.api.endpoints import ATTEMPTS, RUNS, TRANSMISSIONS

if TYPE_CHECKING:
    from typing import Any

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

NOON = f"{DAY_ONE:%Y-%m-%dT%H:%M:%S.%f}Z"


def all_pages(client: APIClient, place: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of all pages."""
    page = client.get(place, query).json()
    rows: list[dict[str, Any]] = page["results"]
    while page["next"]:
        page = client.get(page["next"]).json()
        rows += page["results"]
    return rows


def test_a_run_has_its_counts_and_its_reason(operator: APIClient) -> None:
    run = RunFactory.create(stopped=True, counts={"create": {"done": 3}}, backlog=2)

    found = operator.get(f"{RUNS}{run.pk}/").json()

    assert found == operator.get(RUNS, {"configuration": run.configuration_id}).json()["results"][0]
    assert found == found | {
        "id": run.pk,
        "configuration": run.configuration_id,
        "state": "stopped",
        "reason": "The LMS rejected the credentials.",
        "started_at": NOON,
        "counts": {"create": {"done": 3}},
        "backlog": 2,
    }


def test_runs_are_listed_newest_first_and_in_full(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    starts = [DAY_ONE + timedelta(hours=hour) for hour in (2, 0, 1, 1, 1)]  # Several runs may start at one time.
    runs = [RunFactory.create(configuration=configuration, started_at=start) for start in starts]

    found = all_pages(operator, RUNS, {"configuration": configuration.pk, "page_size": 2})

    expected = sorted(runs, key=lambda run: (run.started_at, run.pk), reverse=True)
    assert [row["id"] for row in found] == [run.pk for run in expected]


def test_runs_are_filtered_by_state(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    RunFactory.create(configuration=configuration)
    RunFactory.create(configuration=configuration, stopped=True)

    found = operator.get(RUNS, {"configuration": str(configuration.pk), "state": "stopped"}).json()["results"]

    assert [row["state"] for row in found] == ["stopped"]


def test_a_transmission_says_why_it_failed_and_when_it_is_retried(operator: APIClient) -> None:
    row = TransmissionFactory.create(rejected=True, content_key="edX+DemoX", content_title="Demo")

    found = operator.get(f"{TRANSMISSIONS}{row.pk}/").json()

    assert found == operator.get(TRANSMISSIONS, {"content_key": "edX+DemoX"}).json()["results"][0]
    assert found == found | {
        "configuration": row.configuration_id,
        "content_key": "edX+DemoX",
        "content_title": "Demo",
        "state": "rejected",
        "action": "create",
        "reason": REJECTION,
        "presence": "absent",
        "attempts": 1,
        "last_attempt_at": NOON,
        "deleted_at": None,
    }
    assert found["next_attempt_at"] > NOON


def test_the_items_of_a_configuration_are_listed_by_key_and_in_full(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    keys = ["edX+B", "edX+a", "edX+ü", "edX+A", "+"]
    TransmissionFactory.create_for_keys(keys, configuration=configuration)
    TransmissionFactory.create(content_key="edX+B")

    found = all_pages(operator, TRANSMISSIONS, {"configuration": configuration.pk, "page_size": 2})

    assert [row["content_key"] for row in found] == sorted(keys)


def test_the_configurations_of_an_item_are_listed_in_full(operator: APIClient) -> None:
    rows = [TransmissionFactory.create(content_key="edX+A") for _ in range(3)]
    TransmissionFactory.create(content_key="edX+a")

    found = all_pages(operator, TRANSMISSIONS, {"content_key": "edX+A", "page_size": 1})

    assert [row["id"] for row in found] == [row.pk for row in rows]


def test_items_are_filtered_by_state(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys(["edX+A"], configuration=configuration, held=True)
    TransmissionFactory.create_for_keys(["edX+B"], configuration=configuration)

    found = operator.get(TRANSMISSIONS, {"configuration": str(configuration.pk), "state": "held"}).json()["results"]

    assert [row["content_key"] for row in found] == ["edX+A"]


def test_the_attempts_of_an_item_or_a_run_are_listed(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create()
    first, second = TransmissionFactory.create_for_keys(["edX+A", "edX+B"], configuration=configuration, rejected=True)
    run = configuration.runs.get()

    of_run = all_pages(operator, ATTEMPTS, {"run": run.pk, "page_size": 1})
    [of_item] = all_pages(operator, ATTEMPTS, {"transmission": first.pk, "outcome": "rejected"})

    assert [row["transmission"] for row in of_run] == [second.pk, first.pk]
    assert of_item == of_item | {"run": run.pk, "action": "create", "message": REJECTION, "started_at": NOON}
    assert all_pages(operator, ATTEMPTS, {"run": run.pk, "outcome": "done"}) == []


@pytest.mark.parametrize(
    ("place", "query", "field"),
    [
        (TRANSMISSIONS, {}, "configuration"),
        (TRANSMISSIONS, {"state": "held"}, "configuration"),
        (TRANSMISSIONS, {"configuration": "x"}, "configuration"),
        (TRANSMISSIONS, {"content_key": "k" * 256}, "content_key"),
        (TRANSMISSIONS, {"content_key": "edX+A", "state": "gone"}, "state"),
        (TRANSMISSIONS, {"content_key": "edX+A", "cursor": "WyJ4Il0"}, "cursor"),
        (ATTEMPTS, {}, "transmission"),
        (ATTEMPTS, {"run": 1, "transmission": 1}, "transmission"),
        (RUNS, {"state": "x"}, "state"),
        (RUNS, {"cursor": "WzFd"}, "cursor"),
        (RUNS, {"page_size": 0}, "page_size"),
    ],
)
def test_a_wrong_parameter_is_named(operator: APIClient, place: str, query: dict[str, Any], field: str) -> None:
    response = operator.get(place, query)

    assert (response.status_code, [*response.json()]) == (400, [field, "code"])


def test_each_list_takes_few_statements(operator: APIClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    configuration = ConfigurationFactory.create()
    rows = TransmissionFactory.create_for_keys([f"edX+{n}" for n in range(20)], configuration=configuration, held=True)
    operator.get(RUNS)  # Creates the caller's user.

    for place, query in (
        (RUNS, {"configuration": configuration.pk}),
        (TRANSMISSIONS, {"configuration": configuration.pk}),
        (ATTEMPTS, {"transmission": rows[0].pk}),
    ):
        with django_assert_num_queries(3):  # The user, the row of the filter, and the page.
            operator.get(place, query)
