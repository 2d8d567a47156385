"""Token reuse, and renewal of stale tokens. Each channel's tests cover the HTTP calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.protocols.tokens import Token
from enterprise_catalog.integrated_channels.exceptions import CredentialsError
from enterprise_catalog.integrated_channels.lms.client import LMSClient


@pytest.fixture
def client() -> LMSClient:
    return LMSClient("https://lms.test", transport=httpx.MockTransport(lambda _: httpx.Response(500)))


def a_token(client: LMSClient, *, given: str = "") -> Token:
    """Return a token whose values are ``secret-1``, ``secret-2`` and so on."""
    numbers = count(1)
    return Token(client, lambda: f"secret-{next(numbers)}", given=given)


def refused(token: str) -> str:
    raise CredentialsError(f"Not with {token}.", vendor_code="stale")


def is_stale(error: CredentialsError) -> bool:
    return error.vendor_code == "stale"


def test_a_token_is_fetched_once_and_kept_out_of_messages(client: LMSClient) -> None:
    token = a_token(client)

    assert [token.get(), token.get()] == ["secret-1", "secret-1"]
    assert client.redacted("It was secret-1.") == "It was [secret]."


def test_threads_that_find_one_token_stale_fetch_one_other(client: LMSClient) -> None:
    token = a_token(client)
    stale = token.get()

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: token.renew(stale=stale), range(50)))

    assert found == {"secret-2"}


def test_a_call_whose_token_is_stale_is_made_again_with_another(client: LMSClient) -> None:
    token = a_token(client)

    found = token.use(lambda value: refused(value) if value == "secret-1" else value, is_stale=is_stale)

    assert found == token.get() == "secret-2"


def test_a_call_is_not_made_a_third_time(client: LMSClient) -> None:
    with pytest.raises(CredentialsError, match="Not with secret-2"):
        a_token(client).use(refused, is_stale=is_stale)


def test_a_refusal_that_is_not_about_the_token_stands(client: LMSClient) -> None:
    with pytest.raises(CredentialsError, match="Not with secret-1"):
        a_token(client).use(refused, is_stale=lambda _: False)


def test_nothing_is_fetched_in_place_of_a_token_that_was_given(client: LMSClient) -> None:
    with pytest.raises(CredentialsError, match="Not with given"):
        a_token(client, given="given").use(refused, is_stale=is_stale)
