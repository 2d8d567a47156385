"""Failures of the catalog service. No failure is treated as an empty catalog."""

from __future__ import annotations

import threading
import uuid
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import pytest
from werkzeug import Response

from enterprise_catalog.db.timestamps import format_time
from enterprise_catalog.integrated_channels.catalog_api import client as catalog_client
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.domain import History
from enterprise_catalog.integrated_channels.exceptions import (
    CatalogUnavailableError,
    ChangesUnavailableError,
    NoChangesReason,
)
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_desired_items
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories import DAY_ONE, DAY_TWO
from tests.integrated_channels.scripted_catalog import TOKEN, ScriptedCatalog
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

CATALOG: Final = uuid.UUID("22222222-2222-4222-8222-222222222222")
CUSTOMER: Final = uuid.UUID("11111111-1111-4111-8111-111111111111")
SECRET: Final = "the-scripted-clients-secret"

EMPTY: Final[dict[str, list[object]]] = {
    "enterprise-catalogs": [{"next": None, "results": []}],
    "content-diff": [{"catalog_version": "1", "existing": [], "to_create": [], "to_delete": []}],
    "content-changes": [{"created": [], "changed": [], "removed": [], "next": None, "catalog_version": "1"}],
    "content-metadata": [
        {"catalog_version": "1", "results": [], "missing": [{"content_key": "A", "reason": "not_in_catalog"}]}
    ],
    "content-lookup": [{"is_known": False}],
}

each_question = pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda client: client.list_catalogs(CUSTOMER), id="list_catalogs"),
        pytest.param(lambda client: client.list_catalogs_if_changed('"1"', CUSTOMER), id="list_catalogs_if_changed"),
        pytest.param(lambda client: client.fetch_diff(CATALOG, []), id="diff"),
        pytest.param(lambda client: client.fetch_metadata(CATALOG, ["A"]), id="metadata"),
        pytest.param(lambda client: client.look_up(CUSTOMER, "A"), id="look_up"),
    ],
)


@pytest.fixture
def catalog(scripted_catalog: ScriptedCatalog, settings: Settings) -> ScriptedCatalog:
    """A catalog service without content, unless a test scripts other responses."""
    scripted_catalog.answers |= {name: [*answers] for name, answers in EMPTY.items()}
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = "scripted", SECRET
    return scripted_catalog


@pytest.fixture
def client(catalog: ScriptedCatalog) -> Iterator[CatalogClient]:  # noqa: ARG001  (sets its URL)
    with CatalogClient() as client:
        yield client


def reason_of(ask: Callable[[CatalogClient], object], client: CatalogClient) -> str:
    """Return the error message of a failed request. Asserts that it contains no secret."""
    with pytest.raises(CatalogUnavailableError) as raised:
        ask(client)
    assert SECRET not in raised.value.message
    assert TOKEN not in raised.value.message
    return raised.value.message


@each_question
def test_without_a_failure_the_question_is_answered(client: CatalogClient, ask: Callable[[CatalogClient], Any]) -> None:
    assert ask(client) is not None


@each_question
@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 413, 429, 500, 502, 503, 201, 204])
def test_any_status_but_200_is_a_failure(
    catalog: ScriptedCatalog, client: CatalogClient, ask: Callable[[CatalogClient], object], status: int
) -> None:
    catalog.faults.set(
        [
            Fault(kind=FaultKind.ANSWER, operation="enterprise-catalogs", status=status),
            Fault(kind=FaultKind.ANSWER, operation="content-*", status=status),
        ]
    )

    assert f"The catalog service returned {status} for " in reason_of(ask, client)


@each_question
def test_our_credentials_in_an_error_are_not_reported(
    catalog: ScriptedCatalog, client: CatalogClient, ask: Callable[[CatalogClient], object]
) -> None:
    echo = Response(f"You sent Authorization: JWT {TOKEN}, and {b64encode(SECRET.encode()).decode()}.", status=500)
    catalog.answers |= {name: [echo] for name in EMPTY}

    assert reason_of(ask, client).endswith("You sent Authorization: JWT [secret], and [secret].")


def test_the_redirect_of_a_login_is_reported_without_our_secret(
    catalog: ScriptedCatalog, client: CatalogClient
) -> None:
    there = Response(status=302, headers={"Location": f"/nowhere/access_token?client_secret={SECRET}"})
    catalog.answers["access_token"] = [there, Response(status=404)]

    assert "redirects to /nowhere/access_token?client_secret=[secret]" in reason_of(
        lambda asking: asking.list_catalogs(CUSTOMER), client
    )


@each_question
def test_a_redirect_is_not_followed(
    catalog: ScriptedCatalog, client: CatalogClient, ask: Callable[[CatalogClient], object]
) -> None:
    moved = Response(status=302, headers={"Location": "/api/v1/enterprise-catalogs/content-diff/"})
    catalog.answers |= {name: [moved] for name in EMPTY}

    assert "returned 302" in reason_of(ask, client)
    assert len(catalog.requests) == len(["the token", "the question"])


@each_question
@pytest.mark.parametrize(
    "body",
    ["", "<html>Log in</html>", "null", "[]", "{}", '{"detail": "?"}', '"x"', '{"results": {}}', '{"resul', "\ufeff[]"],
)
def test_a_200_that_is_no_answer_is_a_failure(
    catalog: ScriptedCatalog, client: CatalogClient, ask: Callable[[CatalogClient], object], body: str
) -> None:
    catalog.faults.set(
        [
            Fault(kind=FaultKind.ANSWER, operation="enterprise-catalogs", status=200, body=body),
            Fault(kind=FaultKind.ANSWER, operation="content-*", status=200, body=body),
        ]
    )

    assert reason_of(ask, client).startswith("The catalog service's response ")


@each_question
@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
@pytest.mark.parametrize("skip", [0, 1], ids=["token", "answer"])
def test_a_connection_that_breaks_is_a_failure(
    catalog: ScriptedCatalog,
    client: CatalogClient,
    ask: Callable[[CatalogClient], object],
    kind: FaultKind,
    skip: int,
    settings: Settings,
) -> None:
    catalog.faults.add(Fault(kind=kind, skip=skip))

    expected = (
        "The catalog service is unreachable: " if skip else f"The token endpoint of {settings.OAUTH2_PROVIDER_URL}"
    )
    assert reason_of(ask, client).startswith(expected)


@each_question
def test_an_answer_that_does_not_come_in_time_is_a_failure(
    catalog: ScriptedCatalog,
    client: CatalogClient,
    ask: Callable[[CatalogClient], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_up = threading.Event()
    monkeypatch.setattr(catalog.faults, "sleep", lambda _: given_up.wait(timeout=10))
    catalog.faults.add(Fault(kind=FaultKind.DELAY, skip=1))
    monkeypatch.setattr(client._connection, "_read_timeout_seconds", 0.02)

    reason = reason_of(ask, client)
    given_up.set()

    assert "timed out" in reason


@each_question
@pytest.mark.usefixtures("catalog")
def test_a_service_that_is_not_there_is_a_failure(settings: Settings, ask: Callable[[CatalogClient], object]) -> None:
    settings.CATALOG_API_URL = f"http://127.0.0.1:{free_port()}"

    with CatalogClient() as client:
        assert "no connection. Check that it is running" in reason_of(ask, client)


# --- the token ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_a_token_end_point_that_refuses_is_a_failure(
    catalog: ScriptedCatalog, client: CatalogClient, status: int
) -> None:
    catalog.faults.add(Fault(kind=FaultKind.ANSWER, operation="access_token", status=status, body=f"no {SECRET}"))

    reason = reason_of(lambda client: client.fetch_diff(CATALOG, []), client)

    assert f" returned {status}. " in reason
    assert catalog.calls == {"access_token": 1}


@pytest.mark.parametrize(
    "body", ["<html>Sign in</html>", "", "null", "[]", '"x"', "{}", '{"access_token": "x", "expires_in": "soon"}']
)
def test_a_token_end_point_that_answers_without_a_token_is_a_failure(
    catalog: ScriptedCatalog, client: CatalogClient, body: str
) -> None:
    catalog.faults.add(Fault(kind=FaultKind.ANSWER, operation="access_token", status=200, body=body))

    reason = reason_of(lambda client: client.fetch_diff(CATALOG, []), client)

    assert reason.startswith("The token endpoint of ")
    assert reason.endswith("Check OAUTH2_PROVIDER_URL: it ends with /oauth2, without /access_token.")
    assert catalog.calls == {"access_token": 1}


def test_a_token_is_requested_once_and_sent_like_open_edxs(catalog: ScriptedCatalog, client: CatalogClient) -> None:
    client.fetch_diff(CATALOG, [])
    client.fetch_diff(CATALOG, [])

    assert catalog.calls == {"access_token": 1, "content-diff": 2}
    assert {request.headers.get("Authorization") for request in catalog.requests[1:]} == {f"JWT {TOKEN}"}


def test_a_token_that_no_cache_keeps_is_kept_by_the_process(
    catalog: ScriptedCatalog,
    client: CatalogClient,
    no_cache: None,  # noqa: ARG001  (requested last: the other fixtures empty the cache)
) -> None:
    client.fetch_diff(CATALOG, [])
    client.fetch_diff(CATALOG, [])

    assert catalog.calls == {"access_token": 1, "content-diff": 2}


# --- incomplete responses ---------------------------------------------------------------------------------------------


def test_a_diff_that_leaves_keys_out_does_not_mean_that_they_are_gone(client: CatalogClient) -> None:
    reason = reason_of(lambda client: client.fetch_diff(CATALOG, ["A", "B"]), client)

    assert reason == "The catalog service's response omits 2 of 2 keys."


NO_TIMES: Final[list[object]] = ["yesterday", "", None, 5, []]


@pytest.mark.parametrize("entry", [*({"content_key": "A", "updated_at": time} for time in NO_TIMES), {}])
def test_a_diff_whose_times_of_change_cannot_be_read_is_a_failure(
    catalog: ScriptedCatalog, client: CatalogClient, entry: dict[str, object]
) -> None:
    catalog.answers["content-diff"] = [
        {"catalog_version": "1", "existing": [entry], "to_create": [], "to_delete": []},
    ]

    reason = reason_of(lambda client: load_desired_items([CATALOG], History({}, {}), client), client)

    assert reason.startswith("The catalog service's response is invalid: existing")


def test_metadata_that_leaves_keys_out_does_not_mean_that_they_are_missing(client: CatalogClient) -> None:
    reason = reason_of(lambda client: client.fetch_metadata(CATALOG, ["A", "B", "C"]), client)

    assert reason == "The catalog service's response omits 2 of 3 keys."


def test_a_catalog_that_changes_between_two_parts_of_a_diff_is_requested_later(
    catalog: ScriptedCatalog, client: CatalogClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_client, "MAX_DIFF_KEYS", 1)
    answer: dict[str, object] = {"existing": [], "to_create": []}
    catalog.answers["content-diff"] = [
        {**answer, "catalog_version": "1", "to_delete": ["A"]},
        {**answer, "catalog_version": "2", "to_delete": ["B"]},
    ]

    reason = reason_of(lambda client: client.fetch_diff(CATALOG, ["A", "B"]), client)

    assert reason == f"Catalog {CATALOG} changed during the comparison. The next run compares it again."


def test_all_pages_of_catalogs_are_read(catalog: ScriptedCatalog, client: CatalogClient, settings: Settings) -> None:
    following = f"{settings.CATALOG_API_URL}/api/v1/enterprise-catalogs/?page=2"
    catalog.answers["enterprise-catalogs"] = [
        {"next": following, "results": [{"uuid": str(CATALOG)}]},
        {"next": None, "results": [{"uuid": str(CUSTOMER)}]},
    ]

    assert client.list_catalogs(CUSTOMER).uuids == [CUSTOMER, CATALOG]


def test_a_page_of_catalogs_that_fails_is_not_the_last_page(
    catalog: ScriptedCatalog, client: CatalogClient, settings: Settings
) -> None:
    following = f"{settings.CATALOG_API_URL}/api/v1/enterprise-catalogs/?page=2"
    catalog.answers["enterprise-catalogs"] = [{"next": following, "results": [{"uuid": str(CATALOG)}]}]
    catalog.faults.add(Fault(kind=FaultKind.ANSWER, operation="enterprise-catalogs", skip=1))

    assert "returned 503" in reason_of(lambda client: client.list_catalogs(CUSTOMER), client)


# --- changes since a version ------------------------------------------------------------------------------------------


def page(**parts: object) -> dict[str, object]:
    return {"created": [], "changed": [], "removed": [], "next": None, "catalog_version": "2"} | parts


def entry(key: str, time: object = format_time(DAY_ONE)) -> dict[str, object]:
    return {"content_key": key, "updated_at": time}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"next": None, "catalog_version": "2"}, id="no lists"),
        *(pytest.param(page(changed=[entry("A", time)]), id=f"time: {time}") for time in NO_TIMES),
        pytest.param(page(created=[{"content_key": "A"}]), id="no time"),
        pytest.param(page(removed=[None]), id="no key"),
        pytest.param(page(created=[entry("A")], changed=[entry("A")]), id="created and changed"),
        pytest.param(page(changed=[entry("A")], removed=["A"]), id="changed and removed"),
        pytest.param(page(removed=["A", "A"]), id="twice in one list"),
        pytest.param(page(catalog_version=None), id="no version on the last page"),
        pytest.param(page(catalog_version=""), id="empty version on the last page"),
    ],
)
def test_changes_that_cannot_be_read_are_a_failure(
    catalog: ScriptedCatalog, client: CatalogClient, body: dict[str, object]
) -> None:
    catalog.answers["content-changes"] = [body]

    reason = reason_of(lambda client: client.fetch_changes(CATALOG, "1"), client)

    assert reason.startswith("The catalog service's response is invalid: ")


def test_pages_of_changes_are_merged(catalog: ScriptedCatalog, client: CatalogClient, settings: Settings) -> None:
    following = f"{settings.CATALOG_API_URL}/content-changes/?cursor=2"
    catalog.answers["content-changes"] = [
        page(created=[entry("A"), entry("B")], removed=["C"], next=following, catalog_version=None),
        page(changed=[entry("A", format_time(DAY_TWO))], created=[entry("C")], removed=["B"]),
    ]

    changes = client.fetch_changes(CATALOG, "1 &")

    assert changes.present == {"A": DAY_TWO, "C": DAY_ONE}
    assert (changes.removed, changes.joined, changes.version) == ({"B"}, {"A", "B"}, "2")
    assert catalog.requests[1].args["since"] == "1 &"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_changes_that_the_service_does_not_have_ask_for_a_full_comparison(
    catalog: ScriptedCatalog, client: CatalogClient, status: int
) -> None:
    catalog.answers["content-changes"] = [Response("no", status)]

    with pytest.raises(ChangesUnavailableError) as raised:
        client.fetch_changes(CATALOG, "1")

    assert raised.value.reason == NoChangesReason.EXPIRED


@pytest.mark.parametrize("keys", [[], ["A", "B", "C"]], ids=["empty pages", "full pages"])
def test_endless_changes_ask_for_a_full_comparison(
    catalog: ScriptedCatalog,
    client: CatalogClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    keys: list[str],
) -> None:
    monkeypatch.setattr(catalog_client, "MAX_CHANGES", 10)
    following = f"{settings.CATALOG_API_URL}/content-changes/"
    catalog.answers["content-changes"] = [page(changed=[entry(key) for key in keys], next=following)]

    with pytest.raises(ChangesUnavailableError) as raised:
        client.fetch_changes(CATALOG, "1")

    assert raised.value.reason == NoChangesReason.MANY


def test_versions_of_single_items_belong_to_the_expected_version_of_the_catalog(
    catalog: ScriptedCatalog, client: CatalogClient
) -> None:
    document = {"content_key": "A", "content_last_modified": format_time(DAY_ONE)}
    missing = [{"content_key": "B", "reason": "not_in_catalog"}]
    catalog.answers["content-metadata"] = [{"catalog_version": "2", "results": [document], "missing": missing}]

    assert client.fetch_versions(CATALOG, ["A", "B"], at="2") == {"A": DAY_ONE}
    assert reason_of(lambda client: client.fetch_versions(CATALOG, ["A", "C"], at="2"), client).endswith("1 of 2 keys.")
    with pytest.raises(ChangesUnavailableError) as raised:
        client.fetch_versions(CATALOG, ["A", "B"], at="1")
    assert raised.value.reason == NoChangesReason.MOVED
