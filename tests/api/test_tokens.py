"""Cached access tokens: verified once, but still expired or rejected in time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt
import pytest

from enterprise_catalog.local_auth.tokens import signed_token
from enterprise_catalog.web.rest.tokens import decode_token

if TYPE_CHECKING:
    from collections.abc import Callable


def a_token(lifetime_seconds: int = 60) -> str:
    return signed_token("caller", roles=["enterprise_learner:*"], lifetime_seconds=lifetime_seconds)


def test_a_token_can_be_decoded_repeatedly() -> None:
    token = a_token()

    first, second = decode_token(token), decode_token(token)

    assert first == second
    assert (first["preferred_username"], first["roles"]) == ("caller", ["enterprise_learner:*"])


def test_what_a_caller_does_to_the_claims_is_not_remembered() -> None:
    token = a_token()

    decode_token(token)["preferred_username"] = "another user"

    assert decode_token(token)["preferred_username"] == "caller"


def test_a_remembered_token_expires() -> None:
    decode_token(a_token())  # The first verification is slow, so do it before the clock matters.
    token = a_token(lifetime_seconds=2)
    expires_at = decode_token(token)["exp"]
    time.sleep(max(0, expires_at - time.time()))

    with pytest.raises(jwt.InvalidTokenError):
        decode_token(token)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-8] + "AAAAAAAA",
        lambda token: token + "A",
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token[1:],
    ],
)
def test_a_token_that_resembles_a_remembered_one_is_refused(spoil: Callable[[str], str]) -> None:
    token = a_token()
    decode_token(token)

    for _ in range(2):
        with pytest.raises(jwt.InvalidTokenError):
            decode_token(spoil(token))
