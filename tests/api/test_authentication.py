"""Authentication by JWT or session. Any other request gets 401 before its body is read."""

from __future__ import annotations

import functools
import io
import json
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import jwt
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment
from enterprise_catalog.local_auth.keys import new_signing_key
from enterprise_catalog.local_auth.tokens import signed_token
from enterprise_catalog.web.rest.authentication import find_caller
from tests.api.endpoints import CATALOGS, READABLE, TAKING_KEYS, address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

ALL_CATALOGS: Final = "enterprise_openedx_operator:*"
NOWHERE: Final = UUID(int=0)


def claims(**others: Any) -> dict[str, Any]:
    """Return the claims of an accepted token, with ``others`` replaced or added."""
    token = signed_token("caller", roles=(ALL_CATALOGS,))
    return {**jwt.decode(token, options={"verify_signature": False}), **others}


def signed(claims: dict[str, Any]) -> str:
    """Return a token with these claims, signed by the issuer."""
    key = signing_key()
    return jwt.encode(claims, key.key, algorithm="RS512", headers={"kid": key.key_id})


@functools.cache
def signing_key() -> jwt.PyJWK:
    """Return the issuer's key. Checking that its numbers match takes 50 ms."""
    return jwt.PyJWK(settings.LOCAL_AUTH_SIGNING_KEY, algorithm="RS512")


def signed_by_another() -> str:
    key = json.loads(new_signing_key())["private"]
    return jwt.encode(claims(), jwt.PyJWK(key, algorithm="RS512").key, algorithm="RS512")


def signed_with_a_shared_secret() -> str:
    return jwt.encode(claims(), settings.SECRET_KEY, algorithm="HS256")


def signed_with_the_public_key_as_secret() -> str:
    [public] = json.loads(settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"])["keys"]
    return jwt.encode(claims(), public["n"], algorithm="HS256", headers={"kid": public["kid"]})


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    return client


UNACCEPTED: Final[dict[str, Callable[[], str | None]]] = {
    "none": lambda: None,
    "empty": lambda: "JWT",
    "garbage": lambda: "JWT garbage",
    "two words": lambda: "JWT a b",
    "other bytes": lambda: "JWT \xe4\xff",
    "another scheme": lambda: f"Bearer {signed(claims())}",
    "expired": lambda: f"JWT {signed_token('caller', roles=(ALL_CATALOGS,), lifetime_seconds=-1)}",
    "unsigned": lambda: f"JWT {jwt.encode(claims(), '', algorithm='none')}",
    "another signer": lambda: f"JWT {signed_by_another()}",
    "a shared secret": lambda: f"JWT {signed_with_a_shared_secret()}",
    "the public key as secret": lambda: f"JWT {signed_with_the_public_key_as_secret()}",
    "another audience": lambda: f"JWT {signed(claims(aud='elsewhere'))}",
    "another issuer": lambda: f"JWT {signed(claims(iss='https://elsewhere.example.org'))}",
    "a later version": lambda: f"JWT {signed(claims(version='2.0.0'))}",
    "without a user name": lambda: f"JWT {signed(claims(preferred_username=None))}",
}


class UnreadableBody(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError(f"{size} bytes of the body were read")


@pytest.fixture(params=UNACCEPTED)
def unauthenticated(request: pytest.FixtureRequest) -> APIClient:
    """Return a client whose token is missing or invalid."""
    client, header = APIClient(), UNACCEPTED[request.param]()
    if header is not None:
        client.credentials(HTTP_AUTHORIZATION=header)
    return client


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("end", TAKING_KEYS)
def test_unauthenticated_requests_are_rejected_before_their_body_is_read(unauthenticated: APIClient, end: str) -> None:
    catalog = CatalogFactory.create()
    body: dict[str, Any] = {"wsgi.input": UnreadableBody(), "CONTENT_LENGTH": "1000"}

    response = unauthenticated.generic("POST", address(catalog.pk, end), content_type="application/json", **body)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("JWT")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("end", READABLE)
def test_unauthenticated_callers_receive_no_content(unauthenticated: APIClient, end: str) -> None:
    catalog = CatalogFactory.create()

    known, unknown = unauthenticated.get(address(catalog.pk, end)), unauthenticated.get(address(NOWHERE, end))

    assert known.status_code == unknown.status_code == 401
    assert known.content == unknown.content


@pytest.mark.only_on("sqlite")
def test_unauthenticated_callers_receive_no_list(unauthenticated: APIClient) -> None:
    response = unauthenticated.get(CATALOGS)

    assert response.status_code == 401
    assert set(response.json()) == {"detail", "code"}


def test_a_new_caller_gets_a_row_and_a_known_one_keeps_it() -> None:
    for _ in range(2):
        assert (
            bearer(signed(claims(preferred_username="new", email="new@example.org"))).get(CATALOGS).status_code == 200
        )

    [row] = get_user_model().objects.filter(username="new")
    assert (row.email, row.is_active, row.is_staff) == ("new@example.org", True, False)


def test_the_token_corrects_a_callers_address() -> None:
    for email in ("old@example.org", "new@example.org", None):
        bearer(signed(claims(preferred_username="caller", email=email))).get(CATALOGS)

    assert get_user_model().objects.get(username="caller").email == "new@example.org"


def test_a_known_caller_is_found_by_one_statement() -> None:
    caller = bearer(signed(claims()))
    caller.get(CATALOGS)

    with CaptureQueriesContext(connection) as statements:
        caller.get(CATALOGS)

    assert sum(get_user_model()._meta.db_table in statement["sql"] for statement in statements) == 1


@pytest.mark.parametrize("flag", ["is_active", "is_staff", "is_superuser"])
@pytest.mark.parametrize("value", [True, False])
def test_a_caller_has_the_values_of_its_row(flag: str, value: bool) -> None:
    users = get_user_model()._default_manager
    row = users.create(username="caller", email="caller@example.org", **{flag: value})
    names = ("pk", "username", "email", "is_active", "is_staff", "is_superuser", "password", "date_joined")

    found = find_caller("caller")

    expected = users.get(pk=row.pk)
    assert found == expected
    assert [(name, repr(getattr(found, name))) for name in names] == [
        (name, repr(getattr(expected, name))) for name in names
    ]


def test_a_user_is_authenticated_by_the_session() -> None:
    catalog = CatalogFactory.create(courses=1)
    client = session_of(role="enterprise_admin", enterprise_customer_uuid=catalog.enterprise_customer_id)

    response = client.post(address(catalog.pk, "content-diff/"), {"content_keys": []})

    assert response.status_code == 200
    assert response.json()["to_create"] == ["Northwind+C000000"]


def test_a_session_opens_no_other_customers_catalog() -> None:
    catalog = CatalogFactory.create()
    client = session_of(role="enterprise_admin", enterprise_customer_uuid=NOWHERE)

    response = client.post(address(catalog.pk, "content-diff/"), {"content_keys": []})

    assert response.status_code == 403


def test_a_session_with_a_role_for_all_reads_all() -> None:
    catalog = CatalogFactory.create()
    client = session_of(role="enterprise_catalog_admin", applies_to_all_contexts=True)

    statuses = [client.get(address(uuid)).status_code for uuid in (catalog.pk, NOWHERE)]

    assert statuses == [200, 404]


@pytest.mark.parametrize("role", ["enterprise_admin", "role_of_another_service"])
def test_a_session_without_a_customer_or_a_known_role_opens_nothing(role: str) -> None:
    catalog = CatalogFactory.create()
    customer = None if role == "enterprise_admin" else catalog.enterprise_customer_id
    client = session_of(role=role, enterprise_customer_uuid=customer)

    statuses = [client.get(path).status_code for path in (address(catalog.pk), CATALOGS)]

    assert statuses == [403, 403]


def test_a_session_adds_to_what_the_token_allows(client_with: Callable[..., APIClient]) -> None:
    catalog = CatalogFactory.create()
    assign(get_user_model().objects.create_user("caller"), enterprise_customer_uuid=catalog.enterprise_customer_id)

    response = client_with(f"enterprise_learner:{NOWHERE}").get(address(catalog.pk))

    assert response.status_code == 200


def test_a_session_needs_a_csrf_token_to_post() -> None:
    catalog = CatalogFactory.create()
    client = session_of(APIClient(enforce_csrf_checks=True), applies_to_all_contexts=True)

    response = client.post(address(catalog.pk, "content-diff/"), {"content_keys": []})

    assert response.status_code == 403


def test_a_form_with_a_csrf_token_is_never_taken_for_an_empty_body() -> None:
    catalog = CatalogFactory.create(courses=1)
    client = session_of(APIClient(enforce_csrf_checks=True), applies_to_all_contexts=True)
    client.cookies["csrftoken"] = token = "t" * 32
    form = {"csrfmiddlewaretoken": token, "content_keys": "edX+DemoX"}

    response = client.post(
        address(catalog.pk, "generate_diff"), encode_multipart(BOUNDARY, form), content_type=MULTIPART_CONTENT
    )

    assert response.status_code == 415


def test_an_expired_cookie_does_not_spoil_a_session() -> None:
    catalog = CatalogFactory.create()
    client = session_of(applies_to_all_contexts=True)
    client.cookies["edx-jwt-cookie"] = signed_token("someone", roles=(), lifetime_seconds=-1)

    response = client.get(address(catalog.pk))

    assert response.status_code == 200


def session_of(client: APIClient | None = None, **assignment: Any) -> APIClient:
    """Return a client that is logged in as a user with a role assignment in the database."""
    user = get_user_model().objects.create_user("someone")
    assign(user, **assignment)
    client = client or APIClient()
    client.force_login(user)
    return client


def assign(user: Any, *, role: str = "enterprise_admin", **values: Any) -> None:
    CatalogRoleAssignment.objects.create(user=user, role=CatalogRole.objects.get_or_create(name=role)[0], **values)
