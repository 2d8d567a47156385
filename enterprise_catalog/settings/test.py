"""The test suite: the local site with its state in a folder of its own, and a database per process."""

import os
import tempfile
from pathlib import Path

_state = os.environ.setdefault("LOCAL_STATE_DIR", tempfile.mkdtemp(prefix="enterprise-catalog-tests-"))
os.environ["CACHE_URL"] = os.environ.get("TEST_REDIS_URL", "locmem://")
os.environ["CELERY_BROKER_URL"] = "memory://"

from enterprise_catalog.settings.local import *  # noqa: E402, F403
from enterprise_catalog.settings.local import DATABASES  # noqa: E402

DEBUG = False
# A file, not memory: threads and processes of a test then have connections of their own, as in production.
DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(_state) / "test.sqlite3")
if DATABASES["default"]["ENGINE"] == "django.db.backends.mysql":
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_general_ci"}
# Cheap hashing: the suite logs in often and protects nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
