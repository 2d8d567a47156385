"""A local site's tokens have the same form as the Open edX LMS's tokens."""

from __future__ import annotations

import json
from typing import Any

import jwt
from django.conf import settings

from enterprise_catalog.local_auth.keys import new_signing_key
from enterprise_catalog.local_auth.tokens import signed_token


def verified(token: str) -> dict[str, Any]:
    """Return the claims of a token, after verifying it with the site's published key."""
    keys = jwt.PyJWKSet.from_json(settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"])
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key.key, algorithms=["RS512"], audience=settings.JWT_AUTH["JWT_ISSUERS"][0]["AUDIENCE"])


def test_the_published_key_verifies_them() -> None:
    claims = verified(signed_token("someone", roles=("enterprise_learner:*",), email="someone@example.org"))

    assert claims["preferred_username"] == "someone"
    assert claims["email"] == "someone@example.org"
    assert claims["roles"] == ["enterprise_learner:*"]


def test_tokens_have_the_requested_lifetime() -> None:
    claims = verified(signed_token("someone", roles=(), lifetime_seconds=60))

    assert claims["exp"] - claims["iat"] == 60


def test_what_is_published_of_a_key_cannot_sign() -> None:
    key = json.loads(new_signing_key())

    assert "d" in key["private"]
    assert set(key["public"]) == {"kty", "key_ops", "n", "e", "kid"}
    assert key["private"]["kid"] == key["public"]["kid"]


def test_no_two_keys_are_the_same() -> None:
    one, other = (json.loads(new_signing_key())["public"] for _ in range(2))

    assert one["n"] != other["n"]
    assert one["kid"] != other["kid"]
