"""``search/all`` of the Open edX sandbox: filters, lookups, kinds, runs and pages."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog import documents as catalog_documents
from enterprise_catalog.sandbox.open_edx.api import SEARCH_PAGE, OpenEdxSandbox
from enterprise_catalog.sandbox.open_edx.documents import read_lines
from tests.open_edx import course, pathway, program, run

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Content of the property test; any other file with one document per line serves as well.
CONTENT: Final = Path(
    os.environ.get("TEST_CONTENT") or Path(catalog_documents.__file__).parent / "sample_catalog.jsonl"
)
LEVELS: Final = ("Introductory", "Intermediate", "Advanced")
PARTNERS: Final = ("edx", "Meridiana")

PAST, FUTURE = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"


def search(client: httpx.Client, content_filter: object, **parameters: str | int) -> list[dict[str, Any]]:
    """Return the results of all pages."""
    results: list[dict[str, Any]] = []
    for page in range(1, 100):
        response = client.post(SEARCH_PAGE, json=content_filter, params={"page_size": 100, "page": page, **parameters})
        assert response.status_code == 200, response.text
        body = response.json()
        results += body["results"]
        if not body["next"]:
            assert len(results) == body["count"]
            return results
    raise AssertionError("endless pages")


def keys(results: Iterable[dict[str, Any]]) -> list[str]:
    return [result.get("key") or result["uuid"] for result in results]


def courses(client: httpx.Client, **content_filter: object) -> list[str]:
    return keys(search(client, {"content_type": "course", **content_filter}))


# --- filters --------------------------------------------------------------------------------------------------------


@given(
    levels=st.lists(st.sampled_from(LEVELS), unique=True),
    partner=st.sampled_from(PARTNERS),
    with_lookup=st.booleans(),
)
def test_a_filter_by_level_and_partner_finds_exactly_what_filtering_the_file_finds(
    levels: list[str], partner: str, *, with_lookup: bool
) -> None:
    client, listed = client_with_content()

    found = courses(client, **{"level_type__in" if with_lookup else "level_type": levels, "partner": partner.upper()})

    assert sorted(found) == sorted(
        document["key"]
        for document in listed
        if document["content_type"] == "course"
        and document["partner"] == partner
        and (not levels or document["level_type"] in levels)
    )


def client_with_content(cached: list[tuple[httpx.Client, list[dict[str, Any]]]] = []) -> Any:  # noqa: B006
    """Return a client of a sandbox with the whole file, and the documents. Every other document has another partner."""
    if not cached:
        documents = read_lines(CONTENT.read_text(encoding="utf-8").split("\n"))
        listed = [{**document, "partner": PARTNERS[number % 2]} for number, document in enumerate(documents)]
        sandbox = OpenEdxSandbox(accepts_any_token=True)
        sandbox.documents.put(listed)
        headers = {"Authorization": "JWT any.local.token"}
        client = httpx.Client(transport=httpx.WSGITransport(sandbox), base_url="http://open-edx.test", headers=headers)
        cached.append((client, listed))
    return cached[0]


CASES: Final[list[tuple[dict[str, Any], str]]] = [
    ({"key": "a+1"}, "A+1 A+1+2"),  # A phrase: in any case, and within longer keys.
    ({"key": ["A+1+2", "B+1"]}, "A+1+2 B+1"),
    ({"key": ["A.1"]}, ""),
    ({"key.raw": "A+1"}, "A+1"),
    ({"key.raw__in": ["A+1", "B+1"]}, "A+1 B+1"),
    ({"key.raw__exclude": ["A+1", "B+1"]}, "A+1+2 C+1"),
    ({"aggregation_key": ["course:A+1", "course:C+1"]}, "A+1 C+1"),
    ({"aggregation_key__exclude": ["course:A+1"]}, "A+1+2 B+1 C+1"),
    ({"org": "b"}, "B+1"),
    ({"org__exclude": "A"}, "B+1 C+1"),
    ({"authoring_organizations__exclude": ["b: bee"]}, "A+1 A+1+2 C+1"),
    ({"authoring_organizations": "B: Bee"}, "B+1"),
    ({"course_type": ["audit", "verified-audit"]}, "A+1 A+1+2 C+1"),
    ({"course_type__exclude": "executive-education-2u"}, "A+1 A+1+2 C+1"),
    ({"product_source": "2u"}, "B+1"),
    ({"availability": ["Current", "Starting Soon"]}, "A+1 A+1+2 B+1"),
    ({"status": "unpublished"}, "C+1"),
    ({"published": "true"}, "A+1 A+1+2 B+1"),
    ({"published": False}, "C+1"),
    ({"first_enrollable_paid_seat_price__lte": "49"}, "A+1"),
    ({"first_enrollable_paid_seat_price__gt": 49}, "B+1"),
    ({"first_enrollable_paid_seat_price__range": ["40", "300"]}, "A+1 B+1"),
    ({"end_date__gte": "2027-06-01"}, "B+1"),
    ({"end_date__lt": "2027-06-01T00:00:00Z"}, "A+1 C+1"),
    ({"course_ends": "Past"}, "C+1"),
    ({"languages__in": "English__Spanish"}, "A+1 B+1"),
    ({"skill_names": "Baking"}, "C+1"),
    ({"level_type": [LEVELS[2]]}, "B+1"),
    ({"level_type": []}, "A+1 A+1+2 B+1 C+1"),  # An empty list is no parameter.
    ({"level_type": ""}, "A+1 A+1+2 B+1 C+1"),
    ({"aggregation__key": "course:A+1"}, "A+1 A+1+2 B+1 C+1"),  # Typos are ignored, as is a lookup of another field.
    ({"org__exempt": "A", "status__exclude": "published"}, "A+1 A+1+2 B+1 C+1"),
    ({"restricted_runs_allowed": {"course:A+1": ["course-v1:A+1+1"]}}, "A+1 A+1+2 B+1 C+1"),
    ({"level_type": "Advanced", "org": "A"}, ""),
    ({"short_description": "of bread"}, "C+1"),
]


@pytest.mark.parametrize(("content_filter", "expected"), CASES, ids=[json.dumps(case) for case, _ in CASES])
def test_a_filter_finds(
    sandbox: OpenEdxSandbox, client: httpx.Client, content_filter: dict[str, Any], expected: str
) -> None:
    bee = {"uuid": "b", "key": "B", "name": "Bee"}
    sandbox.documents.put(
        [
            course(
                "A+1", run("course-v1:A+1+1", end=FUTURE, first_enrollable_paid_seat_price=49), languages=["English"]
            ),
            course("A+1+2", course_type="audit"),
            course(
                "B+1",
                run("course-v1:B+1+1", end="2028-01-01T00:00:00Z", first_enrollable_paid_seat_price="200.0"),
                course_type="executive-education-2u",
                level_type="Advanced",
                languages=["Spanish"],
                owners=[bee],
                product_source={"name": "2U", "slug": "2u", "description": None},
            ),
            course(
                "C+1",
                run("course-v1:C+1+1", end=PAST, status="unpublished", availability="Archived"),
                skill_names=["Baking"],
                short_description="A History of Bread.",
            ),
        ]
    )

    assert courses(client, **content_filter) == expected.split()


@pytest.mark.parametrize("content_filter", [{"first_enrollable_paid_seat_price__lte": "cheap"}, {"start__gt": "soon"}])
def test_a_value_of_the_wrong_type_is_a_bad_request(client: httpx.Client, content_filter: object) -> None:
    response = client.post(SEARCH_PAGE, json=content_filter)

    assert response.status_code == 400
    assert "is not a " in response.json()["detail"]


@pytest.mark.parametrize("body", ["[]", "null", "{"])
def test_a_body_that_is_no_object_is_a_bad_request(client: httpx.Client, body: str) -> None:
    assert client.post(SEARCH_PAGE, content=body).status_code == 400


# --- kinds ----------------------------------------------------------------------------------------------------------


def test_without_a_content_type_every_kind_is_found(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1"), program("P", "A+1"), pathway("W")])

    found = [result["content_type"] for result in search(client, {}, include_learner_pathways="True")]

    assert found == ["course", "courserun", "learnerpathway", "person", "person", "program"]


def test_pathways_are_found_only_on_request(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([pathway("W")])

    assert search(client, {"content_type": "learnerpathway"}) == []
    assert len(search(client, {"content_type": "learnerpathway"}, include_learner_pathways="True")) == 1


def test_results_are_grouped_by_kind_within_a_page(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1"), course("B+1"), program("P")])

    found = [
        result["aggregation_key"].partition(":")[0]
        for result in search(client, {"content_type": ["course", "program"]})
    ]

    assert found == ["course", "course", "program"]


def test_programs_are_found_by_aggregation_key_only(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    demo = program("P")
    sandbox.documents.put([demo])

    assert keys(search(client, {"aggregation_key": [f"program:{demo['uuid']}"]})) == [demo["uuid"]]
    assert search(client, {"content_type": "program", "key": [demo["uuid"]]}) == []


def test_a_run_nested_in_a_course_is_content(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1", run("course-v1:A+1+1"), run("course-v1:A+1+2"))])

    found = search(client, {"content_type": "courserun"})

    assert keys(found) == ["course-v1:A+1+1", "course-v1:A+1+2"]
    assert {result["aggregation_key"] for result in found} == {"courserun:A+1"}
    assert "uuid" not in found[0]


# --- runs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_runs(sandbox: OpenEdxSandbox) -> None:
    """Store a course with a current, an expired and two restricted runs."""
    b2b, b2c = (
        {"restriction_type": f"custom-{kind}", "availability": "Upcoming"} for kind in ("b2b-enterprise", "b2c")
    )
    runs = [run("now"), run("past", end=PAST, status="archived"), run("b2b", **b2b), run("b2c", **b2c)]
    sandbox.documents.put([course("A+1", *runs)])


@pytest.mark.usefixtures("with_runs")
@pytest.mark.parametrize(
    ("parameters", "content_filter", "expected"),
    [
        ({}, {}, "now past"),
        ({"exclude_expired_course_run": "True"}, {}, "now"),
        ({"exclude_expired_course_run": "True"}, {"status": ["archived", "published"]}, "now past"),
        ({"include_restricted": "custom-b2b-enterprise"}, {}, "now past b2b"),
        ({"include_restricted": "custom-b2b-enterprise,custom-b2c"}, {}, "now past b2b b2c"),
    ],
)
def test_a_course_has_its_visible_runs(
    client: httpx.Client, parameters: dict[str, str], content_filter: dict[str, Any], expected: str
) -> None:
    [found] = search(client, {"content_type": "course", **content_filter}, **parameters)

    assert keys(found["course_runs"]) == expected.split()


@pytest.mark.usefixtures("with_runs")
def test_hidden_runs_do_not_make_their_course_match(client: httpx.Client) -> None:
    assert courses(client, availability="Upcoming") == []
    assert len(search(client, {"availability": "Upcoming"}, include_restricted="custom-b2c")) == 2


# --- results --------------------------------------------------------------------------------------------------------


def test_a_course_has_the_members_of_a_search_result(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    subjects = [{"name": "History", "slug": "history", "uuid": "s"}]
    source = {"name": "edX", "slug": "edx", "description": ""}
    seats = [{"type": "verified", "price": "49.00"}, {"type": "audit", "price": "0.00"}]
    only_in_full = {"owners": [], "marketing_url": "https://x", "entitlements": [], "advertised_course_run_uuid": "r"}
    nested = run("r", end="2027-01-01T00:00:00.123456Z", seats=seats)
    sandbox.documents.put([course("A+1", nested, subjects=subjects, product_source=source, **only_in_full)])

    [found] = search(client, {"content_type": "course"})

    assert not {*only_in_full, "level_type", "partner"} & found.keys()
    assert found["subjects"] == ["History"]
    assert found["product_source"] == "edx"
    assert found["seat_types"] == ["audit", "verified"]
    assert (found["end_date"], found["course_ends"]) == ("2027-01-01T00:00:00Z", "Future")
    assert not {"uuid", "is_marketable", "seats"} & found["course_runs"][0].keys()
    assert found["course_runs"][0]["first_enrollable_paid_seat_price"] == 0.0


@pytest.mark.parametrize(
    "document",
    [
        course("A+1", course_runs=None),
        course("A+1", title=None, subjects=None, skill_names=None, owners=None, product_source=None),
        course("A+1", run("r", end="yesterday", first_enrollable_paid_seat_price="free")),
        {"content_type": "course", "key": " A+1 "},
        {"aggregation_key": "program:x", "uuid": "x"},
        {"content_type": "courserun", "key": "r"},
    ],
)
def test_awkward_documents_are_served(sandbox: OpenEdxSandbox, client: httpx.Client, document: dict[str, Any]) -> None:
    sandbox.documents.put([document])

    found = search(client, {"partner": "edx"}, exclude_expired_course_run="True")

    assert document.get("key", document.get("uuid")) in keys(found)


# --- pages ----------------------------------------------------------------------------------------------------------


def test_pages_have_numbers(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course(f"A+{number}") for number in range(5)])

    def page(number: int) -> httpx.Response:
        return client.post(
            SEARCH_PAGE, json={"content_type": "course"}, params={"page_size": 2, "page": number, "ordering": "key"}
        )

    first, last = page(1).json(), page(3).json()

    assert (first["count"], len(first["results"]), len(last["results"])) == (5, 2, 1)
    assert first["next"] == f"http://open-edx.test{SEARCH_PAGE}?page_size=2&ordering=key&page=2"
    assert last["next"] is None
    assert page(4).status_code == 404
    assert page(0).status_code == 404
