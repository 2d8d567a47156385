"""Names are compared exactly on both databases: case, accents, trailing spaces and full-width letters matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from oauth2_provider.models import get_application_model
from rest_framework.test import APIClient

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment
from enterprise_catalog.db.content_keys import exact_collation
from enterprise_catalog.db.exact_names.columns import EXACT_COLUMNS, compare_exactly
from enterprise_catalog.local_auth.clients import register_channels_client
from enterprise_catalog.local_auth.tokens import signed_token
from tests.api.endpoints import address
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

NAME: Final = "muller"
FULL_WIDTH: Final = NAME.translate({code: code + 0xFEE0 for code in range(0x61, 0x7B)})
VARIANTS: Final = ("MULLER", "Muller", "müller", "mu\u0308ller", "muller ", "muller\u00a0", FULL_WIDTH)


def variant_of(name: str, variant: str) -> str:
    """Return ``name`` with the same change of encoding that turns ``NAME`` into ``variant``."""
    if variant == FULL_WIDTH:
        return name.translate({code: code + 0xFEE0 for code in range(0x61, 0x7B)})
    if variant in ("MULLER", "Muller"):
        return name.upper() if variant == "MULLER" else name.title()
    return name.replace("e", "é", 1) if variant[:3] != "mul" else name + variant[-1]


def request_of(name: str, catalog: UUID, *, email: str = "") -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {signed_token(name, roles=(), email=email)}")
    return client.get(address(catalog))


def a_reader(name: str, role_name: str = "enterprise_catalog_admin") -> None:
    user = get_user_model().objects.create_user(name, email="muller@example.org", password="x")
    role = CatalogRole.objects.create(name=role_name)
    CatalogRoleAssignment.objects.create(user=user, role=role, applies_to_all_contexts=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_token_gets_the_roles_of_exactly_its_user(variant: str) -> None:
    a_reader(NAME)
    catalog = CatalogFactory.create()

    assert request_of(variant, catalog.pk, email="other@example.org").status_code == 403
    assert request_of(NAME, catalog.pk, email="muller@example.org").status_code == 200

    emails = dict(get_user_model().objects.filter(email__contains="@").values_list("username", "email"))
    assert emails == {NAME: "muller@example.org", variant: "other@example.org"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_role_allows_what_exactly_its_name_allows(variant: str) -> None:
    a_reader(NAME, variant_of("enterprise_catalog_admin", variant))

    assert request_of(NAME, CatalogFactory.create().pk).status_code == 403


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_admin_admits_exactly_its_user(client: Client, variant: str) -> None:
    get_user_model().objects.create_superuser(NAME, password="x")

    assert not client.login(username=variant, password="x")
    assert client.login(username=NAME, password="x")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_token_is_issued_to_exactly_its_client(client: Client, settings: Settings, variant: str) -> None:
    form = {"grant_type": "client_credentials", "client_secret": settings.OAUTH2_CLIENT_SECRET}

    def ask(client_id: str) -> int:
        return client.post("/oauth2/access_token", {**form, "client_id": client_id}).status_code

    assert ask(variant_of(settings.OAUTH2_CLIENT_ID, variant)) == 401
    assert ask(settings.OAUTH2_CLIENT_ID) == 200


def test_a_client_id_whose_case_changes_is_the_new_one(settings: Settings) -> None:
    settings.OAUTH2_CLIENT_ID = settings.OAUTH2_CLIENT_ID.upper()

    register_channels_client()

    application = get_application_model().objects.get(client_id=settings.OAUTH2_CLIENT_ID)
    assert application.user.username == settings.OAUTH2_CLIENT_ID


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_feed_is_read_by_exactly_its_name(client: Client, variant: str) -> None:
    ConfigurationFactory.create(channel_code="CSOD", credentials={"username": NAME, "password": "x"})

    def ask(name: str) -> int:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "x"}
        return client.post("/integrated-channels/cornerstone/token", form, content_type="application/json").status_code

    assert (ask(variant), ask(NAME)) == (401, 200)


@pytest.fixture
def unmigrated() -> Iterator[None]:
    """The user name column as it is before this release's migrations."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user MODIFY username varchar(150) COLLATE utf8mb4_general_ci NOT NULL")
    yield
    compare_exactly("auth", using="default")


@pytest.mark.only_on("mariadb")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unmigrated")
def test_a_column_that_is_not_migrated_confuses_no_keys() -> None:
    a_reader(NAME)
    catalog = CatalogFactory.create()

    for variant in ("MULLER", "müller", "muller "):
        answer = request_of(variant, catalog.pk, email="other@example.org")
        assert answer.status_code == 401
        assert "differs from an existing user name only in case, accents or spaces" in answer.json()["detail"]

    assert get_user_model().objects.get(username=NAME).email == "muller@example.org"
    get_user_model().objects.all().delete()


@pytest.mark.only_on("mariadb")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unmigrated")
def test_a_migration_sets_the_collation_and_does_so_once() -> None:
    assert compare_exactly("auth", using="default") == ["auth_user"]
    assert [compare_exactly(app, using="default") for app, _, _ in EXACT_COLUMNS] == [[], [], []]


@pytest.mark.only_on("sqlite")
def test_sqlite_needs_no_collation() -> None:
    assert exact_collation(connection) is None
    assert compare_exactly("auth", using="default") == []
