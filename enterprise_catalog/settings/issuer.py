"""Tokens that a site issues itself, where it has a key to sign them with: it needs no Open edX LMS then."""

from __future__ import annotations

from typing import Any

from enterprise_catalog.settings.base import env

#: Applications of the token endpoint.
ISSUER_APPS = ["oauth2_provider", "enterprise_catalog.local_auth"]
#: The applications that this deployment needs: none unless it has a key.
ISSUER_APPS_IF_KEY = ISSUER_APPS if env.JWT_SIGNING_KEY else []

LOCAL_AUTH_SIGNING_KEY = env.JWT_SIGNING_KEY
#: Whose role assignments go into tokens (edx-rbac).
SYSTEM_WIDE_ROLE_CLASSES = ["catalog.CatalogRoleAssignment"]
OAUTH2_PROVIDER: dict[str, Any] = {
    "ACCESS_TOKEN_GENERATOR": "enterprise_catalog.local_auth.tokens.access_token",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # It knows the grant of client credentials, and no other.
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "enterprise_catalog.local_auth.clients.ActiveClients",
    "SCOPES": {"read": "Read catalogs"},
}
