"""Settings for sites that issue their own tokens: with a signing key, a site needs no Open edX LMS."""

from __future__ import annotations

from typing import Any

from enterprise_catalog.settings.base import env

#: Applications of the token endpoint.
ISSUER_APPS = ["oauth2_provider", "enterprise_catalog.local_auth"]
#: The applications for this deployment; empty without a signing key.
ISSUER_APPS_IF_KEY = ISSUER_APPS if env.JWT_SIGNING_KEY else []

LOCAL_AUTH_SIGNING_KEY = env.JWT_SIGNING_KEY
#: The role assignments that go into tokens (edx-rbac).
SYSTEM_WIDE_ROLE_CLASSES = ["catalog.CatalogRoleAssignment"]
OAUTH2_PROVIDER: dict[str, Any] = {
    "ACCESS_TOKEN_GENERATOR": "enterprise_catalog.local_auth.tokens.access_token",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # This class supports only the client credentials grant.
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "enterprise_catalog.local_auth.clients.ActiveClients",
    "SCOPES": {"read": "Read catalogs"},
}
