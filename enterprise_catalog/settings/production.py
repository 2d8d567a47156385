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

from enterprise_catalog.settings.base import *  # noqa: E402, F403
from enterprise_catalog.settings.base import CATALOG_APPS, CHANNELS_APPS, COMMON_APPS  # noqa: E402
from enterprise_catalog.settings.hardening import *  # noqa: E402, F403
from enterprise_catalog.settings.issuer import *  # noqa: E402, F403
from enterprise_catalog.settings.issuer import ISSUER_APPS_IF_KEY  # noqa: E402

INSTALLED_APPS = [*COMMON_APPS, *CATALOG_APPS, *CHANNELS_APPS, *ISSUER_APPS_IF_KEY]
