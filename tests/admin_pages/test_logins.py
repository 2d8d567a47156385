"""Failed logins are throttled, but no one can lock another user out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client

from enterprise_catalog.admin_pages.logins import DEVICE_COOKIE

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def _user() -> None:
    get_user_model().objects.create_superuser("muller", password="right")


def log_in(client: Client, password: str, *, username: str = "muller", **headers: str) -> Any:
    return client.post(LOGIN, {"username": username, "password": password}, **headers)  # type: ignore[arg-type]


def statuses(client: Client, count: int, **options: str) -> list[int]:
    return [log_in(client, "wrong", **options).status_code for _ in range(count)]


def end_the_pause() -> None:
    for row in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=row.attempt_time - timedelta(minutes=16))


def test_the_fifth_failure_begins_a_pause_that_even_the_right_password_does_not_end(client: Client) -> None:
    assert statuses(client, 5) == [200, 200, 200, 200, 429]

    refused = log_in(client, "right")

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 15 * 60
    assert "Try again in 15 minutes." in refused.content.decode()
    assert "_auth_user_id" not in client.session
    assert statuses(client, 1, username="someone-else") == [200]


def test_attempts_during_the_pause_do_not_make_it_longer(client: Client) -> None:
    statuses(client, 5)
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=10))

    assert statuses(client, 3) == [429, 429, 429]
    assert "Try again in 5 minutes." in log_in(client, "right").content.decode()
    end_the_pause()

    assert log_in(client, "right").status_code == 302


def test_a_login_resets_the_failure_count(client: Client) -> None:
    statuses(client, 4)
    log_in(client, "right")

    assert statuses(Client(), 4) == [200] * 4


def test_failures_from_other_addresses_block_no_login(client: Client) -> None:
    statuses(client, 6, REMOTE_ADDR="198.51.100.7")

    assert log_in(client, "right").status_code == 302


def test_failures_from_the_same_address_do_not_block_a_browser_that_logged_in_before(client: Client) -> None:
    log_in(client, "right")
    client.post("/admin/logout/")
    attacker = Client()

    assert statuses(attacker, 6)[-1] == 429
    assert log_in(client, "right").status_code == 302
    assert log_in(attacker, "right").status_code == 429


def test_a_known_browser_has_only_five_guesses_too(client: Client) -> None:
    log_in(client, "right")
    client.post("/admin/logout/")

    assert statuses(client, 6) == [200, 200, 200, 200, 429, 429]


@pytest.mark.parametrize("forged", ["x", "1234 muller:x:y"])
def test_a_cookie_that_the_site_did_not_sign_makes_no_browser_known(client: Client, forged: str) -> None:
    statuses(client, 5)
    client.cookies[DEVICE_COOKIE] = forged

    assert log_in(client, "right").status_code == 429


def test_a_browser_known_to_one_user_gives_no_further_guesses_for_another_user(client: Client) -> None:
    get_user_model().objects.create_superuser("other", password="right")
    log_in(client, "right", username="other")
    client.post("/admin/logout/")
    statuses(Client(), 5)

    assert log_in(client, "wrong").status_code == 429


def test_a_changing_user_agent_or_forwarded_address_gives_no_further_guesses(client: Client) -> None:
    answers = [
        log_in(client, "wrong", HTTP_USER_AGENT=f"agent {number}", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
    assert AccessAttempt.objects.count() == 1


def test_clients_behind_a_trusted_proxy_are_distinguished(client: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    statuses(client, 5, HTTP_X_FORWARDED_FOR="192.0.2.1")

    assert log_in(client, "right", HTTP_X_FORWARDED_FOR="192.0.2.1").status_code == 429
    assert log_in(client, "right", HTTP_X_FORWARDED_FOR="192.0.2.2").status_code == 302


def test_addresses_of_one_ipv6_site_count_together(client: Client) -> None:
    answers = [log_in(client, "wrong", REMOTE_ADDR=f"2001:db8::{number}").status_code for number in range(1, 6)]

    assert answers[-1] == 429


def test_a_server_on_a_unix_socket_throttles_too(client: Client) -> None:
    assert statuses(client, 6, REMOTE_ADDR="")[-1] == 429


def test_no_password_is_kept_with_a_failure(client: Client) -> None:
    log_in(client, "a-password-that-was-nearly-right")

    assert "nearly-right" not in str(list(AccessAttempt.objects.values()))


def test_logs_of_failures_name_the_address_and_not_the_user(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    statuses(client, 5, username="muller@example.org")
    log_in(client, "right")

    assert "Locking out 127.0.0.1" in caplog.text
    assert "muller" not in caplog.text


def test_failures_that_have_expired_are_removed(client: Client) -> None:
    statuses(client, 1, username="first")
    end_the_pause()

    statuses(client, 1, username="second")

    assert [row.username for row in AccessAttempt.objects.all()] == ["second"]


def test_an_operator_ends_a_pause_by_deleting_the_failures(client: Client, admin_client: Client) -> None:
    statuses(client, 5)
    row = AccessAttempt.objects.get()

    page = admin_client.get("/admin/axes/accessattempt/").content.decode()
    admin_client.post(f"/admin/axes/accessattempt/{row.pk}/delete/", {"post": "yes"})

    assert "muller" in page
    assert log_in(client, "right").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_failures_at_the_same_time_are_all_counted() -> None:
    def fail(number: int) -> int:
        try:
            return int(log_in(Client(), "wrong", username=f"user{number % 4}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(fail, range(32)))

    assert set(answers) == {200, 429}
    assert {row.failures_since_start >= 5 for row in AccessAttempt.objects.all()} == {True}
    assert AccessAttempt.objects.count() == 4
