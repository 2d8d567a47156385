"""Malformed claims and inactive users get 401, never a 500; logs contain no email address."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth import get_user_model
from jwt import api_jws
from jwt.utils import base64url_encode
from rest_framework.test import APIClient

from tests.api.endpoints import CATALOGS
from tests.api.test_authentication import bearer, claims, session_of, signed, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

MISSING: Final = object()
#: A value of each JSON type, and extreme values of some types.
VALUES: Final[tuple[Any, ...]] = (
    *(MISSING, None, True, 0, -1, 1.5, 10**30, 1e300, "", "text", "\x00", "\ud800", "1" * 300, "9999999999"),
    *([], [None], ["a:b", 5], {}, {"a": 1}),
)
#: All claims that this service or its libraries may read.
CLAIMS: Final = (
    *("iss", "aud", "iat", "exp", "nbf", "jti", "sub", "version", "preferred_username", "username", "email", "roles"),
    *("scopes", "user_id"),
)
#: Values that are accepted although they are unusual.
FINE: Final[dict[str, tuple[Any, ...]]] = {
    "exp": (10**30, 1e300),
    "iat": (0, -1, 1.5),
    "nbf": (MISSING, True, 0, -1, 1.5),
    "jti": (MISSING, "", "text", "\x00", "1" * 300, "9999999999"),
    "sub": (MISSING, "", "text", "\x00", "1" * 300, "9999999999"),
    "version": (MISSING,),
    "preferred_username": ("text", "\x00", "9999999999"),
    "username": (MISSING, None, "", "text", "\x00", "9999999999"),
    "email": (MISSING, None, "", "text", "\x00", "9999999999"),
    "roles": (MISSING, []),
}


def token_with(claim: str, value: Any) -> str:
    changed = claims(**{claim: value})
    if value is MISSING:
        del changed[claim]
    key = signing_key()
    # PyJWT would reject a malformed ``iss`` before signing, so sign the raw payload.
    return api_jws.encode(json.dumps(changed).encode(), key.key, algorithm="RS512", headers={"kid": key.key_id})


def with_cookie(token: str) -> APIClient:
    client = APIClient()
    client.cookies["edx-jwt-cookie"] = token
    return client


def is_accepted(claim: str, value: Any) -> bool:
    """Return True if a token with that claim is valid. A lone surrogate is invalid in any claim: it is not UTF-8."""
    if claim not in FINE and claim not in {"iss", "aud"}:
        return bool(value != "\ud800")
    return any(value is fine or (type(value), value) == (type(fine), fine) for fine in FINE.get(claim, ()))


@pytest.mark.parametrize(
    ("show", "claim"), [*((bearer, claim) for claim in CLAIMS), *((with_cookie, claim) for claim in ("exp", "roles"))]
)
def test_a_claim_of_another_type_is_a_401(show: Callable[[str], APIClient], claim: str) -> None:
    """A claim that the service ignores may have any value: 200, or 403 without the roles."""
    for value in VALUES:
        is_read = claim in FINE or claim in {"iss", "aud"}
        is_fine = not is_read or any(
            value is fine or (type(value), value) == (type(fine), fine) for fine in FINE.get(claim, ())
        )

        status = show(token_with(claim, value)).get(CATALOGS).status_code

        assert status in ({200, 403} if is_fine and value != "\ud800" else {401}), (claim, value)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"1", b"{", b"[" * 9_999, b'{"exp":' * 9_999, b"\xff", b"{}"])
def test_a_payload_that_holds_no_claims_is_a_401(payload: bytes) -> None:
    token = b".".join((base64url_encode(b'{"alg":"RS512","typ":"JWT"}'), base64url_encode(payload), b"c2ln")).decode()

    assert bearer(token).get(CATALOGS).status_code == 401


def test_an_inactive_user_with_a_valid_token_is_a_401() -> None:
    get_user_model().objects.create_user("caller", is_active=False, email="old@example.org")
    token = signed(claims(email="new@example.org"))

    header, cookie = bearer(token).get(CATALOGS), with_cookie(token).get(CATALOGS)

    assert (header.status_code, cookie.status_code) == (401, 401)
    assert header.json() == {"detail": "This account is inactive.", "code": "user_inactive"}
    assert get_user_model().objects.get(username="caller").email == "old@example.org"


def test_an_inactive_user_with_a_session_is_a_401() -> None:
    client = session_of(applies_to_all_contexts=True)
    assert client.get(CATALOGS).status_code == 200
    get_user_model().objects.update(is_active=False)

    assert client.get(CATALOGS).status_code == 401


def test_the_cookie_of_an_active_user_adds_nothing_to_an_inactive_one() -> None:
    client = session_of(applies_to_all_contexts=True)
    get_user_model().objects.update(is_active=False)
    client.cookies["edx-jwt-cookie"] = signed(claims(preferred_username="someone"))

    assert client.get(CATALOGS).status_code == 401


PERSONAL: Final = ("new.person@example.org", "old.person@example.org", "Ada Lovelace")


@pytest.mark.parametrize("path", [CATALOGS, "/nowhere/", "/health/"])
def test_no_request_logs_personal_data(caplog: pytest.LogCaptureFixture, path: str) -> None:
    get_user_model().objects.create_user("caller", email=PERSONAL[1])
    clients = [
        bearer(signed(claims(email=PERSONAL[0], name=PERSONAL[2]))),
        bearer(signed(claims(email=PERSONAL[0], name=PERSONAL[2], preferred_username="another"))),
        bearer(signed(claims(email=PERSONAL[0], name=PERSONAL[2], roles=[]))),
        bearer(signed(claims(email=PERSONAL[0], name=PERSONAL[2], exp=1))),
        bearer(signed(claims(email=[PERSONAL[0]], name=PERSONAL[2]))),
        with_cookie(signed(claims(email=PERSONAL[1], name=PERSONAL[2]))),
        with_cookie(signed(claims(email=PERSONAL[1], name=PERSONAL[2], iss="elsewhere"))),
    ]
    with caplog.at_level("INFO"):
        for client in clients:
            client.get(path)

    logged = "\n".join(logging.Formatter("%(name)s %(message)s").format(record) for record in caplog.records)
    assert not [value for value in PERSONAL if value in logged]


def test_a_changed_address_is_logged_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    user = get_user_model().objects.create_user("caller", email=PERSONAL[1])

    with caplog.at_level("INFO"):
        bearer(signed(claims(email=PERSONAL[0]))).get(CATALOGS)

    [record] = [record for record in caplog.records if "user_updated" in record.getMessage()]
    assert isinstance(record.msg, dict)
    assert (record.msg["user_id"], record.msg["attributes"]) == (user.pk, ["email"])
