"""Requests of Open edX's portals: a token in two cookies, from pages of another origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.local_auth.tokens import signed_token
from tests.api.endpoints import CATALOGS, address
from tests.api.lms_requests import creation
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

PORTAL: Final = "https://portal.example.org"


@pytest.fixture(autouse=True)
def _portal(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]
    settings.CSRF_TRUSTED_ORIGINS = [PORTAL]


@pytest.fixture
def browser() -> APIClient:
    """A browser on a page of the portal, with the cookies of an operator."""
    client = APIClient(enforce_csrf_checks=True, HTTP_ORIGIN=PORTAL, HTTP_USE_JWT_COOKIE="true")
    head, payload, signature = signed_token("someone", roles=["enterprise_openedx_operator:*"]).split(".")
    client.cookies["edx-jwt-cookie-header-payload"] = f"{head}.{payload}"
    client.cookies["edx-jwt-cookie-signature"] = signature
    return client


def test_a_token_in_two_cookies_authenticates(browser: APIClient) -> None:
    catalog = CatalogFactory.create()

    response = browser.get(address(catalog.pk))

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == PORTAL
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("missing", ["edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature"])
def test_one_of_the_cookies_is_not_enough(browser: APIClient, missing: str) -> None:
    del browser.cookies[missing]

    assert browser.get(CATALOGS).status_code == 401


def test_a_forged_signature_is_rejected(browser: APIClient) -> None:
    browser.cookies["edx-jwt-cookie-signature"] = "A" * 342

    assert browser.get(CATALOGS).status_code == 401


def test_a_write_needs_a_csrf_token(browser: APIClient) -> None:
    token = browser.get("/csrf/api/v1/token").json()["csrfToken"]

    without = browser.post(CATALOGS, creation(), HTTP_REFERER=f"{PORTAL}/")
    with_token = browser.post(CATALOGS, creation(), HTTP_X_CSRFTOKEN=token, HTTP_REFERER=f"{PORTAL}/")

    assert (without.status_code, with_token.status_code) == (401, 201)


def preflight(path: str, origin: str) -> Any:
    return APIClient().options(
        path,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="use-jwt-cookie,content-type,x-csrftoken",
    )


@pytest.mark.parametrize("path", [CATALOGS, "/csrf/api/v1/token", "/channel_integrations/api/v1/configs/"])
def test_a_preflight_request_is_answered_without_a_token(path: str) -> None:
    response = preflight(path, PORTAL)

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == PORTAL
    assert "use-jwt-cookie" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("path", "origin"),
    [(CATALOGS, "https://elsewhere.example.org"), (CATALOGS, "null"), ("/admin/", PORTAL), ("/health", PORTAL)],
)
def test_other_pages_get_no_permission(path: str, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(path, origin).headers
    assert "Access-Control-Allow-Origin" not in APIClient().get(path, HTTP_ORIGIN=origin).headers
