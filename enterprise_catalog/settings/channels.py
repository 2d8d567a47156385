"""The integrated channels alone: workers, scheduler and the admin's audit view; the catalog is elsewhere."""

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
# The defaults of base.py are the catalog API's, which is not here; the feeds name all that they use themselves.
REST_FRAMEWORK = {}
