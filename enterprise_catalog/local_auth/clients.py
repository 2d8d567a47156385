"""The OAuth2 clients of a local site."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from oauth2_provider.models import get_application_model

from enterprise_catalog.catalog.models import CatalogRole, CatalogRoleAssignment

OPERATOR_ROLE = "enterprise_openedx_operator"


def register_channels_client() -> None:
    """Make ``OAUTH2_CLIENT_ID`` a client that may read all catalogs; safe to repeat, and takes a changed secret."""
    with transaction.atomic():
        user, _ = get_user_model().objects.get_or_create(username=settings.OAUTH2_CLIENT_ID)
        role, _ = CatalogRole.objects.get_or_create(name=OPERATOR_ROLE)
        CatalogRoleAssignment.objects.get_or_create(user=user, role=role, applies_to_all_contexts=True)
        application_model = get_application_model()
        application_model.objects.update_or_create(
            client_id=settings.OAUTH2_CLIENT_ID,
            defaults={
                "user": user,
                "name": "Integrated channels",
                "client_type": application_model.CLIENT_CONFIDENTIAL,
                "authorization_grant_type": application_model.GRANT_CLIENT_CREDENTIALS,
                "client_secret": settings.OAUTH2_CLIENT_SECRET,
            },
        )
