"""``manage.py create_client``, and the clients that it creates."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from oauth2_provider.models import get_access_token_model, get_application_model

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

CUSTOMER = uuid.UUID(int=7)


def create(*arguments: str) -> dict[str, str]:
    output = io.StringIO()
    call_command("create_client", *arguments, stdout=output)
    made: dict[str, str] = json.loads(output.getvalue())
    return made


def token_of(client: Client, made: dict[str, str]) -> Any:
    return client.post("/oauth2/access_token", {"grant_type": "client_credentials", "token_type": "jwt", **made})


def claims_of(client: Client, made: dict[str, str]) -> dict[str, Any]:
    answer = token_of(client, made)
    assert answer.status_code == 200, answer.content
    claims: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return claims


def test_a_new_client_gets_tokens_with_its_roles(client: Client) -> None:
    made = create("portal", "--role", f"enterprise_admin:{CUSTOMER}", "--role", "enterprise_learner")

    claims = claims_of(client, made)

    assert claims["preferred_username"] == made["client_id"] == "portal"
    assert sorted(claims["roles"]) == [f"enterprise_admin:{CUSTOMER}", "enterprise_learner:*"]


def test_the_secret_is_stored_as_a_hash_and_tokens_not_at_all(client: Client) -> None:
    made = create("portal", "--role", "enterprise_learner")
    claims_of(client, made)

    assert made["client_secret"] not in get_application_model().objects.get(client_id="portal").client_secret
    assert not get_access_token_model().objects.exists()


def test_a_new_secret_replaces_the_old_one_and_keeps_the_roles(client: Client) -> None:
    old = create("portal", "--role", "enterprise_learner")
    new = create("portal", "--new-secret")

    assert token_of(client, old).status_code == 401
    assert claims_of(client, new)["roles"] == ["enterprise_learner:*"]


def test_a_client_whose_user_is_inactive_gets_no_token(client: Client) -> None:
    made = create("portal", "--role", "enterprise_learner")
    get_user_model().objects.update(is_active=False)

    answer = token_of(client, made)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "grant", ["password", "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]
)
def test_no_other_grant_is_known(client: Client, grant: str) -> None:
    made = create("portal", "--role", "enterprise_learner")

    answer = client.post("/oauth2/access_token", {"username": "a", "password": "b", **made, "grant_type": grant})

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("kind", ["client", "person"])
def test_names_that_are_taken_are_refused(kind: str) -> None:
    if kind == "client":
        create("portal", "--role", "enterprise_learner")
    else:
        get_user_model().objects.create_superuser("portal")

    with pytest.raises(CommandError, match="A client or user 'portal' already exists") as raised:
        create("portal", "--role", "enterprise_learner")

    assert raised.value.returncode == 1


def test_a_secret_for_a_person_is_refused() -> None:
    get_user_model().objects.create_superuser("admin")

    with pytest.raises(CommandError, match="already"):
        create("admin", "--new-secret")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("portal",), "--role is required"),
        (("portal", "--role", "unknown"), "unknown role 'unknown'"),
        (("portal", "--role", "enterprise_admin:7"), "'7' is neither a customer's UUID nor"),
        (("p" * 101, "--role", "enterprise_admin"), "CLIENT_ID must have 1 to 100 characters"),
    ],
)
def test_wrong_usage_is_named(arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        create(*arguments)


def test_the_admin_shows_clients_and_no_secrets_or_tokens(admin_client: Client) -> None:
    made = create("portal", "--role", "enterprise_learner")
    row = get_application_model().objects.get(client_id="portal")

    page = admin_client.get(f"/admin/oauth2_provider/application/{row.pk}/change/")

    assert page.status_code == 200
    assert "portal" in page.text
    assert made["client_secret"] not in page.text
    assert row.client_secret not in page.text
    assert admin_client.get("/admin/oauth2_provider/accesstoken/").status_code == 404


@pytest.mark.parametrize("command", [("issue_token", "--role", "enterprise_learner"), ("ensure_local_admin",)])
def test_commands_of_local_sites_refuse_other_sites(settings: Settings, command: tuple[str, ...]) -> None:
    settings.LOCAL_SITE = False

    with pytest.raises(CommandError, match="only with local settings") as raised:
        call_command(*command)

    assert raised.value.returncode == 2
