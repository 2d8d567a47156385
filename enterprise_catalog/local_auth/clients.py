"""The OAuth2 clients of a site that issues its tokens itself."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from oauth2_provider.models import get_application_model
from oauth2_provider.oauth2_validators import OAuth2Validator

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

OPERATOR_ROLE: Final = "enterprise_openedx_operator"


class ClientExistsError(Exception):
    """There is a client of that name already."""


class ActiveClients(OAuth2Validator):  # type: ignore[misc]  # the package has no types
    """Gives tokens to clients whose user is active, and stores none; to switch a client off, switch off its user."""

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Store nothing: the catalog service checks signatures, and the database should hold no tokens."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Return whether name and secret are right, and the client's user is active."""
        if not super().authenticate_client(request, *args, **kwargs):
            return False
        user = request.client.user
        return user is not None and user.is_active

    def _load_application(self, client_id: str, request: Any) -> Any:
        """Return the client of exactly that id; the base class leaves the comparison to the database."""
        found = super()._load_application(client_id, request)
        if found is not None and found.client_id != client_id:
            request.client = found = None
        return found


def register_channels_client() -> None:
    """Make ``OAUTH2_CLIENT_ID`` a client that may read all catalogs; safe to repeat, and takes a changed secret.

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
    """Make a client with these roles, and return its new secret, which is kept nowhere else.

    Args:
        roles: names of system roles, each with a customer; ``None`` means all customers.
        replace: give an existing client a new secret, and the roles beside those that it has.

    Raises:
        ClientExistsError: it exists, and ``replace`` is not set.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        is_new = not get_application_model().objects.filter(client_id=client_id).exists()
        if not (is_new or replace) or (is_new and get_user_model().objects.filter(username=client_id).exists()):
            # A person's roles, and being staff, must not come with a client's secret.
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
            # A database without exact_names may have found a row whose id differs in case.
            "client_id": client_id,
            "user": user,
            "name": name,
            "client_type": application_model.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": application_model.GRANT_CLIENT_CREDENTIALS,
            "client_secret": secret,
        },
    )
