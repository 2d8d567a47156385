"""The sandbox Canvas's consent page and tokens."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.canvas.settings import CLIENT_ID
from tests.sandbox.canvas.client import CanvasClient

REDIRECT_URI = "https://catalog.example.org/authorized"
ASKED = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT_URI, "state": "s"}


@pytest.fixture
def canvas() -> CanvasSandbox:
    return CanvasSandbox(clock=lambda: 1_795_400_000.0)


def redirect_query(client: CanvasClient, **fields: str) -> dict[str, list[str]]:
    """Request consent, and return the query parameters of the redirect."""
    answer = client.http.get("/login/oauth2/auth", params={**ASKED, **fields})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT_URI)
    return parse_qs(urlsplit(answer.headers["location"]).query)


def test_a_consent_comes_back_at_once_with_a_code_that_is_good_for_a_refresh_token(client: CanvasClient) -> None:
    came = redirect_query(client)
    grant = client.grant(grant_type="authorization_code", code=came["code"][0], redirect_uri=REDIRECT_URI).json()
    again = client.grant(refresh_token=grant["refresh_token"]).json()

    assert came["state"] == ["s"]
    assert (grant["token_type"], grant["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in again
    assert client.grant(refresh_token=grant["refresh_token"]).status_code == 200


def test_a_redirect_uri_may_have_a_query_of_its_own(client: CanvasClient) -> None:
    assert redirect_query(client, redirect_uri=f"{REDIRECT_URI}?a=b").keys() == {"a", "code", "state"}


def test_a_person_may_refuse(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.consents = False

    assert redirect_query(client) == {"error": ["access_denied"], "state": ["s"]}


@pytest.mark.parametrize("scope", ["", "url:GET|/api/v1/accounts"])
def test_enforced_scopes_have_to_be_requested(canvas: CanvasSandbox, client: CanvasClient, scope: str) -> None:
    canvas.enforced_scopes = {"url:GET|/api/v1/courses/:id"}

    assert redirect_query(client, scope=scope)["error"] == ["invalid_scope"]
    assert "code" in redirect_query(client, scope="url:GET|/api/v1/courses/:id")


@pytest.mark.parametrize(("fields", "status"), [({"client_id": "wrong"}, 401), ({"response_type": "token"}, 400)])
def test_a_question_that_is_not_understood_is_not_redirected(
    client: CanvasClient, fields: dict[str, str], status: int
) -> None:
    assert client.http.get("/login/oauth2/auth", params={**ASKED, **fields}).status_code == status


def test_a_code_is_good_once_and_for_its_own_redirect_uri(client: CanvasClient) -> None:
    def redeemed(code: str, redirect_uri: str) -> int:
        return client.grant(grant_type="authorization_code", code=code, redirect_uri=redirect_uri).status_code

    first, second = redirect_query(client)["code"][0], redirect_query(client)["code"][0]

    assert [redeemed(first, REDIRECT_URI), redeemed(first, REDIRECT_URI)] == [200, 400]
    assert redeemed(second, "https://elsewhere.example.org") == 400


@pytest.mark.parametrize(
    ("fields", "status", "error", "description"),
    [
        ({"client_id": "wrong"}, 401, "invalid_client", "unknown client"),
        ({"client_secret": "wrong"}, 401, "invalid_client", "invalid client"),
        ({"refresh_token": "wrong"}, 400, "invalid_request", "refresh_token not found"),
        ({"grant_type": "authorization_code"}, 400, "invalid_grant", "authorization_code not found"),
        (
            {"grant_type": "password"},
            400,
            "unsupported_grant_type",
            "The grant_type you requested is not currently supported",
        ),
    ],
)
def test_a_rejected_grant_has_a_reason(
    client: CanvasClient, fields: dict[str, str], status: int, error: str, description: str
) -> None:
    answer = client.grant(**fields)

    assert (answer.status_code, answer.json()) == (status, {"error": error, "error_description": description})


def test_a_newer_canvas_calls_an_unknown_refresh_token_by_another_name(canvas: CanvasSandbox) -> None:
    client = CanvasClient(canvas)
    canvas.unknown_refresh_token_error = "invalid_grant"

    assert client.grant(refresh_token="wrong").json()["error"] == "invalid_grant"
