"""Failed requests with a client's secret at the token endpoint are rate-limited per client."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_window"), pytest.mark.only_on("sqlite")]


@pytest.fixture(autouse=True)
def low_rate(settings: Settings) -> None:
    """Allow 3 failed requests per test."""
    settings.FAILURE_THROTTLE_RATE = "3/day"


def ask(client: Client, settings: Settings, secret: str, remote: str, *, basic: bool = False) -> Any:
    name, form = settings.OAUTH2_CLIENT_ID, {"grant_type": "client_credentials"}
    if basic:
        shown = base64.b64encode(f"{name}:{secret}".encode()).decode()
        headers = {"authorization": f"Basic {shown}"}
        return client.post("/oauth2/access_token", form, headers=headers, REMOTE_ADDR=remote)
    form |= {"client_id": name, "client_secret": secret}
    return client.post("/oauth2/access_token", form, REMOTE_ADDR=remote)


def test_guesses_from_changing_addresses_are_limited(client: Client, settings: Settings) -> None:
    def guess(number: int) -> Any:
        return ask(client, settings, str(number), f"10.0.0.{number}", basic=number % 2 == 0)

    answers = [guess(number) for number in range(5)]

    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    assert 0 < int(answers[-1]["Retry-After"]) <= 86_400
    assert answers[-1].json()["error"] == "temporarily_unavailable"


def test_guesses_do_not_lock_the_client_out(client: Client, settings: Settings) -> None:
    assert ask(client, settings, settings.OAUTH2_CLIENT_SECRET, "192.0.2.7").status_code == 200
    for number in range(4):
        ask(client, settings, "x", f"10.0.0.{number}")

    assert ask(client, settings, settings.OAUTH2_CLIENT_SECRET, "192.0.2.7").status_code == 200
    assert ask(client, settings, settings.OAUTH2_CLIENT_SECRET, "192.0.2.8").status_code == 429


@pytest.mark.usefixtures("no_cache")
def test_without_a_cache_tokens_are_issued(client: Client, settings: Settings) -> None:
    assert ask(client, settings, settings.OAUTH2_CLIENT_SECRET, "192.0.2.7").status_code == 200
