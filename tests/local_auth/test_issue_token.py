"""``manage.py issue_token``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from tests.factories.catalog import CatalogFactory


def issue(*arguments: str) -> str:
    output = StringIO()
    call_command("issue_token", *arguments, stdout=output)
    return output.getvalue()


def claims_in(token: str) -> dict[str, Any]:
    return jwt.decode(token.strip(), options={"verify_signature": False})


@pytest.mark.django_db
def test_its_token_opens_the_customers_catalogs() -> None:
    catalog, other = CatalogFactory.create(), CatalogFactory.create()
    token = issue("--role", f"enterprise_admin:{catalog.enterprise_customer_id}").strip()

    client = APIClient(headers={"authorization": f"JWT {token}"})

    statuses = [client.get(f"/api/v1/enterprise-catalogs/{each.pk}/").status_code for each in (catalog, other)]
    assert statuses == [200, 403]


def test_it_prints_the_token_alone() -> None:
    output = issue("--role", "enterprise_learner")

    assert output.count("\n") == 1
    assert output.count(".") == 2


@pytest.mark.parametrize("role", settings.SYSTEM_TO_FEATURE_ROLE_MAPPING)
@pytest.mark.parametrize("context", ["", ":", ":*"])
def test_a_role_without_a_customer_is_one_for_all(role: str, context: str) -> None:
    assert claims_in(issue("--role", role + context))["roles"] == [f"{role}:*"]


def test_roles_add_up_and_the_name_can_be_chosen() -> None:
    customer = "6b3c1d0e-0000-4000-8000-000000000001"

    claims = claims_in(
        issue("--role", "enterprise_learner", "--role", f"enterprise_admin:{customer}", "--username", "someone")
    )

    assert claims["roles"] == ["enterprise_learner:*", f"enterprise_admin:{customer}"]
    assert claims["preferred_username"] == "someone"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "the following arguments are required: --role"),
        (("--role", "janitor"), "unknown role 'janitor'; must be one of enterprise_catalog_admin, "),
        (("--role", "enterprise_admin:acme"), "'acme' is neither a customer's UUID nor \\*"),
    ],
)
def test_it_lists_the_existing_roles(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        issue(*arguments)
