"""The integrated channels alone: workers, scheduler and the admin. The catalog service runs elsewhere."""

from enterprise_catalog.settings.environment import DEPLOYMENT_REQUIRES

DEPLOYMENT_REQUIRES |= {
    "CATALOG_API_URL",
    "OAUTH2_PROVIDER_URL",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "CREDENTIALS_ENCRYPTION_KEYS",
}

from enterprise_catalog.settings.base import *
from enterprise_catalog.settings.base import CHANNELS_APPS, COMMON_APPS
from enterprise_catalog.settings.hardening import *

INSTALLED_APPS = [*COMMON_APPS, *CHANNELS_APPS]
