"""The OAuth2 client of the integrated channels, which each migration run creates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password
from django.core.management import call_command
from oauth2_provider.models import Application

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment
from enterprise_catalog.local_auth.clients import register_channels_client

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_a_migration_registers_the_client(settings: Settings) -> None:
    Application.objects.all().delete()
    get_user_model().objects.all().delete()

    call_command("migrate", verbosity=0)

    client = Application.objects.get()
    assert (client.client_id, client.user.username) == (settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_ID)
    assert (client.client_type, client.authorization_grant_type) == ("confidential", "client-credentials")
    assert CatalogRoleAssignment.objects.get(user=client.user).get_context() == "*"


def test_the_secret_is_stored_as_a_hash_only(settings: Settings) -> None:
    register_channels_client()

    stored = Application.objects.get().client_secret
    assert settings.OAUTH2_CLIENT_SECRET not in stored
    assert check_password(settings.OAUTH2_CLIENT_SECRET, stored)


def test_it_is_safe_to_repeat() -> None:
    for _ in range(2):
        register_channels_client()

    assert Application.objects.count() == CatalogRole.objects.count() == CatalogRoleAssignment.objects.count() == 1


def test_it_takes_a_changed_secret(settings: Settings) -> None:
    register_channels_client()
    settings.OAUTH2_CLIENT_SECRET = "another secret"

    register_channels_client()

    assert check_password("another secret", Application.objects.get().client_secret)


@pytest.mark.parametrize("password", ["", "secret"])
def test_no_login_is_possible_as_the_clients_user(client: Client, settings: Settings, password: str) -> None:
    register_channels_client()
    tried = settings.OAUTH2_CLIENT_SECRET if password == "secret" else password

    assert not client.login(username=settings.OAUTH2_CLIENT_ID, password=tried)
