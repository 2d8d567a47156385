"""The example token in docs/reference/api.rst, complete and with each claim removed."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from tests.factories.catalog import CatalogFactory

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

DOCS: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api.rst"
CUSTOMER: Final = "22222222-2222-4222-8222-222222222222"
TEXT: Final = DOCS.read_text(encoding="utf-8")
EXAMPLE: Final = json.loads(re.search(r'\{"iss": .*?\}', TEXT, re.DOTALL)[0])  # type: ignore[index]  # fails without a match
#: claim -> True if required, from the table below the example.
TABLE: Final = {
    name: needed == "yes"
    for names, needed in re.findall(
        r"\* - (``\w+``(?:, ``\w+``)*)\n     - (yes|no)\n", DOCS.read_text(encoding="utf-8")
    )
    for name in re.findall(r"\w+", names)
}


def status_with(claims: dict[str, Any], **headers: str) -> int:
    """Return the status of a request for a catalog of the example's customer."""
    catalog = CatalogFactory.create(customer__uuid=CUSTOMER)
    key = jwt.PyJWK(settings.LOCAL_AUTH_SIGNING_KEY, algorithm="RS512")
    token = jwt.encode(claims, key.key, algorithm="RS512", headers={"kid": key.key_id, **headers})
    url = f"/api/v1/enterprise-catalogs/{catalog.pk}/"
    status: int = APIClient().get(url, headers={"authorization": f"JWT {token}"}).status_code
    return status


def current(**changes: Any) -> dict[str, Any]:
    """Return the example's claims, reissued now, with ``changes``."""
    moved = int(time.time()) - EXAMPLE["iat"]
    return {**EXAMPLE, "iat": EXAMPLE["iat"] + moved, "exp": EXAMPLE["exp"] + moved, **changes}


def test_the_documented_token_is_accepted() -> None:
    assert status_with(current()) == 200


def test_the_table_names_each_claim_of_the_example() -> None:
    assert TABLE.keys() == EXAMPLE.keys()


@pytest.mark.parametrize("claim", EXAMPLE)
def test_a_token_without_a_claim_is_answered_as_documented(claim: str) -> None:
    claims = current()
    del claims[claim]

    status = status_with(claims)

    # A token without roles authenticates the caller but permits nothing.
    assert status == (401 if TABLE[claim] else 403 if claim == "roles" else 200)


@pytest.mark.parametrize(
    ("claim", "value", "status"),
    [
        ("iss", "http://elsewhere.example.org", 401),
        ("aud", "another service", 401),
        ("aud", ["another service", "enterprise-catalog"], 200),
        ("exp", 1_000_000_000, 401),
        ("iat", "yesterday", 401),
        ("version", "2.0.0", 401),
        ("roles", ["enterprise_admin:*"], 200),
        ("roles", ["enterprise_admin"], 403),
        ("roles", [f"enterprise_admin:{CUSTOMER[:-1]}3"], 403),
    ],
)
def test_a_claim_of_another_value_is_answered_as_documented(claim: str, value: Any, status: int) -> None:
    assert status_with(current(**{claim: value})) == status
