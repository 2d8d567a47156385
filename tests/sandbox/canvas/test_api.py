"""The sandbox Canvas: authentication, accounts, lists and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.canvas.settings import REFRESH_TOKEN
from tests.sandbox.canvas.client import NOT_FOUND, UNAUTHORIZED, CanvasClient

if TYPE_CHECKING:
    import httpx

NOW = 1_795_400_000.0


@pytest.fixture
def canvas() -> CanvasSandbox:
    return CanvasSandbox(clock=lambda: NOW)


# --- authentication -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "wrong", REFRESH_TOKEN])
def test_an_invalid_token_is_rejected_with_a_header(client: CanvasClient, token: str) -> None:
    client.token = token

    answer = client.send("GET", "accounts")

    assert (answer.status_code, answer.json()) == (401, {"errors": [{"message": "Invalid access token."}]})
    assert "www-authenticate" in answer.headers


def test_a_token_expires(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.expire_tokens()

    assert client.send("GET", "accounts").status_code == 401


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_is_missing_is_refused_without_that_header(status: Literal[401, 403]) -> None:
    canvas = CanvasSandbox(permissions=(), refusal_status=status)

    answers = [
        CanvasClient(canvas).create(),
        CanvasClient(canvas).send("GET", "accounts/1"),
        CanvasClient(canvas).send("GET", "accounts/1/courses"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()) == (status, UNAUTHORIZED)
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "accounts/9"),
        ("GET", "accounts/x"),
        ("POST", "accounts/9/courses"),
        ("GET", "courses/9"),
        ("PUT", "courses/sis_integration_id:A"),
        ("DELETE", "courses/9"),
        ("PATCH", "courses/9"),
        ("GET", "courses"),
        ("GET", "courses/sis_integration_id:A/B"),
    ],
)
def test_what_is_not_there_is_not_found(client: CanvasClient, method: str, path: str) -> None:
    answer = client.send(method, path)

    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_calls_are_counted_by_method_and_path_as_the_documentation_writes_them(
    canvas: CanvasSandbox, client: CanvasClient
) -> None:
    client.create()
    client.send("GET", "courses/sis_integration_id:A")

    assert canvas.calls == {
        "POST /login/oauth2/token": 1,
        "POST /api/v1/accounts/:account_id/courses": 1,
        "GET /api/v1/courses/:id": 1,
    }


def test_a_reset_clears_courses_and_tokens_except_the_published_token(
    canvas: CanvasSandbox, client: CanvasClient
) -> None:
    client.create()

    canvas.reset()

    assert canvas.content() == []
    assert client.send("GET", "accounts").status_code == 401
    assert client.grant().status_code == 200


# --- accounts -------------------------------------------------------------------------------------------------------


def test_accounts_contain_the_root_account(client: CanvasClient) -> None:
    listed = client.send("GET", "accounts").json()

    assert [(account["id"], account["parent_account_id"]) for account in listed] == [(1, None), (2, 1)]
    assert client.send("GET", "accounts/self").json() == listed[0]


def test_permissions_are_returned_by_name(client: CanvasClient) -> None:
    answer = client.send("GET", "accounts/1/permissions?permissions[]=read_sis&permissions[]=manage_sis")

    assert answer.json() == {"read_sis": True, "manage_sis": False}


# --- lists ----------------------------------------------------------------------------------------------------------


def ids(answer: httpx.Response) -> list[int]:
    return [course["id"] for course in answer.json()]


def test_a_list_comes_in_pages_that_name_the_others(canvas: CanvasSandbox, client: CanvasClient) -> None:
    for _ in range(25):
        canvas.table.add()

    first = client.send("GET", "accounts/1/courses?state[]=all")
    last = client.http.get(first.links["last"]["url"], headers={"Authorization": f"Bearer {client.token}"})

    assert (len(ids(first)), len(ids(last))) == (10, 5)
    assert first.links.keys() == {"current", "next", "first", "last"}
    assert last.links.keys() == {"current", "prev", "first", "last"}
    assert "state%5B%5D=all" in first.links["next"]["url"]


def test_no_page_has_more_than_a_hundred(canvas: CanvasSandbox, client: CanvasClient) -> None:
    for _ in range(130):
        canvas.table.add()

    assert len(ids(client.send("GET", "accounts/1/courses", per_page="1000"))) == 100


def test_a_list_has_the_courses_of_the_accounts_within(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add(account_id=1)
    canvas.table.add(account_id=2)

    assert ids(client.send("GET", "accounts/1/courses")) == [101, 102]
    assert ids(client.send("GET", "accounts/2/courses")) == [102]


def test_deleted_courses_are_listed_only_on_request(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add(workflow_state="deleted")
    canvas.table.add(workflow_state="completed")

    assert ids(client.send("GET", "accounts/1/courses")) == [102]
    assert ids(client.send("GET", "accounts/1/courses?state[]=all")) == [101, 102]
    assert ids(client.send("GET", "accounts/1/courses?state[]=deleted")) == [101]


@pytest.mark.parametrize(
    ("term", "found"),
    [("data", [101]), ("CODE", [102]), ("103", [103]), ("sis", [103]), ("key", []), ("da", [101])],
)
def test_a_search_looks_into_name_code_id_and_sis_id_but_not_into_integration_ids(
    canvas: CanvasSandbox, client: CanvasClient, term: str, found: list[int]
) -> None:
    canvas.table.add(name="Data", integration_id="key")
    canvas.table.add(course_code="code-1")
    canvas.table.add(sis_course_id="sis-1")

    assert ids(client.send("GET", "accounts/1/courses", search_term=term)) == found


def test_a_search_for_one_character_is_refused(client: CanvasClient) -> None:
    assert client.send("GET", "accounts/1/courses", search_term="a").status_code == 400


# --- limits ---------------------------------------------------------------------------------------------------------


def test_each_response_has_the_remaining_quota(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.request_cost = 25.0

    remaining = [client.send("GET", "accounts").headers["x-rate-limit-remaining"] for _ in range(2)]

    assert remaining == ["575.0", "550.0"]


@pytest.mark.parametrize(("style", "phrase"), [("403", "403 Forbidden"), ("429", "429 Too Many Requests")])
def test_a_full_bucket_refuses_in_plain_text_and_lets_in_again_once_it_has_drained(style: Any, phrase: str) -> None:
    times = [NOW]
    canvas = CanvasSandbox(clock=lambda: times[-1], request_cost=550.0, throttle_style=style)
    client = CanvasClient(canvas)

    first, second = client.send("GET", "accounts"), client.send("GET", "accounts")
    times.append(NOW + 0.1)
    third = client.send("GET", "accounts")

    assert (first.status_code, third.status_code) == (200, 200)
    assert (second.status_code, second.text) == (int(style), f"{phrase} (Rate Limit Exceeded)\n")
    assert second.headers["content-type"] == "text/plain; charset=utf-8"
    assert second.headers["x-rate-limit-remaining"] == "0.0"
    assert "retry-after" not in second.headers


def test_each_token_has_a_bucket_of_its_own(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.request_cost = 600.0
    client.send("GET", "accounts")

    assert client.send("GET", "accounts").status_code == 403
    assert CanvasClient(canvas).send("GET", "accounts").status_code == 200
