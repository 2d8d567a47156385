"""The operations that each role allows, at every endpoint of catalogs and queries: in tokens and in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment, EnterpriseCatalog
from enterprise_catalog.local_auth.tokens import signed_token
from tests.api.endpoints import CATALOGS, address
from tests.api.lms_requests import CUSTOMER, creation, replacement
from tests.catalog.discovery.refreshes import discovery_query
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

#: The catalog of the customer CUSTOMER.
OWN: Final = UUID(int=21)
OTHER_CUSTOMER: Final = UUID(int=22)
NEW: Final = UUID(int=23)


@dataclass(frozen=True, slots=True)
class Operation:
    """A request, and the role that it needs: ``reader``, ``manager``, ``admin`` or ``staff``."""

    needs: str
    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    #: Callers with the role for another customer get an empty result or 404, not 403.
    is_filtered: bool = False


OPERATIONS: Final = {
    "list": Operation("manager", "GET", CATALOGS, is_filtered=True),
    "list of a customer": Operation("manager", "GET", f"{CATALOGS}?enterprise_customer={CUSTOMER}"),
    "read": Operation("manager", "GET", address(OWN)),
    "create": Operation("manager", "POST", CATALOGS, creation(uuid=str(NEW))),
    "replace": Operation("manager", "PUT", address(OWN), replacement()),
    "change": Operation("manager", "PATCH", address(OWN), {"title": "Changed"}),
    "diff": Operation("reader", "POST", address(OWN, "content-diff/"), {"content_keys": []}),
    "diff for Open edX": Operation("reader", "POST", address(OWN, "generate_diff"), {"content_keys": []}),
    "documents": Operation("reader", "GET", address(OWN, "content-metadata/")),
    "documents by key": Operation("reader", "POST", address(OWN, "content-metadata/"), {"content_keys": ["a"]}),
    "documents for Open edX": Operation("reader", "GET", address(OWN, "get_content_metadata")),
    "queries": Operation("admin", "GET", "/api/v1/catalog-queries/", is_filtered=True),
    "query by hash": Operation(
        "admin", "GET", f"/api/v1/catalog-queries/get_query_by_hash?hash={'0' * 32}", is_filtered=True
    ),
    "hash of a filter": Operation("admin", "GET", "/api/v1/catalog-queries/get_content_filter_hash", is_filtered=True),
    "refresh": Operation("admin", "POST", address(OWN, "refresh_metadata")),
    "distinct queries": Operation(
        "staff", "POST", "/api/v1/distinct-catalog-queries/", {"enterprise_catalog_uuids": [str(OWN)]}
    ),
    "delete": Operation("admin", "DELETE", address(OWN)),
}
#: System role -> the kinds of operations that it allows.
ALLOWED: Final = {
    "enterprise_learner": {"reader"},
    "enterprise_admin": {"reader", "manager", "admin"},
    "enterprise_catalog_admin": {"reader", "manager", "admin"},
    "enterprise_openedx_operator": {"reader", "manager", "admin"},
    "enterprise_provisioning_admin": {"manager"},
}


@pytest.fixture(autouse=True)
def _catalog() -> None:
    CatalogFactory.create(uuid=OWN, customer__uuid=CUSTOMER, catalog_query=discovery_query())


def send(client: APIClient, operation: Operation) -> int:
    """Send the request; return the status."""
    send_it = getattr(client, operation.method.lower())
    response = send_it(operation.path) if operation.method == "GET" else send_it(operation.path, operation.body)
    status: int = response.status_code
    return status


def with_token(*roles: str, **claims: Any) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {signed_token('caller', roles=roles, **claims)}")
    return client


def with_assignment(role: str, customer: UUID | None) -> APIClient:
    """Return a client of a user whose role is in the database; ``None`` means all customers."""
    user = get_user_model().objects.create_user("assigned")
    CatalogRoleAssignment.objects.create(
        user=user,
        role=CatalogRole.objects.get_or_create(name=role)[0],
        enterprise_customer_uuid=customer,
        applies_to_all_contexts=customer is None,
    )
    client = APIClient()
    client.force_login(user)
    return client


def client_of(source: str, role: str, customer: UUID | None) -> APIClient:
    if source == "database":
        return with_assignment(role, customer)
    return with_token(f"{role}:{customer or '*'}")


def refused_to(client: APIClient) -> set[str]:
    """Return the operations that get 403. Runs all of them, in their order; every other status must be a success."""
    statuses = {name: send(client, operation) for name, operation in OPERATIONS.items()}
    assert set(statuses.values()) <= {200, 201, 204, 403, 404}
    assert {name for name, status in statuses.items() if status == 404} <= {"query by hash"}
    return {name for name, status in statuses.items() if status == 403}


def all_except(*kinds: str) -> set[str]:
    """Return the operations that need another role than these."""
    return {name for name, operation in OPERATIONS.items() if operation.needs not in kinds}


@pytest.mark.parametrize("source", ["token", "database"])
@pytest.mark.parametrize("customer", [CUSTOMER, None], ids=["own", "all"])
@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_allows_its_operations_and_no_others(role: str, customer: UUID | None, source: str) -> None:
    assert refused_to(client_of(source, role, customer)) == all_except(*ALLOWED[role])


@pytest.mark.parametrize("source", ["token", "database"])
@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_for_another_customer_allows_nothing(role: str, source: str) -> None:
    before = EnterpriseCatalog.objects.values().get()

    refused = refused_to(client_of(source, role, OTHER_CUSTOMER))

    filtered = {name for name, each in OPERATIONS.items() if each.is_filtered and each.needs in ALLOWED[role]}
    assert refused == all_except() - filtered
    assert EnterpriseCatalog.objects.values().get() == before


def test_a_caller_without_a_role_may_do_nothing() -> None:
    assert refused_to(with_token()) == all_except()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_unknown_caller_may_do_nothing(name: str) -> None:
    assert send(APIClient(), OPERATIONS[name]) == 401


def test_a_provisioning_admin_needs_no_customer() -> None:
    assert refused_to(with_token("enterprise_provisioning_admin")) == all_except("manager")


@pytest.mark.parametrize("is_claimed", [True, False])
def test_staff_list_their_catalogs_and_count_queries(is_claimed: bool) -> None:
    client = with_token(administrator=is_claimed)
    if not is_claimed:
        get_user_model().objects.create_user("caller", is_staff=True)

    assert refused_to(client) == all_except() - {"list", "distinct queries"}


def test_staff_without_a_role_list_no_catalog_and_superusers_list_all() -> None:
    get_user_model().objects.create_superuser("root")
    root = APIClient()
    root.credentials(HTTP_AUTHORIZATION=f"JWT {signed_token('root', roles=())}")

    lists = [client.get(CATALOGS).json()["count"] for client in (with_token(administrator=True), root)]

    assert lists == [0, 1]


def test_a_token_never_makes_a_user_a_member_of_staff() -> None:
    with_token(administrator=True).get(CATALOGS)

    assert get_user_model().objects.get(username="caller").is_staff is False
