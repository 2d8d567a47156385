"""Every endpoint of Open edX's service that other programs call: its roles, its shape, and its errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest

from tests.api.lms_requests import CATALOG, CUSTOMER, creation, replacement
from tests.factories.catalog import CatalogFactory, CatalogQueryFactory, CustomerFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

KEY: Final = "edX+DemoX"
CATALOGS: Final = "/api/v1/enterprise-catalogs/"
FILTER: Final = {"content_type": "course"}
FILTER_HASH: Final = "e4dbb6d6f4a83a5d3d1c1eb1a1b3dd5c"
LEARNER: Final = "enterprise_learner"
ADMIN: Final = "enterprise_admin"
PROVISIONER: Final = "enterprise_provisioning_admin"
UNKNOWN_ROLE: Final = "somebody_else"
ROLES: Final = (LEARNER, ADMIN, PROVISIONER, UNKNOWN_ROLE)


@dataclass(frozen=True)
class Endpoint:
    """One endpoint, as a caller uses it."""

    method: str
    path: str  #: ``{catalog}``, ``{customer}``, ``{query}`` stand for existing rows.
    allowed: frozenset[str]  #: Roles for the customer with access; all others get 403.
    members: frozenset[str] = frozenset()  #: Members of the response.
    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    unknown: int = 404  #: Status for an unknown catalog or customer, for a caller with a role for all customers.


READERS: Final = frozenset({LEARNER, ADMIN})
MANAGERS: Final = frozenset({ADMIN, PROVISIONER})
ADMINS: Final = frozenset({ADMIN})
EVERYBODY: Final = frozenset(ROLES)

_LIST: Final = frozenset({"count", "next", "previous", "results"})
_PAGE: Final = _LIST | {"num_pages", "current_page", "start", "uuid", "title", "enterprise_customer"}
_CATALOG: Final = frozenset(
    {
        *("uuid", "title", "enterprise_customer", "catalog_query_uuid", "content_last_modified", "catalog_modified"),
        "query_title",
    }
)
_QUERY: Final = frozenset({"uuid", "content_filter", "content_filter_hash", "title"})
_DIFF: Final = frozenset({"items_found", "items_not_included", "items_not_found"})
_DOCUMENT: Final = frozenset({"key", "content_type", "parent_content_key", "uuid", "title", "content_last_modified"})
_CONTAINS: Final = frozenset({"contains_content_items"})


def of_catalog(end: str, members: frozenset[str], *, version: int = 1, method: str = "get", **more: Any) -> Endpoint:
    path = f"/api/v{version}/enterprise-catalogs/{{catalog}}/{end}"
    return Endpoint(method, path, **{"allowed": READERS, "members": members, **more})


def of_customer(end: str, members: frozenset[str], *, version: int = 1, method: str = "get", **more: Any) -> Endpoint:
    path = f"/api/v{version}/enterprise-customer/{{customer}}/{end}"
    return Endpoint(method, path, **{"allowed": READERS, "members": members, "unknown": 200, **more})


CONTAINING: Final = f"contains_content_items/?course_run_ids={KEY.replace('+', '%2B')}"
DOCUMENT: Final = "content-metadata/edX+DemoX/"
SENT: Final = {"content_keys": [KEY]}
ENDPOINTS: Final = (
    Endpoint("get", f"{CATALOGS}?enterprise_customer={{customer}}", MANAGERS, _LIST),
    Endpoint("post", CATALOGS, MANAGERS, _CATALOG, creation(), status=201),
    of_catalog("", _CATALOG, allowed=MANAGERS),
    of_catalog("", _CATALOG, method="put", allowed=MANAGERS, body=replacement()),
    of_catalog("", _CATALOG, method="patch", allowed=MANAGERS, body={"title": "New title"}),
    of_catalog("", frozenset(), method="delete", allowed=ADMINS, status=204),
    of_catalog("refresh_metadata", frozenset({"async_task_id"}), method="post", allowed=ADMINS),
    of_catalog("generate_diff", _DIFF, method="post", body=SENT),
    of_catalog(f"generate_diff?content_keys={KEY.replace('+', '%2B')}", _DIFF),
    of_catalog("get_content_metadata", _PAGE),
    of_catalog("get_content_metadata?traverse_pagination=1", _LIST | {"uuid", "title", "enterprise_customer"}),
    of_catalog(CONTAINING, _CONTAINS),
    of_customer(CONTAINING, _CONTAINS),
    of_customer(f"{CONTAINING}&get_catalog_list=1", _CONTAINS | {"catalog_list"}),
    of_customer("filter_content_items/", frozenset({"filtered_content_keys"}), method="post", body=SENT),
    of_customer(DOCUMENT, _DOCUMENT | {"enrollment_url", "xapi_activity_id", "active"}, unknown=404),
    Endpoint("get", f"/api/v1/{DOCUMENT.rstrip('/')}", EVERYBODY, _DOCUMENT | {"active"}),
    Endpoint("get", "/api/v1/content-metadata/?content_identifiers=edX%2BDemoX", EVERYBODY, _LIST),
    Endpoint("get", "/api/v1/catalog-queries/", ADMINS, _LIST),
    Endpoint("get", "/api/v1/catalog-queries/{query}/", ADMINS, _QUERY),
    Endpoint("get", "/api/v1/catalog-queries/get_query_by_hash?hash={hash}", ADMINS, _QUERY),
    of_catalog("get_content_metadata", _PAGE, version=2),
    of_catalog(CONTAINING, _CONTAINS, version=2),
    of_customer(DOCUMENT, _DOCUMENT | {"enrollment_url", "active"}, version=2, unknown=404),
    of_customer(CONTAINING, _CONTAINS, version=2),
    of_customer("filter_content_items/", frozenset({"filtered_content_keys"}), version=2, method="post", body=SENT),
)


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """A catalog that is filled from course-discovery, but has content."""
    query = CatalogQueryFactory.create()
    catalog = CatalogFactory.create(catalog_query=query, customer=CustomerFactory.create(uuid=CUSTOMER), content=[KEY])
    query.source, query.content_filter, query.content_filter_hash = "discovery", FILTER, FILTER_HASH
    query.save()
    return catalog


def send(client: APIClient, endpoint: Endpoint, found: EnterpriseCatalog, **others: object) -> Any:
    names = {"catalog": found.pk, "customer": CUSTOMER, "query": found.catalog_query_id, "hash": FILTER_HASH, **others}
    method = getattr(client, endpoint.method)
    path = endpoint.path.format(**names)
    return method(path, endpoint.body, format="json") if endpoint.body else method(path)


def body_of(response: Any) -> Any:
    return json.loads(response.getvalue() or "{}")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_each_role_gets_the_shape_or_no_access(
    client_with: Callable[..., APIClient], catalog: EnterpriseCatalog, endpoint: Endpoint
) -> None:
    clients = {role: client_with(f"{role}:{CUSTOMER}") for role in ROLES}

    denied = [send(clients[role], endpoint, catalog) for role in ROLES if role not in endpoint.allowed]
    given = [send(clients[role], endpoint, catalog) for role in ROLES if role in endpoint.allowed]

    assert [response.status_code for response in denied] == [403] * len(denied)
    assert all({"detail", "code"} <= response.json().keys() for response in denied)
    assert given[0].status_code == endpoint.status
    assert {response.status_code for response in given[1:]} <= {200}
    assert all(endpoint.members <= body_of(response).keys() for response in given)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.allowed != EVERYBODY], ids=name_of)
def test_a_role_for_another_customer_and_no_token_have_no_access(
    client_with: Callable[..., APIClient], catalog: EnterpriseCatalog, endpoint: Endpoint
) -> None:
    client = client_with(f"{ADMIN}:{UUID(int=99)}")

    other = send(client, endpoint, catalog)
    client.credentials()
    anonymous = send(client, endpoint, catalog)

    is_own = "catalog-queries" in endpoint.path  # Queries belong to no customer; foreign ones are missing.
    assert other.status_code in ({200, 403, 404} if is_own else {403})
    if other.status_code == 200:
        assert other.json()["results"] == []
    assert anonymous.status_code == 401


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if "{c" in each.path], ids=name_of)
def test_an_unknown_catalog_or_customer_is_answered_in_json(
    operator: APIClient, catalog: EnterpriseCatalog, endpoint: Endpoint
) -> None:
    response = send(operator, endpoint, catalog, catalog=UUID(int=98), customer=UUID(int=99))

    assert response.status_code == endpoint.unknown
    assert response.json()


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if "{customer}/" in each.path], ids=name_of)
def test_a_customer_that_is_no_uuid_is_a_bad_request(
    operator: APIClient, catalog: EnterpriseCatalog, endpoint: Endpoint
) -> None:
    response = send(operator, endpoint, catalog, customer="acme")

    assert response.status_code == 400
    assert response.json() == {"enterprise_customer": ["Must be a valid UUID."], "code": "invalid"}


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.method == "get"], ids=name_of)
def test_xml_is_not_acceptable(operator: APIClient, catalog: EnterpriseCatalog, endpoint: Endpoint) -> None:
    path = f"{endpoint.path}{'&' if '?' in endpoint.path else '?'}format=xml"

    by_parameter = send(operator, Endpoint("get", path, EVERYBODY), catalog)
    operator.defaults["HTTP_ACCEPT"] = "application/xml"
    by_header = send(operator, endpoint, catalog)

    for response in (by_parameter, by_header):
        assert response.status_code == 406
        assert response.json()["code"] == "not_acceptable"


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.method == "get"], ids=name_of)
def test_each_address_works_with_and_without_its_final_slash(
    operator: APIClient, catalog: EnterpriseCatalog, endpoint: Endpoint
) -> None:
    path, mark, query = endpoint.path.partition("?")
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"

    response = send(operator, Endpoint("get", f"{other}{mark}{query}", EVERYBODY), catalog)

    assert response.status_code == 200
    assert endpoint.members <= body_of(response).keys()


def test_the_hash_of_a_filter_in_the_body_of_a_get(admin_of: Callable[[UUID], APIClient]) -> None:
    path = "/api/v1/catalog-queries/get_content_filter_hash"

    response = admin_of(CUSTOMER).generic("GET", path, '{"content_type": "course"}', content_type="application/json")

    assert response.status_code == 200
    assert len(response.json()) == 32


def test_distinct_queries_are_for_staff(client_with: Callable[..., APIClient], catalog: EnterpriseCatalog) -> None:
    body = {"enterprise_catalog_uuids": [str(catalog.pk)]}
    path = "/api/v1/distinct-catalog-queries/"

    staff = client_with(administrator=True).post(path, body)
    admin = client_with(f"{ADMIN}:*").post(path, body)

    assert staff.json() == {
        "num_distinct_query_ids": 1,
        "catalog_uuids_by_catalog_query_id": {str(catalog.catalog_query_id): [str(catalog.pk)]},
    }
    assert admin.status_code == 403


def test_search_keys_are_not_offered(operator: APIClient) -> None:
    response = operator.get(f"/api/v1/enterprise-customer/{CUSTOMER}/secured-algolia-api-key/")

    assert response.status_code == 404
    assert response.json()["code"] == "not_offered"


def test_a_second_creation_with_the_same_uuid_is_an_update(operator: APIClient) -> None:
    statuses = [operator.post(CATALOGS, creation()).status_code for _ in range(2)]

    assert statuses == [201, 200]
    assert operator.get(f"{CATALOGS}{CATALOG}").json()["uuid"] == str(CATALOG)


def test_a_diff_by_url_takes_at_most_100_keys(operator: APIClient, catalog: EnterpriseCatalog) -> None:
    path = f"{CATALOGS}{catalog.pk}/generate_diff"
    posted = operator.post(path, {"content_keys": [KEY, "edX+Gone"]}).json()

    assert operator.get(path, {"content_keys": ["edX DemoX", "edX+Gone"]}).json() == posted
    assert operator.get(path, {"content_keys": [f"k{number}" for number in range(101)]}).status_code == 400
