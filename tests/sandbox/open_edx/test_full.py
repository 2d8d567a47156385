"""Full documents and reviews of the Open edX sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.sandbox.open_edx.api import COURSES_PAGE, PROGRAMS_PAGE, REVIEWS_PAGE
from tests.open_edx import course, program, run
from tests.sandbox.open_edx.conftest import NOW

if TYPE_CHECKING:
    import httpx

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox


def read(client: httpx.Client, path: str, **parameters: str | int) -> list[dict[str, Any]]:
    response = client.get(path, params={"limit": 200, **parameters})
    assert response.status_code == 200
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_a_course_has_the_members_that_search_results_lack(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    seats = [{"type": "verified", "price": "49.00"}]
    document = course("A+1", run("r", seats=seats), marketing_url="https://x", languages=["English"], partner="edx")
    sandbox.documents.put([document])

    [found] = read(client, COURSES_PAGE)

    assert not {"aggregation_key", "content_type", "languages", "partner"} & found.keys()
    assert (found["marketing_url"], found["level_type"]) == ("https://x", "Introductory")
    assert (found["course_run_keys"], found["course_run_statuses"]) == (["r"], ["published"])
    assert found["course_runs"][0]["seats"] == seats
    assert found["course_runs"][0]["is_marketable"] is True
    assert len(found) > 50


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "A+1 B+1"),
        ({"keys": "B+1,Unknown+1"}, "B+1"),
        ({"keys": ""}, ""),
        ({"course_type": "audit"}, "A+1"),
        ({"timestamp": "2026-06-01T00:30:00Z"}, "B+1"),
        ({"limit": 1}, "A+1"),
        ({"offset": 1}, "B+1"),
        ({"page": 2, "page_size": 1}, "B+1"),
    ],
)
def test_courses_can_be_chosen(
    sandbox: OpenEdxSandbox, client: httpx.Client, parameters: dict[str, str | int], expected: str
) -> None:
    sandbox.documents.put([course("A+1", course_type="audit")])
    sandbox.documents.now = lambda: NOW + timedelta(hours=1)
    sandbox.documents.put([course("B+1")])

    assert [each["key"] for each in read(client, COURSES_PAGE, **parameters)] == expected.split()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "public draft external"),
        ({"published_course_runs_only": "1"}, "public external"),
        ({"marketable_course_runs_only": "1"}, "public draft"),
        ({"course_run_statuses": "unpublished"}, "draft"),
        ({"include_hidden_course_runs": "1"}, "public draft external hidden"),
        ({"include_restricted": "custom-b2b-enterprise"}, "public draft external restricted"),
    ],
)
def test_runs_can_be_chosen(
    sandbox: OpenEdxSandbox, client: httpx.Client, parameters: dict[str, str | int], expected: str
) -> None:
    runs = [
        run("public"),
        run("draft", status="unpublished"),
        run("external", is_marketable=False),
        run("hidden", hidden=True),
        run("restricted", restriction_type="custom-b2b-enterprise"),
    ]
    sandbox.documents.put([course("A+1", *runs)])

    [found] = read(client, COURSES_PAGE, **parameters)

    assert [each["key"] for each in found["course_runs"]] == expected.split()


def test_programs_and_courses_name_each_other(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    wanted, other = program("P", "B+1", "A+1", "Unknown+1", type="MicroMasters"), program("Q", status="retired")
    sandbox.documents.put([course("A+1"), course("B+1"), wanted, other])

    [full] = read(client, PROGRAMS_PAGE, uuids=wanted["uuid"])
    [nested] = read(client, COURSES_PAGE, keys="A+1")[0]["programs"]

    assert [each["key"] for each in full["courses"]] == ["B+1", "A+1"]
    assert (nested["uuid"], nested["title"]) == (wanted["uuid"], "P")
    assert [each["title"] for each in read(client, PROGRAMS_PAGE, status="retired")] == ["Q"]
    assert [each["title"] for each in read(client, PROGRAMS_PAGE, types="MicroMasters")] == ["P"]


def test_reviews_come_20_a_page(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    reviewed = [course(f"A+{number:02}", reviews_count=number, avg_course_rating=4.5) for number in range(25)]
    sandbox.documents.put([*reviewed, course("B+1")])

    first, second = (client.get(REVIEWS_PAGE, params={"page": page}).json() for page in (1, 2))

    assert (first["count"], len(first["results"]), len(second["results"])) == (25, 20, 5)
    assert second["results"][4]["course_key"] == "A+24"


# --- knobs ----------------------------------------------------------------------------------------------------------


def test_a_course_can_be_missing(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1"), course("B+1")])
    sandbox.unanswered = ["A+1"]

    assert [each["key"] for each in read(client, COURSES_PAGE, keys="A+1,B+1")] == ["B+1"]


@pytest.mark.parametrize("given", ["edx", {"name": "edx", "slug": "edx", "description": None}])
def test_the_product_source_is_an_object_or_a_text(
    sandbox: OpenEdxSandbox, client: httpx.Client, given: object
) -> None:
    sandbox.documents.put([course("A+1", product_source=given)])

    [as_object] = read(client, COURSES_PAGE)
    sandbox.product_source_is_text = True
    [as_text] = read(client, COURSES_PAGE)

    assert as_object["product_source"] == {"name": "edx", "slug": "edx", "description": None}
    assert as_text["product_source"] == "edx"


def test_a_restless_sandbox_changes_only_counters_and_orders(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1", skill_names=["Baking", "Milling", "Sowing"])])
    sandbox.is_restless = True

    first, second = read(client, COURSES_PAGE)[0], read(client, COURSES_PAGE)[0]

    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"enrollment_count", "recent_enrollment_count", "skill_names", "course_runs"}
    assert sorted(first["skill_names"]) == sorted(second["skill_names"])
