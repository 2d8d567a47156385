"""Both programs in one deployment, behind a proxy that terminates TLS."""

from enterprise_catalog.settings.environment import DEPLOYMENT_REQUIRES

DEPLOYMENT_REQUIRES |= {
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "JWT_PUBLIC_SIGNING_JWK_SET",
    "LEARNER_PORTAL_URL",
    "CATALOG_API_URL",
    "OAUTH2_PROVIDER_URL",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "CREDENTIALS_ENCRYPTION_KEYS",
}

from enterprise_catalog.settings.base import *
from enterprise_catalog.settings.base import CATALOG_APPS, CHANNELS_APPS, COMMON_APPS
from enterprise_catalog.settings.hardening import *
from enterprise_catalog.settings.issuer import *
from enterprise_catalog.settings.issuer import ISSUER_APPS_IF_KEY

INSTALLED_APPS = [*COMMON_APPS, *CATALOG_APPS, *CHANNELS_APPS, *ISSUER_APPS_IF_KEY]
