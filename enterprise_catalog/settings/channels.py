"""The integrated channels alone: workers, scheduler and the admin. The catalog service runs elsewhere."""

from enterprise_catalog.settings.environment import DEPLOYMENT_REQUIRES

DEPLOYMENT_REQUIRES |= {
    "CATALOG_API_URL",
    "OAUTH2_PROVIDER_URL",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "CREDENTIALS_ENCRYPTION_KEYS",
}

from enterprise_catalog.settings.base import *  # noqa: E402, F403
from enterprise_catalog.settings.base import CHANNELS_APPS, COMMON_APPS  # noqa: E402
from enterprise_catalog.settings.hardening import *  # noqa: E402, F403

INSTALLED_APPS = [*COMMON_APPS, *CHANNELS_APPS]
# The defaults in base.py are for the catalog API, which is not installed here. The feed views set all options
# themselves.
REST_FRAMEWORK = {}
