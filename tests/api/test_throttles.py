"""Failed requests are rate-limited by address and by user name; successful requests are not affected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import jwt
import pytest
from rest_framework.test import APIClient

from enterprise_catalog.local_auth.keys import new_signing_key
from enterprise_catalog.local_auth.tokens import signed_token
from tests.api.endpoints import address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("one_window")]

NOWHERE: Final = address(UUID(int=0), "")


@pytest.fixture(autouse=True)
def low_rate(settings: Settings) -> None:
    """Allow 3 failed requests per test."""
    settings.FAILURE_THROTTLE_RATE = "3/day"


def statuses(asked: Callable[[int], Any], *, times: int = 5) -> list[int]:
    answers = [asked(number) for number in range(times)]
    for answer in answers:
        if answer.status_code == 429:
            assert 0 < int(answer["Retry-After"]) <= 86_400
            assert answer.json()["code"] == "throttled"
    return [answer.status_code for answer in answers]


def forged(name: object) -> str:
    key = jwt.PyJWK(json.loads(new_signing_key())["private"], algorithm="RS512").key
    return jwt.encode({"preferred_username": name}, key, algorithm="RS512")


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"JWT {token}"}


def test_a_changing_forwarded_for_does_not_help() -> None:
    client = APIClient()

    assert statuses(lambda n: client.get(NOWHERE, headers={"x-forwarded-for": f"10.0.0.{n}"})) == [401] * 3 + [429] * 2


def test_behind_a_trusted_proxy_each_client_is_counted_apart(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    client = APIClient()

    def asked(number: int) -> Any:
        return client.get(NOWHERE, headers={"x-forwarded-for": f"6.6.6.{number}, 10.0.0.{number % 2}"})

    assert statuses(asked, times=8) == [401] * 6 + [429] * 2


def test_tokens_that_claim_one_name_are_limited_from_changing_addresses() -> None:
    client, token = APIClient(), forged("admin")

    def asked(number: int) -> Any:
        return client.get(NOWHERE, headers=bearing(token), REMOTE_ADDR=f"10.0.0.{number}")

    assert statuses(asked) == [401] * 3 + [429] * 2


@pytest.mark.parametrize("token", ["a.b.c", "a.é.c", "..", "a.W10.c", "a.e30.c", f"a.{'e' * 20_000}.c"])
def test_a_token_without_a_name_is_limited_by_address(token: str) -> None:
    client = APIClient()

    assert statuses(lambda _: client.get(NOWHERE, HTTP_AUTHORIZATION=f"JWT {token}")) == [401] * 3 + [429] * 2


def test_a_caller_without_a_role_is_limited_from_changing_addresses(client_with: Callable[..., APIClient]) -> None:
    client, catalog = client_with(f"enterprise_admin:{UUID(int=1)}"), CatalogFactory.create()

    def asked(number: int) -> Any:
        return client.get(address(catalog.pk, ""), REMOTE_ADDR=f"10.0.0.{number}")

    assert statuses(asked) == [403] * 3 + [429] * 2


def test_failures_of_others_reject_no_request_that_is_allowed(operator: APIClient) -> None:
    catalog, unauthenticated = CatalogFactory.create(), APIClient()
    statuses(lambda _: unauthenticated.get(NOWHERE))
    statuses(lambda _: unauthenticated.get(NOWHERE, headers=bearing(forged("caller"))))

    assert operator.get(address(catalog.pk, "")).status_code == 200


@pytest.mark.usefixtures("no_cache")
def test_without_a_cache_requests_are_answered(operator: APIClient) -> None:
    catalog, unauthenticated = CatalogFactory.create(), APIClient()

    assert statuses(lambda _: unauthenticated.get(NOWHERE)) == [401] * 5
    assert operator.get(address(catalog.pk, "")).status_code == 200


def test_a_request_that_succeeds_is_not_counted_as_refused(
    operator: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = CatalogFactory.create()
    monkeypatch.setattr("enterprise_catalog.web.rest.throttles.count", None)

    assert operator.get(address(catalog.pk, "")).status_code == 200


def test_the_schema_is_limited_by_address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", {"user": "2/minute"})
    client = APIClient()

    def asked(number: int) -> Any:
        return client.get("/api-docs/", headers={"x-forwarded-for": f"10.0.0.{number}"})

    assert [asked(number).status_code for number in range(3)] == [200, 200, 429]
    assert settings.TRUSTED_PROXIES == 0


def test_an_expired_token_is_a_refusal_that_ends_with_a_new_one(operator: APIClient) -> None:
    client, token = APIClient(), signed_token("caller", roles=(), lifetime_seconds=-1)
    assert statuses(lambda _: client.get(NOWHERE, headers=bearing(token))) == [401] * 3 + [429] * 2

    assert operator.get(NOWHERE).status_code == 404
