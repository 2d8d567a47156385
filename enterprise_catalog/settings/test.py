"""Settings of the test suite: the local site with its own state folder, and a database per process."""

import os
import tempfile
from pathlib import Path

_state = os.environ.get("LOCAL_STATE_DIR") or tempfile.mkdtemp(prefix="enterprise-catalog-tests-")
os.environ["LOCAL_STATE_DIR"] = _state
os.environ["CACHE_URL"] = os.environ.get("TEST_REDIS_URL", "locmem://")
os.environ["CELERY_BROKER_URL"] = "memory://"

from enterprise_catalog.settings.local import *
from enterprise_catalog.settings.local import DATABASES

DEBUG = False
# A file instead of memory: the threads and processes of a test get their own connections, as in production.
DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(_state) / "test.sqlite3")
if DATABASES["default"]["ENGINE"] == "django.db.backends.mysql":
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_general_ci"}
# Fast hashing: the suite logs in often, and its passwords protect nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each test client makes its own WhiteNoise, which otherwise reads the properties of all static files at its start.
WHITENOISE_AUTOREFRESH = True
