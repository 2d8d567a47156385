"""The OAuth2 clients of a site that issues its own tokens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from oauth2_provider.models import get_application_model
from oauth2_provider.oauth2_validators import OAuth2Validator

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from oauth2_provider.models import AbstractApplication
    from oauthlib.common import Request

OPERATOR_ROLE: Final = "enterprise_openedx_operator"


class ClientExistsError(Exception):
    """A client or a user with this name already exists."""


class ActiveClients(OAuth2Validator):
    """Issues tokens to clients with an active user, and stores no tokens. Deactivating the user disables the client."""

    def save_bearer_token(self, token: object, request: Request, *args: object, **kwargs: object) -> None:
        """Store nothing: the catalog service verifies signatures, and the database should not contain tokens."""

    def authenticate_client(self, request: Request, *args: object, **kwargs: object) -> bool:
        """Return True if the client's id and secret are right, and its user is active."""
        if not super().authenticate_client(request, *args, **kwargs):
            return False
        user = request.client.user
        return user is not None and user.is_active

    def _load_application(self, client_id: str, request: Request) -> AbstractApplication | None:
        """Return the client with exactly this id; the base class relies on the database's comparison."""
        found = super()._load_application(client_id, request)
        if found is not None and found.client_id != client_id:
            request.client = found = None
        return found


def register_channels_client() -> None:
    """Create ``OAUTH2_CLIENT_ID`` as a client that may read all catalogs. Safe to repeat; updates a changed secret.

    A deployment without the channels has no such client.
    """
    if settings.OAUTH2_CLIENT_ID and settings.OAUTH2_CLIENT_SECRET:
        _save_client(
            settings.OAUTH2_CLIENT_ID,
            secret=settings.OAUTH2_CLIENT_SECRET,
            name="Integrated channels",
            roles=[(OPERATOR_ROLE, None)],
        )


def create_client(client_id: str, *, roles: Sequence[tuple[str, UUID | None]], replace: bool = False) -> str:
    """Create a client with these roles and return its new secret. Only a hash of the secret is stored.

    Args:
        roles: names of system roles, each with a customer; ``None`` means all customers.
        replace: give an existing client a new secret, and add the roles to its existing roles.

    Raises:
        ClientExistsError: the client exists and ``replace`` is not set, or a user who is not a client has this name.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        is_new = not get_application_model().objects.filter(client_id=client_id).exists()
        if not (is_new or replace) or (is_new and get_user_model().objects.filter(username=client_id).exists()):
            # A client's secret must not grant the roles or the staff status of an existing user.
            raise ClientExistsError(client_id)
        _save_client(client_id, secret=secret, name=client_id, roles=roles)
    return secret


@transaction.atomic
def _save_client(client_id: str, *, secret: str, name: str, roles: Sequence[tuple[str, UUID | None]]) -> None:
    user, is_new = get_user_model().objects.get_or_create(username=client_id)
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    for role_name, customer in roles:
        role, _ = CatalogRole.objects.get_or_create(name=role_name)
        CatalogRoleAssignment.objects.get_or_create(
            user=user, role=role, enterprise_customer_uuid=customer, applies_to_all_contexts=customer is None
        )
    application_model = get_application_model()
    application_model.objects.update_or_create(
        client_id=client_id,
        defaults={
            # Without exact_names, the database may have found a row whose id differs in case.
            "client_id": client_id,
            "user": user,
            "name": name,
            "client_type": application_model.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": application_model.GRANT_CLIENT_CREDENTIALS,
            "client_secret": secret,
        },
    )
