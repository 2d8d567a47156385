"""Both programs on one machine with only Python: SQLite, a broker in a folder, and tokens of its own.

The environment can still set every variable. Secrets are generated at the first start and stored in ``var/`` (or in
``LOCAL_STATE_DIR``): the repository contains no secrets.
"""

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from enterprise_catalog.local_auth.keys import new_signing_key
from enterprise_catalog.settings.environment import DEPLOYMENT_DEFAULTS
from enterprise_catalog.settings.local_state import read_or_create, write_or_read

STATE_DIR = Path(os.environ.get("LOCAL_STATE_DIR") or Path(__file__).resolve().parent.parent.parent / "var")
STATE_DIR.mkdir(parents=True, exist_ok=True)
SIGNING_KEY = json.loads(read_or_create(STATE_DIR / "signing-key.json", new_signing_key))
#: The URL of the web service. ``make run PORT=…`` stores its port for commands in other shells.
SITE_URL = f"http://127.0.0.1:{write_or_read(STATE_DIR / 'port', os.environ.get('LOCAL_PORT'), default='8000')}"
#: The URL of the sandbox of course-discovery and the Open edX LMS, which ``make run`` also starts.
OPEN_EDX_PORT = write_or_read(STATE_DIR / "open-edx-port", os.environ.get("LOCAL_OPEN_EDX_PORT"), default="8002")
OPEN_EDX_URL = f"http://127.0.0.1:{OPEN_EDX_PORT}"

DEPLOYMENT_DEFAULTS |= {
    "SECRET_KEY": read_or_create(STATE_DIR / "secret-key", lambda: secrets.token_urlsafe(48)),
    "DATABASE_URL": f"sqlite:///{STATE_DIR / 'enterprise_catalog.sqlite3'}",
    "CELERY_BROKER_URL": "filesystem://",
    "CACHE_URL": "locmem://",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
    "LOG_FORMAT": "console",
    "JWT_ISSUER": "http://127.0.0.1/oauth2",
    "JWT_AUDIENCE": "enterprise-catalog",
    "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [SIGNING_KEY["public"]]}),
    "LEARNER_PORTAL_URL": "https://enterprise.example.org",
    "DISCOVERY_SERVICE_API_URL": f"{OPEN_EDX_URL}/api/v1",
    "CATALOG_API_URL": SITE_URL,
    "ADMIN_BASE_URL": SITE_URL,
    "EMAIL_URL": "console://",
    "DEFAULT_FROM_EMAIL": "enterprise-catalog@localhost.localdomain",
    "OAUTH2_PROVIDER_URL": f"{SITE_URL}/oauth2",
    "OAUTH2_CLIENT_ID": "integrated-channels",
    "LMS_PRIVATE_ADDRESSES": "true",
    "OAUTH2_CLIENT_SECRET": read_or_create(STATE_DIR / "oauth2-client-secret", secrets.token_urlsafe),
    "CREDENTIALS_ENCRYPTION_KEYS": read_or_create(
        STATE_DIR / "credentials-key", lambda: Fernet.generate_key().decode()
    ),
}
if os.environ.get("LOCAL_OPEN_EDX_PORT"):
    # Only the processes of ``make run``: other commands must work without the sandbox.
    DEPLOYMENT_DEFAULTS["LMS_BASE_URL"] = OPEN_EDX_URL

from enterprise_catalog.settings.base import *
from enterprise_catalog.settings.base import (
    CATALOG_APPS,
    CELERY_BROKER_URL,
    CHANNELS_APPS,
    COMMON_APPS,
    LOGGING,
)
from enterprise_catalog.settings.issuer import *
from enterprise_catalog.settings.issuer import ISSUER_APPS

DEBUG = True
INSTALLED_APPS = [
    *COMMON_APPS,
    *CATALOG_APPS,
    *CHANNELS_APPS,
    *ISSUER_APPS,
    "enterprise_catalog.sandbox",
]

# The development server logs each request in one line; Django would log a second line for a 4xx.
LOGGING["loggers"]["django.request"] = {"level": "ERROR"}

# Serve static files directly from the packages, without collectstatic.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = STATE_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)

# --- tokens: this service takes the place of the Open edX LMS --------------------------------------------------------

LOCAL_AUTH_SIGNING_KEY = SIGNING_KEY["private"]
#: Enables the commands that create a user with a known password, and tokens with any role.
LOCAL_SITE = True

if CELERY_BROKER_URL.startswith("filesystem:"):
    # kombu's broker in a folder: real processes exchange real messages, without a server to install.
    _queue = STATE_DIR / "broker"
    for folder in ("messages", "processed", "control"):
        (_queue / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "messages"),
        "data_folder_out": str(_queue / "messages"),
        "processed_folder": str(_queue / "processed"),
        "control_folder": str(_queue / "control"),
        "store_processed": False,
    }
