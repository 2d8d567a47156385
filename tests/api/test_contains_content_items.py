"""``contains_content_items`` of a catalog and of a customer, in versions 1 and 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.items.matching import Wanted, contains_any, find_catalogs
from enterprise_catalog.catalog.models import CatalogMembership
from tests.factories.catalog import (
    CatalogFactory,
    CourseFactory,
    CustomerFactory,
    allow_restricted,
    import_into,
    program_document,
    run_document,
)
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

PROGRAM: Final = "3b0a6a0e-5f0f-4d3e-9d4e-0a5b8a1b2c3d"
RUN: Final = "course-v1:edX+DemoX+2026"
NESTED: Final = "course-v1:edX+NestedX+2026"
CONTENT: Final = [
    "edX+DemoX",
    CourseFactory.build(key="edX+NestedX", course_runs=[{"key": NESTED}]),
    run_document("course-v1:edX+RunX+1", "edX+RunX"),
    program_document(PROGRAM),
]


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    # The run is an item, but no member of the catalog.
    CatalogFactory.create(
        content=[run_document(RUN, "edX+DemoX"), run_document("course-v1:edX+OtherX+1", "edX+OtherX")]
    )
    return CatalogFactory.create(content=CONTENT)


def ask(
    client: APIClient, place: EnterpriseCatalog | UUID, *pairs: tuple[str, str], version: int = 1
) -> dict[str, Any]:
    path = f"enterprise-customer/{place}" if isinstance(place, UUID) else f"enterprise-catalogs/{place.pk}"
    query = "&".join(f"{name}={value}" for name, value in pairs)
    response = client.get(f"/api/v{version}/{path}/contains_content_items/?{query}")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


KEYS: Final = [
    ("edX%2BDemoX", True),
    ("edX+DemoX", True),  # A plus sign in a URL is a space.
    ("edX%20DemoX", True),
    (RUN.replace("+", "%2B"), True),  # Known in the service; its course is a member.
    (NESTED.replace("+", "%2B"), True),  # Listed in the document of its course only.
    ("edX%2BRunX", True),  # The course of a member.
    ("course-v1:edX%2BRunX%2B1", True),
    (PROGRAM, True),
    ("nothing,edX%2BDemoX", True),
    (" nothing , edX%2BDemoX", True),
    ("edX%2BGoneX", False),
    ("edx%2Bdemox", False),
    ("course-v1:edX%2BDemoX%2B2027", False),
    ("course-v1:edX%2BOtherX%2B1", False),
    (PROGRAM.upper(), False),
    ("", False),
    ("%00", False),
]


@pytest.mark.parametrize(("key", "is_there"), KEYS)
@pytest.mark.parametrize("parameter", ["course_run_ids", "program_uuids"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_key_stands_for_items(
    operator: APIClient, catalog: EnterpriseCatalog, version: int, parameter: str, key: str, is_there: bool
) -> None:
    expected = {"contains_content_items": is_there}

    assert ask(operator, catalog, (parameter, key), version=version) == expected
    assert ask(operator, catalog.enterprise_customer_id, (parameter, key), version=version) == expected


def test_one_of_the_keys_is_enough(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    keys = [("course_run_ids", "a"), ("course_run_ids", "b"), ("program_uuids", "c"), ("program_uuids", PROGRAM)]

    assert ask(operator, catalog, *keys)["contains_content_items"]
    assert not ask(operator, catalog, *keys[:3])["contains_content_items"]


def test_a_key_with_a_comma_is_found(operator: APIClient) -> None:
    catalog = CatalogFactory.create(content=["edX+One,Two"])

    assert ask(operator, catalog, ("course_run_ids", "edX%2BOne,Two"))["contains_content_items"]


@pytest.mark.parametrize("parameter", ["get_catalogs_containing_specified_content_ids", "get_catalog_list"])
def test_the_catalogs_of_a_customer_are_listed_on_request(
    operator: APIClient, catalog: EnterpriseCatalog, parameter: str
) -> None:
    customer = catalog.enterprise_customer
    second = CatalogFactory.create(customer=customer, content=[CourseFactory.build(key="edX+DemoX"), "edX+SecondX"])
    CatalogFactory.create(customer=customer, content=["edX+OtherX"])
    CatalogFactory.create(content=["edX+DemoX"])
    expected = sorted([str(catalog.pk), str(second.pk)])

    found = ask(operator, customer.pk, ("course_run_ids", RUN.replace("+", "%2B")), (parameter, "True"))
    none = ask(operator, customer.pk, ("course_run_ids", "x"), (parameter, "1"))
    unasked = ask(operator, customer.pk, ("course_run_ids", "x"), (parameter, ""))

    assert {**found, "catalog_list": sorted(found["catalog_list"])} == {
        "contains_content_items": True,
        "catalog_list": expected,
    }
    assert none == {"contains_content_items": False, "catalog_list": []}
    assert unasked == {"contains_content_items": False}


def test_an_empty_catalog_contains_nothing(operator: APIClient) -> None:
    catalog = CatalogFactory.create(catalog_query=None)

    assert not ask(operator, catalog, ("course_run_ids", "a"))["contains_content_items"]
    assert not ask(operator, catalog.enterprise_customer_id, ("course_run_ids", "a"))["contains_content_items"]


def test_a_customer_of_the_lms_needs_no_catalog_here(operator: APIClient) -> None:
    found = ask(operator, UUID(int=5), ("course_run_ids", "a"), ("get_catalog_list", "1"))

    assert found == {"contains_content_items": False, "catalog_list": []}


# --- restricted runs -------------------------------------------------------------------------------------------------


def test_only_version_2_offers_a_restricted_run_that_the_query_allows(operator: APIClient) -> None:
    first = CatalogFactory.create(content=["edX+FUN"])
    second = CatalogFactory.create(content=["edX+FUN"], customer=first.enterprise_customer)
    allow_restricted(first, [run_document("run", "edX+FUN", restriction_type="custom-b2b-enterprise")])
    listed = ("get_catalog_list", "1")

    for version, expected in ((1, []), (2, [str(first.pk)])):
        assert ask(operator, first, ("course_run_ids", "run"), version=version)["contains_content_items"] == (
            version == 2
        )
        assert not ask(operator, second, ("course_run_ids", "run"), version=version)["contains_content_items"]
        found = ask(operator, first.enterprise_customer_id, ("course_run_ids", "run"), listed, version=version)
        assert found["catalog_list"] == expected


def test_a_course_that_is_no_member_is_not_found_through_a_restricted_run(operator: APIClient) -> None:
    catalog = CatalogFactory.create()
    allow_restricted(catalog, [run_document("run", "edX+FUN")])

    assert ask(operator, catalog, ("course_run_ids", "edX%2BFUN"), version=2)["contains_content_items"]
    assert not ask(operator, catalog, ("course_run_ids", "edX%2BFUN"), version=1)["contains_content_items"]


# --- access and errors -----------------------------------------------------------------------------------------------


def paths(catalog: UUID | str, customer: UUID | str) -> list[str]:
    ends = f"enterprise-catalogs/{catalog}", f"enterprise-customer/{customer}"
    return [f"/api/v{n}/{end}/contains_content_items/?course_run_ids=edX%2BDemoX" for n in (1, 2) for end in ends]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("role", ["enterprise_learner", "enterprise_admin", "enterprise_catalog_admin"])
def test_each_role_of_the_customer_may_ask(
    client_with: Callable[..., APIClient], catalog: EnterpriseCatalog, role: str
) -> None:
    client = client_with(f"{role}:{catalog.enterprise_customer_id}")

    for path in paths(catalog.pk, catalog.enterprise_customer_id):
        assert client.get(path).json() == {"contains_content_items": True}


@pytest.mark.only_on("sqlite")
def test_another_customers_role_learns_nothing(
    admin_of: Callable[[UUID], APIClient], catalog: EnterpriseCatalog
) -> None:
    client, nowhere = admin_of(CustomerFactory.create().pk), UUID(int=0)
    known, unknown = paths(catalog.pk, catalog.enterprise_customer_id), paths(nowhere, nowhere)

    answers = [client.get(path) for path in [*known, *unknown]]

    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1


def test_a_catalog_must_exist(operator: APIClient) -> None:
    for path in paths(UUID(int=0), UUID(int=0))[::2]:
        assert operator.get(path).status_code == 404


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("parameters", ["", "?unknown=1", "?course_run_ids=" + "k" * 256])
def test_missing_and_bad_keys_are_named(operator: APIClient, catalog: EnterpriseCatalog, parameters: str) -> None:
    for path in paths(catalog.pk, catalog.enterprise_customer_id):
        response = operator.get(path.partition("?")[0] + parameters)

        assert response.status_code == 400
        assert set(response.json()) == {"course_run_ids", "code"}


@pytest.mark.only_on("sqlite")
def test_the_error_names_both_parameters(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    [path, *_] = paths(catalog.pk, catalog.enterprise_customer_id)

    body = operator.get(path.partition("?")[0]).json()

    assert body == {"course_run_ids": ["Send course_run_ids or program_uuids, or both."], "code": "required"}


@pytest.mark.only_on("sqlite")
def test_more_than_1000_keys_are_too_many(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    [path, *_] = paths(catalog.pk, catalog.enterprise_customer_id)

    most = operator.get(path, {"course_run_ids": ",".join(map(str, range(1_000)))})
    more = operator.get(path, {"course_run_ids": [",".join(map(str, range(998))), "a,b,c"]})

    assert (most.status_code, more.status_code) == (200, 400)
    assert more.json()["code"] == "too_many_keys"


# --- speed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_there", [True, False])
def test_it_takes_three_statements(operator: APIClient, catalog: EnterpriseCatalog, is_there: bool) -> None:
    end = "" if is_there else "&course_run_ids=edX%2BGoneX"
    every = paths(catalog.pk, catalog.enterprise_customer_id)
    for path in every:
        operator.get(path)
        with CaptureQueriesContext(connection) as statements:
            operator.get(path.replace("DemoX", "GoneX") + end if not is_there else path)
        assert len(statements) <= 3


@pytest.mark.only_on("mariadb")
@pytest.mark.django_db(transaction=True)  # ANALYZE TABLE commits.
@pytest.mark.parametrize("with_restricted", [True, False])
def test_members_are_looked_up_one_by_one(with_restricted: bool) -> None:
    catalog = CatalogFactory.create(courses=3_000)
    import_into(CatalogFactory.create(customer=catalog.enterprise_customer, courses=2_000), ["other"])
    keys, customer = CourseFactory.keys(100), catalog.enterprise_customer_id
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {CatalogMembership._meta.db_table}")
        cursor.fetchall()

    for read in (
        lambda: contains_any(catalog.pk, Wanted(keys, with_restricted)),
        lambda: find_catalogs(customer, Wanted(keys, with_restricted)),
    ):
        plan = plan_of(read, of=CatalogMembership)
        [member] = [line for line in plan.splitlines() if " member " in line]
        assert " eq_ref " in member
        assert "membership_once" in member
