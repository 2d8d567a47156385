"""Creation, change and deletion of catalogs, as the Open edX LMS requests them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer
from tests.api.endpoints import CATALOGS, address
from tests.api.lms_requests import CATALOG, CUSTOMER, QUERY, creation, replacement
from tests.catalog.queries import version_of
from tests.factories.catalog import CatalogFactory, CustomerFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

OTHER_CATALOG = UUID(int=11)
OTHER_QUERY = UUID(int=13)


def create(client: APIClient, **members: Any) -> dict[str, Any]:
    """Create a catalog and return the response's body."""
    response = client.post(CATALOGS, creation(**members))
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def replace(client: APIClient, catalog: UUID = CATALOG, **members: Any) -> dict[str, Any]:
    """Change a catalog as the LMS does, and return the response's body."""
    response = client.put(address(catalog), replacement(**members))
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


# --- creation -------------------------------------------------------------------------------------------------------


def test_the_lms_creates_a_catalog(operator: APIClient) -> None:
    created = create(operator)

    catalog = EnterpriseCatalog.objects.with_parts().get()
    assert created == {
        "uuid": str(CATALOG),
        "title": "All Content",
        "enterprise_customer": str(CUSTOMER),
        "enterprise_customer_name": "Acme",
        "catalog_query_uuid": str(QUERY),
        "query_title": "All courses",
        "content_last_modified": None,
        "catalog_modified": created["catalog_modified"],
        "catalog_version": version_of(catalog),
    }
    assert operator.get(address(CATALOG)).json() == created
    assert catalog.enabled_course_modes == ["verified", "audit"]
    assert catalog.publish_audit_enrollment_urls is False
    assert catalog.catalog_query
    assert catalog.catalog_query.content_filter == {"content_type": "course"}


def test_the_service_chooses_a_uuid_if_none_is_sent(operator: APIClient) -> None:
    body = creation()
    del body["uuid"]

    created = operator.post(CATALOGS, body)

    assert created.status_code == 201
    assert operator.get(address(created.json()["uuid"])).status_code == 200


@pytest.mark.parametrize(("sent", "stored"), [("true", True), ("false", False), (True, True), (False, False)])
def test_audit_enrollment_is_text_or_boolean(operator: APIClient, sent: object, stored: bool) -> None:
    create(operator, publish_audit_enrollment_urls=sent)

    assert EnterpriseCatalog.objects.get().publish_audit_enrollment_urls is stored


def test_a_new_customers_slug_is_not_guessed(operator: APIClient) -> None:
    create(operator)

    customer = EnterpriseCustomer.objects.get()
    assert (customer.pk, customer.name, customer.slug) == (CUSTOMER, "Acme", "")


def test_a_known_customer_is_renamed(operator: APIClient) -> None:
    CustomerFactory.create(uuid=CUSTOMER, name="Acne", slug="acme")

    create(operator)

    customer = EnterpriseCustomer.objects.get()
    assert (customer.name, customer.slug) == ("Acme", "acme")


def test_a_second_creation_changes_the_catalog(operator: APIClient) -> None:
    create(operator)

    response = operator.post(CATALOGS, creation(title="Some Content"))

    assert response.status_code == 200
    assert response.json()["title"] == "Some Content"
    assert EnterpriseCatalog.objects.get().title == "Some Content"


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"title": None}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"enterprise_customer": "acme"}, "enterprise_customer"),
        ({"enterprise_customer_name": ""}, "enterprise_customer_name"),
        ({"enabled_course_modes": "verified"}, "enabled_course_modes"),
        ({"publish_audit_enrollment_urls": "perhaps"}, "publish_audit_enrollment_urls"),
        ({"content_filter": ["course"]}, "content_filter"),
        ({"content_filter": None}, "content_filter"),
        ({"content_filter": "{}"}, "content_filter"),
        ({"content_filter": {"key": "edX+DemoX"}}, "content_filter"),
        ({"content_filter": {"key": ["edX+DemoX", 1]}}, "content_filter"),
        ({"catalog_query_uuid": 1.5}, "catalog_query_uuid"),
        ({"uuid": "1"}, "uuid"),
    ],
)
def test_an_invalid_member_is_named(operator: APIClient, members: dict[str, object], member: str) -> None:
    response = operator.post(CATALOGS, creation(**members))

    assert response.status_code == 400
    assert set(response.json()) == {member, "code"}
    assert not EnterpriseCatalog.objects.exists()


@pytest.mark.parametrize(
    "member",
    [
        *("title", "enterprise_customer", "enterprise_customer_name"),
        *("content_filter", "enabled_course_modes", "publish_audit_enrollment_urls"),
    ],
)
def test_a_missing_member_is_named(operator: APIClient, member: str) -> None:
    create(operator)
    without = creation()
    del without[member]

    responses = [operator.post(CATALOGS, without), operator.put(address(CATALOG), without)]

    assert [response.status_code for response in responses] == [400, 400]
    assert [set(response.json()) for response in responses] == [{member, "code"}] * 2


def test_unknown_members_of_a_filter_are_kept_with_a_warning(operator: APIClient) -> None:
    content_filter = {"content_type": "course", "aggregation__key": ["course:edX+DemoX"], "org__exempt": ["edX"]}

    created = create(operator, content_filter=content_filter)
    replaced = replace(operator, content_filter=content_filter)

    assert CatalogQuery.objects.get().content_filter == content_filter
    for response in (created, replaced):
        assert [warning.partition(":")[0] for warning in response["content_filter_warnings"]] == [
            "aggregation__key",
            "org__exempt",
        ]


def test_a_filter_that_the_database_cannot_store_is_rejected(operator: APIClient) -> None:
    content_filter: dict[str, object] = {}
    for _ in range(30):
        content_filter = {"a": content_filter}

    response = operator.post(CATALOGS, creation(content_filter=content_filter))

    assert response.status_code == 400
    assert response.json()["content_filter"] == ["Has more than 20 levels."]


# --- the query behind a catalog -------------------------------------------------------------------------------------


@pytest.mark.parametrize("query_uuid", [None, str(OTHER_QUERY)])
def test_catalogs_with_the_same_filter_share_a_query(operator: APIClient, query_uuid: str | None) -> None:
    create(operator, content_filter={"level_type": "Advanced", "content_type": "course"})

    create(
        operator,
        uuid=str(OTHER_CATALOG),
        content_filter={"content_type": "course", "level_type": "Advanced"},
        catalog_query_uuid=query_uuid,
        query_title=None,
    )

    assert [str(query.uuid) for query in CatalogQuery.objects.all()] == [query_uuid or str(QUERY)]
    assert CatalogQuery.objects.get().title == "All courses"


def test_a_filter_changes_for_all_catalogs_of_the_named_query(operator: APIClient) -> None:
    create(operator)
    create(operator, uuid=str(OTHER_CATALOG))

    replace(operator, content_filter={"content_type": "program"}, query_title="Programs")

    query = CatalogQuery.objects.get()
    assert (query.content_filter, query.title) == ({"content_type": "program"}, "Programs")
    assert operator.get(address(OTHER_CATALOG)).json()["query_title"] == "Programs"


def test_a_filter_without_a_query_changes_for_one_catalog(operator: APIClient) -> None:
    create(operator)
    create(operator, uuid=str(OTHER_CATALOG))

    changed = replace(operator, content_filter={"content_type": "program"}, catalog_query_uuid=None, query_title=None)

    assert changed["catalog_query_uuid"] != str(QUERY)
    assert operator.get(address(OTHER_CATALOG)).json()["catalog_query_uuid"] == str(QUERY)
    assert CatalogQuery.objects.get(uuid=QUERY).content_filter == {"content_type": "course"}


def test_a_query_without_a_title_is_named_after_its_uuid(operator: APIClient) -> None:
    created = create(operator, query_title=None, catalog_query_uuid=None)

    assert created["query_title"] == f"Query {created['catalog_query_uuid']}"


def test_two_queries_in_use_never_have_the_same_filter(operator: APIClient) -> None:
    create(operator)
    other = {"uuid": str(OTHER_CATALOG), "catalog_query_uuid": str(OTHER_QUERY), "query_title": "Programs"}
    create(operator, content_filter={"content_type": "program"}, **other)

    response = operator.put(address(OTHER_CATALOG), replacement(**other))

    assert response.status_code == 400
    assert response.json() == {"catalog_query": "content_filter_hash is not unique", "code": "not_unique"}
    assert CatalogQuery.objects.get(uuid=OTHER_QUERY).content_filter == {"content_type": "program"}


def test_two_queries_in_use_never_have_the_same_title(operator: APIClient) -> None:
    create(operator)

    response = operator.post(
        CATALOGS,
        creation(
            uuid=str(OTHER_CATALOG), content_filter={"content_type": "program"}, catalog_query_uuid=str(OTHER_QUERY)
        ),
    )

    assert response.status_code == 400
    assert response.json() == {"catalog_query": "title is not unique", "code": "not_unique"}
    assert not EnterpriseCatalog.objects.filter(pk=OTHER_CATALOG).exists()


def test_a_query_that_no_catalog_uses_blocks_no_filter_and_no_title(operator: APIClient) -> None:
    create(operator)
    other = {"catalog_query_uuid": str(OTHER_QUERY), "query_title": "Programs"}
    create(operator, uuid=str(OTHER_CATALOG), content_filter={"content_type": "program"}, **other)
    operator.delete(address(OTHER_CATALOG))

    changed = replace(operator, content_filter={"content_type": "program"}, query_title="Programs")

    assert (changed["catalog_query_uuid"], changed["query_title"]) == (str(QUERY), "Programs")


def test_imported_content_stays_with_its_catalog(operator: APIClient) -> None:
    catalog = CatalogFactory.create(uuid=CATALOG, customer__uuid=CUSTOMER, content=["a"])

    changed = replace(operator)

    assert changed["catalog_query_uuid"] == str(QUERY)
    assert operator.post(address(catalog.pk, "content-diff/"), {"content_keys": []}).json()["to_create"] == ["a"]
    query = CatalogQuery.objects.get()
    assert (query.source, query.content_filter, query.content_filter_hash) == (
        "import",
        {"content_type": "course"},
        None,
    )


# --- change -----------------------------------------------------------------------------------------------------------


def test_the_lms_changes_a_catalog(operator: APIClient) -> None:
    created = create(operator)

    changed = replace(operator, title="Some Content", enabled_course_modes=["audit"])

    assert changed["title"] == "Some Content"
    assert changed["catalog_modified"] > created["catalog_modified"]
    assert changed["catalog_version"] != created["catalog_version"]
    assert EnterpriseCatalog.objects.get().enabled_course_modes == ["audit"]


def test_a_request_that_changes_nothing_moves_nothing(operator: APIClient) -> None:
    created = create(operator)

    assert replace(operator) == created


@pytest.mark.parametrize(
    ("member", "value", "served"),
    [
        ("title", "Some Content", {"title": "Some Content"}),
        ("query_title", "Courses", {"query_title": "Courses", "catalog_query_uuid": str(QUERY)}),
        (
            "catalog_query_uuid",
            str(OTHER_QUERY),
            {"query_title": "All courses", "catalog_query_uuid": str(OTHER_QUERY)},
        ),
        ("enterprise_customer_name", "Bolt", {"enterprise_customer_name": "Bolt"}),
    ],
)
def test_a_part_of_the_members_can_be_changed(
    operator: APIClient, member: str, value: object, served: dict[str, object]
) -> None:
    created = create(operator)

    response = operator.patch(address(CATALOG), {member: value})

    assert response.status_code == 200
    moved = {name: response.json()[name] for name in ("catalog_modified", "catalog_version")}
    assert response.json() == created | served | moved


def test_the_uuid_cannot_be_changed(operator: APIClient) -> None:
    created = create(operator)

    response = operator.patch(address(CATALOG), {"uuid": str(OTHER_CATALOG)})

    assert response.json() == created


def test_a_catalog_can_move_to_another_customer(operator: APIClient) -> None:
    create(operator)

    changed = replace(operator, enterprise_customer=str(UUID(int=5)), enterprise_customer_name="Bolt")

    assert (changed["enterprise_customer"], changed["enterprise_customer_name"]) == (str(UUID(int=5)), "Bolt")
    assert EnterpriseCustomer.objects.get(pk=CUSTOMER).name == "Acme"


def test_an_admin_cannot_give_a_catalog_away_or_take_one(admin_of: Callable[[UUID], APIClient]) -> None:
    own, other = CatalogFactory.create(), CatalogFactory.create(customer__name="Bolt")
    client = admin_of(own.enterprise_customer_id)
    theirs = {"enterprise_customer": str(other.enterprise_customer_id)}
    mine = {"enterprise_customer": str(own.enterprise_customer_id), "uuid": str(other.pk)}

    given = client.patch(address(own.pk), theirs)
    created_for_others = client.post(CATALOGS, creation(**theirs))
    taken = client.post(CATALOGS, creation(**mine))

    assert [response.status_code for response in (given, created_for_others, taken)] == [403, 403, 403]
    other.refresh_from_db()
    assert other.title == "All of it"


# --- deletion ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def deleted(operator: APIClient) -> EnterpriseCatalog:
    """A catalog with the items a and b, deleted by the LMS."""
    catalog = CatalogFactory.create(uuid=CATALOG, customer__uuid=CUSTOMER, content=["a", "b"])
    response = operator.delete(address(catalog.pk))
    assert (response.status_code, response.content) == (204, b"")
    return catalog


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_deleted_catalog_is_missing(operator: APIClient, deleted: EnterpriseCatalog, method: str) -> None:
    response = getattr(operator, method)(address(deleted.pk), replacement())

    assert response.status_code == 404


def test_a_deleted_catalog_is_in_no_list(operator: APIClient, deleted: EnterpriseCatalog) -> None:
    query = {"enterprise_customer": str(deleted.enterprise_customer_id)}

    assert operator.get(CATALOGS, query).json()["results"] == []


def test_a_deleted_catalog_is_in_the_channels_list(operator: APIClient, deleted: EnterpriseCatalog) -> None:
    [row] = operator.get(CATALOGS, {"include_deleted": "true"}).json()["results"]

    assert (row["uuid"], row["catalog_query_uuid"]) == (str(deleted.pk), None)


def test_channels_remove_the_items_of_a_deleted_catalog(operator: APIClient, deleted: EnterpriseCatalog) -> None:
    sent = {"content_keys": ["a", "b"]}

    diff = operator.post(address(deleted.pk, "content-diff/"), sent).json()
    old_diff = operator.post(address(deleted.pk, "generate_diff"), sent).json()
    page = operator.get(address(deleted.pk, "get_content_metadata")).json()
    documents = operator.post(address(deleted.pk, "content-metadata/"), sent).json()

    assert diff["to_delete"] == ["a", "b"]
    assert old_diff["items_not_found"] == [{"content_key": "a"}, {"content_key": "b"}]
    assert (page["count"], page["results"]) == (0, [])
    assert (documents["results"], len(documents["missing"])) == ([], 2)


def test_a_deleted_catalog_can_be_created_again(operator: APIClient, deleted: EnterpriseCatalog) -> None:
    created = create(operator)

    assert operator.get(address(deleted.pk)).json() == created
    assert created["catalog_query_uuid"] == str(QUERY)
