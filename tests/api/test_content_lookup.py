"""``GET …/content-lookup/``: content by the text that a user pastes, in one customer's catalogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest

from enterprise_catalog.catalog.models import ContentMetadata
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

LOOKUP: Final = "/api/v1/content-lookup/"
#: What the response tells about a catalog that is not filled from course-discovery.
NO_NOTE: Final[dict[str, Any]] = {
    "query": {"title": "Everything", "content_source": "import", "refreshed_at": None, "last_refresh": None},
    "last_change": None,
    "excluded_by": [],
}
DATA: Final = CourseFactory.build(key="edX+DataX", title="Data and Ducks")


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=[DATA, "edX+DemoX"])


def look_up(client: APIClient, catalog: EnterpriseCatalog, text: str) -> dict[str, Any]:
    response = client.get(LOOKUP, {"enterprise_customer": str(catalog.enterprise_customer_id), "content_key": text})
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def suggested(client: APIClient, catalog: EnterpriseCatalog, text: str) -> list[tuple[str, str]]:
    return [(each["content_key"], each["match"]) for each in look_up(client, catalog, text)["suggestions"]]


def test_it_returns_the_item_and_the_catalogs_that_contain_it(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    other = CatalogFactory.create(customer=catalog.enterprise_customer, title="Other", content=["edX+X"])

    found = look_up(operator, catalog, "edX+DataX")

    assert found == {
        "enterprise_customer": str(catalog.enterprise_customer_id),
        "content_key": "edX+DataX",
        "is_known": True,
        "title": "Data and Ducks",
        "content_type": "course",
        "updated_at": "2026-03-01T12:00:00.123456Z",
        "catalogs": [
            {"uuid": str(catalog.pk), "title": "All of it", "contains": True, **NO_NOTE},
            {"uuid": str(other.pk), "title": "Other", "contains": False, **NO_NOTE},
        ],
        "suggestions": [],
    }


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (" edX+DataX\t", "spaces"),
        ("edX DataX", "spaces"),
        ("edX + DataX", "spaces"),
        ("edX%2BDataX", "spaces"),
        ("EDX+datax", "case"),
        ("  EDX datax ", "case"),
        ("course-v1:edX+DataX+2026", "run"),
        ("COURSE-V1:edx datax 2026", "run"),
        ("edX/DataX/2026", "run"),
        ("data and d", "title"),
        (" Data and Ducks ", "title"),
    ],
)
def test_it_suggests_what_the_user_may_have_meant(
    operator: APIClient, catalog: EnterpriseCatalog, text: str, match: str
) -> None:
    found = look_up(operator, catalog, text)

    assert not found["is_known"]
    assert found["suggestions"] == [
        {
            "content_key": "edX+DataX",
            "title": "Data and Ducks",
            "content_type": "course",
            "match": match,
            "catalogs": [str(catalog.pk)],
        }
    ]


def test_a_stored_key_with_spaces_is_suggested(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    import_into(catalog, [" Edx+Padded "])

    assert suggested(operator, catalog, "Edx+Padded") == [(" Edx+Padded ", "spaces")]


def test_a_known_key_is_still_compared_with_its_other_spellings(
    operator: APIClient, catalog: EnterpriseCatalog
) -> None:
    import_into(catalog, ["EDX+DATAX"])

    assert look_up(operator, catalog, "edX+DataX")["is_known"]
    assert suggested(operator, catalog, "edX+DataX") == [("EDX+DATAX", "case")]


def test_the_course_of_a_known_run_is_suggested(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    run = {"content_type": "courserun", "key": "course-v1:Other+1+2", "aggregation_key": "courserun:edX+DataX"}
    import_into(catalog, [run])

    assert suggested(operator, catalog, "course-v1:Other+1+2") == [("edX+DataX", "run")]


@pytest.mark.parametrize(
    "text", ["edX+Gone", "ducks", "%", "_", "   ", "é", "\U0010ffff", "course-v1:a+b", "++", "%ff"]
)
def test_a_text_that_matches_nothing_has_no_suggestions(
    operator: APIClient, catalog: EnterpriseCatalog, text: str
) -> None:
    found = look_up(operator, catalog, text)

    assert (found["content_key"], found["is_known"], found["suggestions"]) == (text, False, [])


def test_at_most_ten_titles_are_suggested(operator: APIClient) -> None:
    catalog = CatalogFactory.create(courses=40)

    assert len(suggested(operator, catalog, "course northwind")) == 10


def test_an_item_in_no_catalog_of_the_customer_is_known_to_a_caller_who_may_read_all(operator: APIClient) -> None:
    CatalogFactory.create(content=[DATA])
    empty = CatalogFactory.create(customer__slug="other", catalog_query=None)

    found = look_up(operator, empty, "edX+DataX")

    assert (found["is_known"], found["catalogs"][0]["contains"]) == (True, False)
    assert suggested(operator, empty, "data") == [("edX+DataX", "title")]


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("text", ["edX+DataX", "edx+datax", "data", "course-v1:edX+DataX+1"])
def test_content_of_other_customers_is_unknown_to_an_admin_of_one(
    admin_of: Callable[[UUID], APIClient], text: str
) -> None:
    own = CatalogFactory.create(customer__slug="other", courses=1)
    client = admin_of(own.enterprise_customer_id)

    found = look_up(client, own, text)

    assert (found["is_known"], found["title"], found["updated_at"], found["suggestions"]) == (False, None, None, [])
    assert look_up(client, own, "Northwind+C000000")["is_known"]


@pytest.mark.only_on("sqlite")
def test_a_role_for_another_customer_gets_the_same_answer_for_any_customer(
    admin_of: Callable[[UUID], APIClient], catalog: EnterpriseCatalog
) -> None:
    client = admin_of(CustomerFactory.create(name="Other").pk)

    known, unknown = (
        client.get(LOOKUP, {"enterprise_customer": str(uuid), "content_key": "edX+DataX"})
        for uuid in (catalog.enterprise_customer_id, UUID(int=0))
    )

    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("roles", [(), ("enterprise_admin",), ("enterprise_admin:not-a-uuid",)])
@pytest.mark.parametrize("parameters", [{}, {"enterprise_customer": str(UUID(int=0)), "content_key": "x"}])
def test_a_caller_without_a_customer_is_refused(
    client_with: Callable[..., APIClient], roles: tuple[str, ...], parameters: dict[str, str]
) -> None:
    assert client_with(*roles).get(LOOKUP, parameters).status_code == 403


def test_a_customer_that_does_not_exist_is_404_to_who_may_read_all(operator: APIClient) -> None:
    response = operator.get(LOOKUP, {"enterprise_customer": str(UUID(int=0)), "content_key": "x"})

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"content_key": "x"}, "enterprise_customer"),
        ({"enterprise_customer": "x", "content_key": "x"}, "enterprise_customer"),
        ({"enterprise_customer": str(UUID(int=0))}, "content_key"),
        ({"enterprise_customer": str(UUID(int=0)), "content_key": ""}, "content_key"),
        ({"enterprise_customer": str(UUID(int=0)), "content_key": "k" * 256}, "content_key"),
        ({"enterprise_customer": str(UUID(int=0)), "content_key": "a\0b"}, "content_key"),
    ],
)
def test_a_bad_parameter_is_named(operator: APIClient, parameters: dict[str, str], field: str) -> None:
    response = operator.get(LOOKUP, parameters)

    assert response.status_code == 400
    assert set(response.json()) == {field, "code"}


@pytest.mark.parametrize(("text", "statements"), [("edX+DataX", 4), ("data", 5), ("nothing", 4)])
def test_it_takes_few_statements(
    operator: APIClient,
    catalog: EnterpriseCatalog,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    text: str,
    statements: int,
) -> None:
    look_up(operator, catalog, "first")

    with django_assert_max_num_queries(statements):  # user, catalogs, keys, titles, memberships
        look_up(operator, catalog, text)


def test_keys_are_found_with_an_index(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    import_into(catalog, CourseFactory.numbered(500))

    plan = plan_of(lambda: look_up(operator, catalog, "course-v1:edX+DataX+1"), of=ContentMetadata)

    assert "content_search_key" in plan


def test_titles_are_found_with_an_index(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, CourseFactory.numbered(500))

    plan = plan_of(lambda: list(ContentMetadata.objects.titled("data")[:30]), of=ContentMetadata)

    assert "content_search_title" in plan
