"""Documents by identifier, as a customer's catalogs serve them and without a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from enterprise_catalog.catalog.models import CatalogMembership, ContentMetadata
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import (
    CatalogFactory,
    CourseFactory,
    CustomerFactory,
    allow_restricted,
    import_into,
    program_document,
    run_document,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

PROGRAM: Final = "3b0a6a0e-5f0f-4d3e-9d4e-0a5b8a1b2c3d"
RUN: Final = "course-v1:edX+DemoX+2026"
OLD_RUN: Final = "edX/DemoX/2013"
COURSE: Final = CourseFactory.build(
    key="edX+DemoX",
    course_type="verified-audit",
    course_runs=[{"key": RUN, "is_enrollable": True, "is_marketable_external": True}, {"key": "nested"}],
    marketing_url="https://www.example.org/course/demo?utm_source=x&a=1",
    product_source="edx",
)
PATHWAY: Final = {"content_type": "learnerpathway", "uuid": str(UUID(int=9)), "title": "Path"}
NOTHING: Final = {
    **dict.fromkeys(("start_date", "end_date", "enroll_by_date", "enroll_start_date")),
    "content_price": 0.0,
}
CONTENT: Final = [
    COURSE,
    run_document(RUN, "edX+DemoX", uuid=str(UUID(int=8))),
    run_document(OLD_RUN, "edX+DemoX"),
    program_document(PROGRAM),
    PATHWAY,
]
U: Final = "utm_medium=enterprise&utm_source=acme"
PORTAL: Final = "https://learn.example.org/acme/course/edX+DemoX"


@pytest.fixture(autouse=True)
def lms(settings: Settings) -> None:
    """Name the LMS."""
    settings.LMS_BASE_URL = "https://lms.example.org"


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=CONTENT)


def path_of(customer: UUID, identifier: str, *, version: int = 1) -> str:
    return f"/api/v{version}/enterprise-customer/{customer}/content-metadata/{quote(identifier, safe='+:/')}"


def read(client: APIClient, catalog: EnterpriseCatalog, identifier: str, *, version: int = 1, **query: str) -> Any:
    response = client.get(path_of(catalog.enterprise_customer_id, identifier, version=version) + "/", query)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("version", [1, 2])
def test_a_course_has_the_members_that_callers_read(
    operator: APIClient, catalog: EnterpriseCatalog, version: int
) -> None:
    document = read(operator, catalog, "edX+DemoX", version=version)

    encoded = quote(RUN, safe="")
    assert document == {
        **COURSE,
        "content_key": "edX+DemoX",
        "content_last_modified": "2026-03-01T12:00:00.123456Z",
        "parent_content_key": None,
        "active": True,
        "enrollment_url": f"{PORTAL}?{U}",
        "xapi_activity_id": "https://lms.example.org/xapi/activities/course/edX+DemoX",
        "marketing_url": f"https://www.example.org/course/demo?a=1&{U}",
        "product_source": {"name": "edx", "slug": None, "description": None},
        "course_runs": [
            {
                **COURSE["course_runs"][0],
                "parent_content_key": "edX+DemoX",
                "enrollment_url": f"{PORTAL}?course_run_key={encoded}&{U}",
            },
            {"key": "nested"},  # No item of its own.
        ],
        "normalized_metadata": NOTHING,
        "normalized_metadata_by_run": {RUN: NOTHING, "nested": NOTHING},
    }


def test_imported_courses_have_normalized_metadata_as_if_a_refresh_had_stored_them(
    operator: APIClient, catalog: EnterpriseCatalog
) -> None:
    run = {"key": RUN, "uuid": "u1", "start": "2026-01-01T00:00:00Z", "first_enrollable_paid_seat_price": 49}
    course = CourseFactory.build(key="edX+DemoX", course_runs=[run], advertised_course_run_uuid="u1")
    stored = {**NOTHING, "content_price": 1.0}
    refreshed = CourseFactory.build(key="edX+Stored", course_runs=[run], normalized_metadata=stored)
    import_into(catalog, [course, refreshed], now=DAY_TWO)

    imported = read(operator, catalog, "edX+DemoX")
    plain = operator.get("/api/v1/content-metadata/edX+DemoX").json()

    expected = {**NOTHING, "start_date": "2026-01-01T00:00:00Z", "content_price": 49.0}
    for document in (imported, plain):
        assert document["normalized_metadata"] == expected
        assert document["normalized_metadata_by_run"] == {RUN: expected}
    assert read(operator, catalog, "edX+Stored")["normalized_metadata"] == stored


def test_a_run_names_its_course(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    document = read(operator, catalog, RUN)

    assert document["content_key"] == RUN
    assert document["parent_content_key"] == "edX+DemoX"
    assert document["xapi_activity_id"] == f"https://lms.example.org/xapi/activities/courserun/{RUN}"
    assert document["enrollment_url"] == f"{PORTAL}?course_run_key={quote(RUN, safe='')}&{U}"
    assert "active" not in document


def test_programs_have_no_enrollment_url_and_pathways_not_even_the_member(
    operator: APIClient, catalog: EnterpriseCatalog
) -> None:
    program, pathway = read(operator, catalog, PROGRAM), read(operator, catalog, PATHWAY["uuid"])

    assert (program["content_type"], program["enrollment_url"]) == ("program", None)
    assert pathway["content_type"] == "learnerpathway"
    assert "enrollment_url" not in pathway
    for document in (program, pathway):
        assert document["parent_content_key"] is None
        assert "xapi_activity_id" not in document


def test_the_form_of_the_document_is_that_of_the_pages(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    pages = operator.get(f"/api/v1/enterprise-catalogs/{catalog.pk}/get_content_metadata").json()

    for document in pages["results"]:
        assert read(operator, catalog, document["content_key"]) == document


@pytest.mark.parametrize(
    ("identifier", "key"),
    [
        (COURSE["uuid"], "edX+DemoX"),
        (COURSE["uuid"].upper(), "edX+DemoX"),
        (COURSE["uuid"].replace("-", ""), "edX+DemoX"),
        (str(UUID(int=8)), RUN),
        (PROGRAM, PROGRAM),
        ("nested", "edX+DemoX"),
        ("elsewhere", "edX+DemoX"),
        (OLD_RUN, OLD_RUN),
    ],
)
@pytest.mark.parametrize("end", ["", "/"])
def test_it_is_found_by_uuid_or_key(
    operator: APIClient, catalog: EnterpriseCatalog, identifier: str, key: str, end: str
) -> None:
    CatalogFactory.create(content=[run_document("elsewhere", "edX+DemoX")])

    response = operator.get(path_of(catalog.enterprise_customer_id, identifier) + end)

    assert response.json()["content_key"] == key


def test_a_course_that_is_no_member_finds_one_of_its_runs(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=[run_document("run", "edX+GoneX")])

    assert read(operator, catalog, "edX+GoneX")["content_key"] == "run"


def test_without_the_customer_there_are_no_enrollment_urls(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    document = read(operator, catalog, "edX+DemoX", skip_customer_fetch="1")

    assert document["enrollment_url"] is None
    assert document["course_runs"] == COURSE["course_runs"]
    assert document["xapi_activity_id"]


def test_the_first_catalog_that_has_the_item_serves_it(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    customer = catalog.enterprise_customer
    CatalogFactory.create(customer=customer, content=["edX+OtherX"], publish_audit_enrollment_urls=True)
    CatalogFactory.create(content=["edX+SecretX"])

    assert "audit=true" in read(operator, catalog, "edX+OtherX")["enrollment_url"]
    assert operator.get(path_of(customer.pk, "edX+SecretX")).status_code == 404


def test_executive_education_has_its_own_page_and_untouched_runs(operator: APIClient) -> None:
    course = CourseFactory.build(key="X+E", course_type="executive-education-2u", course_runs=[{"key": "X+E+1"}])
    catalog = CatalogFactory.create(content=[course, run_document("X+E+1", "X+E")])

    document = read(operator, catalog, "X+E")

    assert document["enrollment_url"] == f"https://learn.example.org/acme/executive-education-2u/course/X+E?{U}"
    assert document["course_runs"] == [{"key": "X+E+1"}]


@pytest.mark.parametrize("odd", [None, 5, "text", ["text"], [{"key": 5}], {"key": "run"}, [[]], [{}]])
@pytest.mark.parametrize("field", ["course_runs", "marketing_url", "product_source"])
def test_members_of_other_types_stay_as_they_are(operator: APIClient, field: str, odd: Any) -> None:
    course = CourseFactory.build(key="c", **{field: odd})
    catalog = CatalogFactory.create(content=[course, run_document("run", "c")])

    document = read(operator, catalog, "c")

    named = {"name": "text", "slug": None, "description": None}
    assert document[field] == (named if (field, odd) == ("product_source", "text") else odd)


@pytest.mark.parametrize("address", ["https://[", "//", "mailto:a@example.org", "https://example.org/?a=b&a=c&=", "/a"])
def test_any_marketing_url_is_answered(operator: APIClient, address: str) -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="c", marketing_url=address)])

    assert read(operator, catalog, "c")["marketing_url"].startswith(address[:8])


def test_version_2_serves_the_course_with_the_restricted_runs_of_the_query(operator: APIClient) -> None:
    plain = CourseFactory.build(key="edX+FUN", course_runs=[])
    catalog = CatalogFactory.create(content=[plain])
    run = run_document("run", "edX+FUN", uuid=str(UUID(int=3)))
    assert allow_restricted(catalog, [run], [{**plain, "course_runs": [{"key": "run"}]}], now=DAY_TWO)
    assert not allow_restricted(catalog, [run], [{**plain, "course_runs": [{"key": "run"}]}], now=DAY_TWO)

    for identifier in ("run", str(UUID(int=3))):
        assert operator.get(path_of(catalog.enterprise_customer_id, identifier)).status_code == 404
        assert read(operator, catalog, identifier, version=2)["content_key"] == "run"
    assert read(operator, catalog, "edX+FUN")["course_runs"] == []
    [nested] = read(operator, catalog, "edX+FUN", version=2)["course_runs"]
    assert (nested["key"], nested["parent_content_key"]) == ("run", "edX+FUN")
    assert operator.get("/api/v1/content-metadata/run").status_code == 404

    allow_restricted(catalog, [], [])
    assert operator.get(path_of(catalog.enterprise_customer_id, "run", version=2)).status_code == 404
    assert read(operator, catalog, "edX+FUN", version=2)["course_runs"] == []


def test_another_customers_role_learns_nothing(
    admin_of: Callable[[UUID], APIClient], catalog: EnterpriseCatalog
) -> None:
    client = admin_of(CustomerFactory.create().pk)

    answers = [
        client.get(path_of(customer, identifier, version=version))
        for customer in (catalog.enterprise_customer_id, UUID(int=0))
        for identifier in ("edX+DemoX", "nothing")
        for version in (1, 2)
    ]

    assert {(answer.status_code, answer.content) for answer in answers} == {(403, answers[0].content)}


def test_its_statements_do_not_grow_with_the_catalog(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    path = path_of(catalog.enterprise_customer_id, "edX+DemoX")
    operator.get(path)

    with CaptureQueriesContext(connection) as statements:
        operator.get(path)

    assert len(statements) == 3  # The user, the document with the catalog's state, the runs.
    assert CatalogMembership.objects.count() == len(CONTENT)


# --- without a customer ----------------------------------------------------------------------------------------------

PLAIN: Final = "/api/v1/content-metadata/"


def keys_of(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [document["content_key"] for document in response.json()["results"]]


def test_any_user_reads_a_document_without_a_customer(
    client_with: Callable[..., APIClient], catalog: EnterpriseCatalog
) -> None:
    assert catalog
    pk = ContentMetadata.objects.get(content_key="edX+DemoX").pk

    for identifier in ("edX+DemoX", COURSE["uuid"], str(pk)):
        for end in ("", "/"):
            response = client_with().get(f"{PLAIN}{identifier}{end}")
            assert response.json() == {
                **COURSE,
                "content_key": "edX+DemoX",
                "content_last_modified": "2026-03-01T12:00:00.123456Z",
                "parent_content_key": None,
                "active": True,
                "product_source": {"name": "edx", "slug": None, "description": None},
                "normalized_metadata": NOTHING,
                "normalized_metadata_by_run": {RUN: NOTHING, "nested": NOTHING},
            }


def test_a_run_gives_its_course_on_request(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    import_into(catalog, [run_document("orphan", "edX+GoneX")])
    coerced = {"coerce_to_parent_course": "True"}

    assert operator.get(f"{PLAIN}{RUN}").json()["content_key"] == RUN
    assert operator.get(f"{PLAIN}{RUN}", coerced).json()["content_key"] == "edX+DemoX"
    assert operator.get(f"{PLAIN}edX+DemoX", coerced).json()["content_key"] == "edX+DemoX"
    assert operator.get(f"{PLAIN}orphan", coerced).status_code == 404


@pytest.mark.parametrize("identifier", ["nothing", "edx+demox", "9999999", "9" * 40, str(UUID(int=1)), "%00", "a/b"])
def test_an_unknown_identifier_is_not_found(operator: APIClient, catalog: EnterpriseCatalog, identifier: str) -> None:
    for path in (PLAIN + identifier, path_of(catalog.enterprise_customer_id, identifier)):
        response = operator.get(path)

        assert response.status_code == 404
        assert response.json()["code"] == "not_found"


def test_documents_are_read_by_any_of_their_identifiers(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    assert catalog
    pk = ContentMetadata.objects.get(content_key=RUN).pk
    names = [COURSE["uuid"], str(pk), "nothing", f"{OLD_RUN},{PROGRAM}"]

    found = operator.get(PLAIN, {"content_identifiers": names})
    coerced = operator.get(PLAIN, {"content_identifiers": names[1:], "coerce_to_parent_course": "1"})

    assert keys_of(found) == sorted(keys_of(found), key=lambda key: ContentMetadata.objects.get(content_key=key).pk)
    assert sorted(keys_of(found)) == sorted(["edX+DemoX", RUN, OLD_RUN, PROGRAM])
    assert sorted(keys_of(coerced)) == sorted(["edX+DemoX", PROGRAM])


def test_all_documents_are_in_pages(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    allow_restricted(catalog, [run_document("restricted", "edX+DemoX")])
    import_into(catalog, CourseFactory.numbered(9), now=DAY_ONE)

    first = operator.get(PLAIN)
    second = operator.get(first.json()["next"])

    assert first.json()["count"] == 14
    assert len({*keys_of(first), *keys_of(second)}) == 14
    assert (first.json()["previous"], second.json()["next"]) == (None, None)
    assert operator.get(second.json()["previous"]).json() == first.json()
    assert "restricted" not in keys_of(first) + keys_of(second)
    assert len(keys_of(operator.get(PLAIN, {"page_size": "1000"}))) == 14
    assert {RUN, OLD_RUN}.isdisjoint(keys_of(operator.get(PLAIN, {"page_size": "100", "coerce_to_parent_course": "1"})))
    assert operator.get(PLAIN, {"page": "9" * 30}).status_code == 404
    assert operator.get(PLAIN, {"page": "0"}).status_code == 400


@pytest.mark.parametrize("end", ["", "edX+DemoX"])
def test_documents_need_a_token(end: str) -> None:
    assert APIClient().get(PLAIN + end).status_code == 401
