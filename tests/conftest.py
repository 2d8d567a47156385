"""Fixtures for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from enterprise_catalog.catalog.snapshot_cache import SNAPSHOTS
from enterprise_catalog.local_auth.tokens import signed_token
from enterprise_catalog.settings import base
from tests import services

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from pytest_django import Settings


@pytest.fixture(autouse=True)
def _empty_caches() -> None:
    """Throttles count in the cache, and Open edX's client keeps its tokens there.

    Snapshots are of versions that no other database has, unless a test undoes what it wrote, as they all do.
    """
    cache.clear()
    SNAPSHOTS.clear()


@pytest.fixture
def client_with() -> Callable[..., APIClient]:
    """Return a function that makes an API client whose token has the roles, such as ``enterprise_admin:<uuid>``."""

    def make(*roles: str, **token: Any) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"JWT {signed_token('caller', roles=roles, **token)}")
        return client

    return make


@pytest.fixture
def operator(client_with: Callable[..., APIClient]) -> APIClient:
    """A client that may read all catalogs."""
    return client_with("enterprise_openedx_operator:*")


@pytest.fixture
def admin_of(client_with: Callable[..., APIClient]) -> Callable[[UUID], APIClient]:
    """Return a function that makes a client that may read one customer's catalogs."""
    return lambda customer_uuid: client_with(f"enterprise_admin:{customer_uuid}")


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a test is in one window of the limits for failed logins, midnight or not."""
    monkeypatch.setattr("enterprise_catalog.login_limits._seconds", lambda: 1_800_000_000)


@pytest.fixture
def no_cache(settings: Settings) -> None:
    """A cache whose Redis refuses all connections."""
    settings.CACHES = {"default": base.cache(f"redis://127.0.0.1:{services.free_port()}/0")}


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis."""
    return services.or_skip(services.redis_url)


@pytest.fixture(scope="session")
def mariadb_url() -> str:
    """A MariaDB, whatever database the suite itself runs on."""
    return services.or_skip(services.mariadb_url)
