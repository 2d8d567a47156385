"""``POST /oauth2/access_token``: exchanges client credentials for an API token."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from django.contrib.auth import get_user_model
from edx_rest_api_client.client import OAuthAPIClient, get_oauth_access_token
from rest_framework.test import APIClient

from enterprise_catalog.catalog.models import CatalogRoleAssignment
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db


def ask(client: Client, settings: Settings, **changes: Any) -> Any:
    """Request a token as Open edX's clients do. ``changes`` replace form fields; None removes a field."""
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.OAUTH2_CLIENT_ID,
        "client_secret": settings.OAUTH2_CLIENT_SECRET,
        "token_type": "jwt",
        **changes,
    }
    return client.post("/oauth2/access_token", {name: value for name, value in form.items() if value is not None})


def claims_in(answer: Any) -> dict[str, Any]:
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


def test_it_issues_a_token_that_opens_all_catalogs(client: Client, settings: Settings) -> None:
    catalog = CatalogFactory.create()

    answer = ask(client, settings)

    token = answer.json()["access_token"]
    found = APIClient().get(f"/api/v1/enterprise-catalogs/{catalog.pk}/", headers={"authorization": f"JWT {token}"})
    assert answer.status_code == found.status_code == 200
    assert answer.json()["expires_in"] == 3600


def test_the_token_names_the_clients_user_and_roles(client: Client, settings: Settings) -> None:
    claims = claims_in(ask(client, settings))

    assert claims["preferred_username"] == settings.OAUTH2_CLIENT_ID
    assert claims["roles"] == ["enterprise_openedx_operator:*"]
    assert claims["iss"] == settings.JWT_AUTH["JWT_ISSUER"]
    assert claims["exp"] == claims["iat"] + 3600


def test_the_token_follows_the_roles_of_the_clients_user(client: Client, settings: Settings) -> None:
    catalog = CatalogFactory.create()
    CatalogRoleAssignment.objects.update(
        applies_to_all_contexts=False, enterprise_customer_uuid=catalog.enterprise_customer_id
    )

    claims = claims_in(ask(client, settings))

    assert claims["roles"] == [f"enterprise_openedx_operator:{catalog.enterprise_customer_id}"]


def test_two_tokens_of_one_second_differ(client: Client, settings: Settings) -> None:
    answers = [ask(client, settings) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.json()["access_token"] for answer in answers}) == 3


def test_it_takes_client_and_secret_from_the_header(client: Client, settings: Settings) -> None:
    pair = f"{settings.OAUTH2_CLIENT_ID}:{settings.OAUTH2_CLIENT_SECRET}".encode()

    answer = client.post(
        "/oauth2/access_token",
        {"grant_type": "client_credentials"},
        headers={"authorization": f"Basic {base64.b64encode(pair).decode()}"},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"client_secret": "wrong"}, {"client_secret": ""}, {"client_secret": None}, {"client_id": "unknown"}],
)
def test_it_refuses_a_wrong_client_or_secret(client: Client, settings: Settings, changes: dict[str, Any]) -> None:
    answer = ask(client, settings, **changes)

    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client"}


def test_it_issues_no_token_for_a_password(client: Client, settings: Settings) -> None:
    get_user_model().objects.create_user("someone", password="password")

    answer = ask(client, settings, grant_type="password", username="someone", password="password")

    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


def test_open_edxs_client_gets_a_token_and_a_diff_over_http(live_server: LiveServer, settings: Settings) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])

    with OAuthAPIClient(live_server.url, settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET) as client:
        answer = client.post(
            f"{live_server.url}/api/v1/enterprise-catalogs/{catalog.pk}/content-diff/",
            json={"content_keys": ["edX+GoneX"]},
            timeout=30,
        )

    assert answer.status_code == 200
    assert answer.json()["to_create"] == ["edX+DemoX"]
    assert answer.json()["to_delete"] == ["edX+GoneX"]


def test_open_edxs_client_receives_an_error_for_a_wrong_secret(live_server: LiveServer, settings: Settings) -> None:
    with pytest.raises(requests.HTTPError) as error:
        get_oauth_access_token(live_server.url, settings.OAUTH2_CLIENT_ID, "wrong", timeout=(30, 30))

    assert error.value.response.status_code == 401
