"""The Content-Security-Policy of each kind of response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

NOTHING = {"default-src 'none'", "frame-ancestors 'none'"}


def policy(client: Client, address: str) -> set[str]:
    """Return the directives of the response."""
    return {each.strip() for each in client.get(address).headers["Content-Security-Policy"].split(";") if each.strip()}


@pytest.mark.parametrize(
    "address", ["/api/v1/enterprise-catalogs/", "/health/", "/metrics", "/api/schema/", "/api-docs/?script="]
)
def test_what_is_no_page_may_load_nothing(client: Client, address: str) -> None:
    assert policy(client, address) == NOTHING


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/no/such/page", "/admin/no/such/page", "/api-docs/"])
def test_a_page_runs_the_site_s_own_scripts_only(client: Client, address: str) -> None:
    directives = policy(client, address)

    assert "script-src 'self' 'unsafe-eval'" in directives
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= directives
