"""Tokens, customers, failures and control pages of the Open edX sandbox."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.sandbox.faults import ConnectionCutError, Fault, FaultKind
from enterprise_catalog.sandbox.open_edx import api
from enterprise_catalog.sandbox.open_edx.api import CUSTOMERS_PAGE, REVIEWS_PAGE, SEARCH_PAGE, TOKEN_PAGE
from tests.open_edx import course
from tests.sandbox.open_edx.conftest import CREDENTIALS, NOW

if TYPE_CHECKING:
    import httpx

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

CUSTOMER = "22222222-2222-4222-8222-222222222222"


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_for_an_hour(sandbox: OpenEdxSandbox, anonymous: httpx.Client) -> None:
    answer = anonymous.post(TOKEN_PAGE, data={**CREDENTIALS, "token_type": "jwt"}).json()
    anonymous.headers["Authorization"] = f"JWT {answer['access_token']}"

    assert (answer["expires_in"], answer["token_type"]) == (3600, "JWT")
    assert anonymous.get(REVIEWS_PAGE).status_code == 200
    sandbox.clock = lambda: NOW + timedelta(seconds=3600)
    assert anonymous.get(REVIEWS_PAGE).status_code == 401


@pytest.mark.parametrize(("changed", "status"), [({"client_secret": "x"}, 401), ({"grant_type": "password"}, 400)])
def test_other_credentials_get_no_token(anonymous: httpx.Client, changed: dict[str, str], status: int) -> None:
    assert anonymous.post(TOKEN_PAGE, data={**CREDENTIALS, **changed}).status_code == status


@pytest.mark.parametrize("authorization", [None, "JWT unknown", "JWT a.local.token", "Bearer a.local.token"])
@pytest.mark.parametrize(("method", "page"), [("GET", CUSTOMERS_PAGE), ("GET", REVIEWS_PAGE), ("POST", SEARCH_PAGE)])
def test_every_page_needs_a_token(anonymous: httpx.Client, authorization: str | None, method: str, page: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    assert anonymous.request(method, page, headers=headers).status_code == 401


def test_a_sandbox_may_accept_tokens_of_a_local_site(sandbox: OpenEdxSandbox, anonymous: httpx.Client) -> None:
    sandbox.accepts_any_token = True

    assert anonymous.get(REVIEWS_PAGE, headers={"Authorization": "JWT a.local.token"}).status_code == 200


def test_tokens_can_be_revoked(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.expire_tokens()

    assert client.get(REVIEWS_PAGE).status_code == 401


# --- the LMS --------------------------------------------------------------------------------------------------------


def test_a_customer_is_found_by_uuid(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.put_customer(CUSTOMER, name="Acme", slug="acme", enable_learner_portal=False)
    sandbox.put_customer("other")

    [found] = client.get(CUSTOMERS_PAGE, params={"uuid": CUSTOMER}).json()["results"]
    unknown = client.get(CUSTOMERS_PAGE, params={"uuid": "unknown"}).json()

    assert (found["name"], found["slug"], found["enable_learner_portal"]) == ("Acme", "acme", False)
    assert found["modified"] == "2026-06-01T00:00:00.000000Z"
    assert (unknown["count"], unknown["results"]) == (0, [])


# --- failures -------------------------------------------------------------------------------------------------------


def test_a_list_can_fail_midway_and_then_succeed(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course(f"A+{number}") for number in range(3)])
    sandbox.faults.add(Fault(kind=FaultKind.ANSWER, operation=api.SEARCH, skip=1, retry_after="3"))

    def page(number: int) -> httpx.Response:
        return client.post(SEARCH_PAGE, json={"content_type": "course"}, params={"page": number, "page_size": 1})

    answers = [page(1), page(2), page(2)]

    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert answers[1].headers["Retry-After"] == "3"


def test_a_page_can_be_html_or_break_off(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.ANSWER, operation=api.REVIEWS, status=200, body="<html>"))
    sandbox.faults.add(Fault(kind=FaultKind.TRUNCATE, operation=api.REVIEWS))

    assert client.get(REVIEWS_PAGE).headers["Content-Type"].startswith("text/html")
    with pytest.raises(ConnectionCutError):
        client.get(REVIEWS_PAGE)


@pytest.mark.parametrize(
    ("knob", "count", "results"),
    [({"search_is_empty": True}, 0, 0), ({"lost_results": 1}, 2, 1), ({"lost_results": 9}, 2, 0)],
)
def test_searches_can_lose_results(
    sandbox: OpenEdxSandbox, client: httpx.Client, knob: dict[str, Any], count: int, results: int
) -> None:
    sandbox.documents.put([course("A+1"), course("B+1")])
    client.post("/_sandbox/knobs", json=knob)

    body = client.post(SEARCH_PAGE, json={"content_type": "course"}).json()

    assert (body["count"], len(body["results"])) == (count, results)


def test_a_result_can_lack_its_key(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1"), course("B+1")])
    sandbox.nameless_results = 1

    first, second = client.post(SEARCH_PAGE, json={"content_type": "course"}).json()["results"]

    assert not {"key", "uuid"} & first.keys()
    assert second["key"] == "B+1"


# --- control pages --------------------------------------------------------------------------------------------------


def test_content_can_be_replaced_changed_and_withdrawn(anonymous: httpx.Client) -> None:
    def lines(*documents: dict[str, Any]) -> str:
        return "".join(json.dumps(document) + "\n" for document in documents)

    def titles() -> dict[str, str]:
        return {each["key"]: each["title"] for each in anonymous.get("/_sandbox/content").json()}

    anonymous.put("/_sandbox/content", content=lines(course("A+1"), course("B+1")))
    anonymous.post("/_sandbox/content", content=lines(course("B+1", title="New"), course("C+1")))
    assert titles() == {"A+1": "Title of A+1", "B+1": "New", "C+1": "Title of C+1"}

    anonymous.post("/_sandbox/withdrawn", json=["A+1", "C+1"])
    assert titles() == {"B+1": "New"}

    anonymous.put("/_sandbox/content", content=lines(course("D+1")))
    assert titles() == {"D+1": "Title of D+1"}


def test_an_unchanged_document_keeps_its_time(sandbox: OpenEdxSandbox) -> None:
    sandbox.documents.put([course("A+1"), course("B+1")])
    sandbox.documents.now = lambda: NOW + timedelta(hours=1)

    sandbox.documents.replace([course("A+1"), course("B+1", title="New")])

    assert {record.key: record.changed_at for record in sandbox.documents.of_kind("course")} == {
        "A+1": NOW,
        "B+1": NOW + timedelta(hours=1),
    }


def test_customers_can_be_stored(anonymous: httpx.Client, sandbox: OpenEdxSandbox) -> None:
    anonymous.post("/_sandbox/customers", json=[{"uuid": CUSTOMER, "name": "Acme"}])

    assert sandbox.customers[CUSTOMER]["name"] == "Acme"


@pytest.mark.parametrize(
    ("method", "page", "body", "reason"),
    [
        ("PUT", "content", "{}\n", "line 1: the content type"),
        ("PUT", "content", '{"content_type": "course"}', "line 1: a document of the kind course has no key"),
        ("PUT", "content", '{"content_type": "course", "key": "A+1"}\n{', "line 2: not JSON"),
        ("PUT", "content", "[]", "line 1: not a JSON object"),
        ("POST", "withdrawn", "{}", "list"),
        ("POST", "customers", "[1]", "dict"),
        ("POST", "knobs", '{"unknown": 1}', "no knob"),
    ],
)
def test_bad_input_of_a_control_page_changes_nothing(
    sandbox: OpenEdxSandbox, anonymous: httpx.Client, method: str, page: str, body: str, reason: str
) -> None:
    sandbox.documents.put([course("A+0")])

    response = anonymous.request(method, f"/_sandbox/{page}", content=body)

    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert [record.key for record in sandbox.documents.of_kind("course")] == ["A+0"]


def test_the_pages_of_every_sandbox_are_there(sandbox: OpenEdxSandbox, client: httpx.Client) -> None:
    sandbox.documents.put([course("A+1")])
    client.get(REVIEWS_PAGE)

    assert client.get("/_sandbox/calls").json() == {api.TOKEN: 1, api.REVIEWS: 1}
    assert client.get("/_sandbox/offered").status_code == 404
    assert client.post("/_sandbox/reset").status_code == 204
    assert client.get("/_sandbox/content").json() == []
