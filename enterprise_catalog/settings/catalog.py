"""The catalog service alone, behind a proxy that ends TLS."""

from enterprise_catalog.settings.base import *  # noqa: F403
from enterprise_catalog.settings.base import CATALOG_APPS, COMMON_APPS, env
from enterprise_catalog.settings.hardening import *  # noqa: F403

env.require("JWT_ISSUER", "JWT_AUDIENCE", "JWT_PUBLIC_SIGNING_JWK_SET", "LEARNER_PORTAL_URL")
INSTALLED_APPS = [*COMMON_APPS, *CATALOG_APPS]
