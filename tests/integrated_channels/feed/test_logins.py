"""Password guessing at a feed: limited by IP address and by user name, and rejections take constant work."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from cryptography.fernet import MultiFernet
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.sandbox.cornerstone.portal import PASSWORD, USERNAME
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.feed.portal_requests import FEED, TOKEN, basic, token_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.test import Client
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_window")]

CUSTOMER: Final = uuid4()
GUESSES: Final = 300


def a_portal(customer: UUID = CUSTOMER, name: str = USERNAME) -> None:
    credentials = {"username": name, "password": PASSWORD}
    ConfigurationFactory.create(channel_code="CSOD", enterprise_customer_uuid=customer, credentials=credentials)


def come(client: Client, password: str, address: str = "10.9.9.9", **headers: str) -> int:
    sent = {**basic(password=password), **headers}
    return client.get(FEED, {"ciid": str(CUSTOMER)}, headers=sent, REMOTE_ADDR=address).status_code


def test_guesses_with_a_changing_forwarded_for_are_limited(client: Client) -> None:
    a_portal()

    def guess(number: int) -> int:
        forwarded = f"10.{number // 250}.0.{number % 250}"
        return come(client, str(number), **{"X-Forwarded-For": forwarded})

    answers = [guess(number) for number in range(100)]

    assert answers == [401] * 60 + [429] * 40


def test_guesses_from_changing_addresses_are_limited_by_name(client: Client, settings: Settings) -> None:
    settings.FAILURE_THROTTLE_RATE = "60/day"
    a_portal()

    answers = [come(client, str(number), f"10.{number // 250}.0.{number % 250}") for number in range(GUESSES)]

    assert answers == [401] * 60 + [429] * (GUESSES - 60)
    assert come(client, PASSWORD, "10.8.8.8") == 429, "the secret must not be found by guessing on"


def test_guesses_do_not_lock_the_portal_out(client: Client, settings: Settings) -> None:
    settings.FAILURE_THROTTLE_RATE = "3/day"
    a_portal()
    assert come(client, PASSWORD, "192.0.2.7") == 200
    assert [come(client, "x", f"10.0.0.{number}") for number in range(5)] == [401] * 3 + [429] * 2

    token = token_of(client, client_id=USERNAME, client_secret=PASSWORD, remote="192.0.2.7")

    assert come(client, PASSWORD, "192.0.2.7") == 200
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    assert client.get(FEED, {"ciid": str(CUSTOMER)}, headers=headers, REMOTE_ADDR="10.0.0.77").status_code == 200


def test_the_token_endpoint_and_the_feed_count_together(client: Client, settings: Settings) -> None:
    settings.FAILURE_THROTTLE_RATE = "3/day"
    a_portal()
    assert [come(client, "x", f"10.0.0.{number}") for number in range(3)] == [401] * 3

    answer = token_of(client, client_id=USERNAME, client_secret=PASSWORD)

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 86_400


def test_names_that_do_not_exist_are_limited_alike(client: Client, settings: Settings) -> None:
    settings.FAILURE_THROTTLE_RATE = "3/day"

    def guess(number: int, name: str) -> int:
        status: int = token_of(client, client_id=name, client_secret="x", remote=f"10.0.0.{number}").status_code
        return status

    for name in ("unknown", "UNKNOWN", "unknown "):
        assert [guess(number, name) for number in range(4)] == [401] * 3 + [429]


REJECTED: Final[dict[str, Callable[[Client], Any]]] = {
    "wrong password": lambda client: client.get(FEED, {"ciid": str(CUSTOMER)}, headers=basic(password="x")),
    "wrong name": lambda client: client.get(FEED, {"ciid": str(CUSTOMER)}, headers=basic(user="x" * 5_000)),
    "no credentials": lambda client: client.get(FEED, {"ciid": str(CUSTOMER)}),
    "unknown customer": lambda client: client.get(FEED, {"ciid": str(uuid4())}, headers=basic()),
    "no customer": lambda client: client.get(FEED, {"ciid": "x"}, headers=basic()),
    "another's credentials": lambda client: client.get(FEED, {"ciid": str(CUSTOMER)}, headers=basic(user="other")),
}


def test_every_rejection_takes_the_same_work(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    a_portal()
    a_portal(uuid4(), "other")
    work: list[str] = []
    decrypt, compare = MultiFernet.decrypt, secrets.compare_digest

    def counted_decrypt(self: MultiFernet, token: Any) -> bytes:
        work.append("decrypt")
        return decrypt(self, token)

    def counted_compare(one: Any, two: Any) -> bool:
        work.append(f"compare {len(one)}")
        return compare(one, two)

    monkeypatch.setattr(MultiFernet, "decrypt", counted_decrypt)
    monkeypatch.setattr(secrets, "compare_digest", counted_compare)

    def work_of(asked: Callable[[Client], Any]) -> tuple[list[str], list[str], bytes]:
        work.clear()
        with CaptureQueriesContext(connection) as captured:
            answer = asked(client)
        assert answer.status_code == 401
        return list(work), [query["sql"].partition(" WHERE ")[0] for query in captured], answer.content

    of_each = {name: work_of(asked) for name, asked in REJECTED.items()}

    usual = of_each["wrong password"]
    assert {name: each for name, each in of_each.items() if each != usual} == {}
    assert (usual[0], len(usual[1])) == (["decrypt", "compare 64"] * 4, 1)


def test_a_customer_with_three_portals_takes_no_more_work(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two", "three"):
        a_portal(name=name)
    decrypted: list[Any] = []
    decrypt = MultiFernet.decrypt

    def noted(self: MultiFernet, token: Any) -> bytes:
        decrypted.append(token)
        return decrypt(self, token)

    monkeypatch.setattr(MultiFernet, "decrypt", noted)

    for asked in REJECTED.values():
        decrypted.clear()
        assert asked(client).status_code == 401
        assert len(decrypted) == 4, "three of the customer and a decoy, or four decoys"


def test_the_token_endpoint_takes_any_text(client: Client) -> None:
    a_portal()

    answer = client.post(
        TOKEN,
        b'{"grant_type": "client_credentials", "client_id": "\\ud800", "client_secret": "x"}',
        content_type="application/json",
    )

    assert answer.status_code in (400, 401)
