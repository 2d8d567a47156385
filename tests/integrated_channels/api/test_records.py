"""``runs/``, ``transmissions/`` and ``attempts/``: fields, filters and pages."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from enterprise_catalog.db.time_limit import TimeLimitError
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.models import Comparison
from enterprise_catalog.integrated_channels.reporting import export
from tests.factories import DAY_ONE
from tests.factories.channels import REJECTION, ConfigurationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.api.endpoints import ATTEMPTS, DECISIONS, RUNS, TRANSMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable
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


def test_a_run_shows_why_it_compared_all_items(operator: APIClient) -> None:
    changes = RunFactory.create(comparison=Comparison.CHANGES, changes_since=DAY_ONE)
    daily = RunFactory.create(comparison=Comparison.DAILY)

    found = [operator.get(f"{RUNS}{run.pk}/").json() for run in (changes, daily)]

    assert [(run["comparison"], run["changes_since"]) for run in found] == [("changes", NOON), ("daily", None)]


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


@pytest.mark.only_on("sqlite")
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
    rows = TransmissionFactory.create_for_keys(
        [f"edX+{n}" for n in range(20)], configuration=configuration, rejected=True
    )
    operator.get(RUNS)  # Creates the caller's user.

    for place, query in (
        (RUNS, {"configuration": configuration.pk}),
        (TRANSMISSIONS, {"configuration": configuration.pk}),
        (ATTEMPTS, {"transmission": rows[0].pk}),
    ):
        with django_assert_num_queries(4):  # The user, the row of the filter, and the ids and rows of the page.
            operator.get(place, query)


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("edX+A", ["edX+A", "edX+AB"]),
        ("title: intro", ["edX+A", "edX+B", "edX+AB"]),
        ("Intro", ["edX+A", "edX+B", "edX+AB"]),
        ("remote:42", ["edX+AB"]),
        ("reason: No title", ["edX+B"]),
        (str(UUID(int=7)), ["edX+A", "edX+AB", "edX+B"]),
        ("nothing", []),
    ],
)
def test_items_are_searched_as_in_the_admin(operator: APIClient, term: str, found: list[str]) -> None:
    configuration = ConfigurationFactory.create()
    for key, title, state in (
        ("edX+A", "Intro 1", "staged"),
        ("edX+B", "Intro 2", "rejected"),
        ("edX+AB", "intro 3", "held"),
    ):
        reason = {"reason": "No title."} if state == "rejected" else {}
        TransmissionFactory.create(
            configuration=configuration, content_key=key, content_title=title, **{state: True}, **reason
        )

    pages = all_pages(operator, TRANSMISSIONS, {"search": term, "page_size": 1})

    assert [row["content_key"] for row in pages] == found


def test_a_search_finds_only_what_the_caller_sees(admin_of: Callable[[UUID], APIClient]) -> None:
    for number, title in ((7, "Secret"), (8, "Own"), (8, "Secret+X")):
        configuration = ConfigurationFactory.create(enterprise_customer_uuid=UUID(int=number))
        TransmissionFactory.create(configuration=configuration, content_key=title, content_title=f"Title of {title}")
    admin = admin_of(UUID(int=8))

    assert [row["content_key"] for row in all_pages(admin, TRANSMISSIONS, {"search": "Secret"})] == ["Secret+X"]
    assert all_pages(admin, TRANSMISSIONS, {"search": str(UUID(int=7))}) == []
    assert len(all_pages(admin, TRANSMISSIONS, {"search": "Title of"})) == 2


def csv_of(client: APIClient, place: str, query: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the CSV file of a list."""
    response: Any = client.get(f"{place}export.csv", query, headers={"accept": "text/csv"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return [*csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))]


def test_each_list_is_a_csv_file_with_the_same_filters(operator: APIClient) -> None:
    configuration = ConfigurationFactory.create(display_name="=Acme")
    rows = TransmissionFactory.create_for_keys(["edX+A", "edX+B"], configuration=configuration, rejected=True)
    decisions.queue_again(configuration.transmissions.filter(pk=rows[0].pk), by="ada", now=DAY_ONE)
    run = configuration.runs.get()

    items = csv_of(operator, TRANSMISSIONS, {"configuration": configuration.pk, "state": "rejected"})

    assert [(item["content_key"], item["configuration"]) for item in items] == [("edX+B", "'=Acme")]
    assert len(csv_of(operator, TRANSMISSIONS, {"search": "edX"})) == 2
    assert [row["id"] for row in csv_of(operator, RUNS, {})] == [str(run.pk)]
    assert len(csv_of(operator, ATTEMPTS, {"run": run.pk})) == 2
    assert [row["made_by"] for row in csv_of(operator, DECISIONS, {"action": "send_again"})] == ["ada"]


def test_a_csv_file_of_decisions_does_not_name_staff(admin_of: Callable[[UUID], APIClient]) -> None:
    configuration = ConfigurationFactory.create()
    decisions.pause(configuration, by="eve", now=DAY_ONE, reason="Unpaid.")

    [row] = csv_of(admin_of(UUID(int=7)), DECISIONS, {"configuration": configuration.pk})

    assert (row["action"], row["made_by"], row["reason"]) == ("pause", "Support", "")


def test_an_error_of_a_csv_file_is_json(operator: APIClient, admin_of: Callable[[UUID], APIClient]) -> None:
    headers = {"accept": "text/csv"}

    wrong = operator.get(f"{TRANSMISSIONS}export.csv", headers=headers)
    refused = admin_of(UUID(int=8)).get(f"{RUNS}export.csv", {"configuration": 999}, headers=headers)

    assert (wrong.status_code, wrong.json()["code"]) == (400, "required")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_a_csv_file_whose_rows_the_database_finds_too_slowly_is_an_error(
    operator: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: int) -> None:
        raise TimeLimitError

    monkeypatch.setattr(export, "time_limit", stop)

    response = operator.get(f"{RUNS}export.csv", headers={"accept": "text/csv"})

    assert (response.status_code, response.json()["code"]) == (503, "too_slow")
