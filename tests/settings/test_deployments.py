"""Each deployment starts with the settings it needs, and reports missing settings by name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.fernet import Fernet

from enterprise_catalog.local_auth.keys import new_signing_key
from tests import warm_start
from tests.processes import PROJECT

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

SHARED: Final = {
    "SECRET_KEY": "s" * 50,
    "CELERY_BROKER_URL": "memory://",
    "CACHE_URL": "locmem://",
    "ALLOWED_HOSTS": "catalog.example.org",
}
OF_THE_CATALOG: Final = {
    "JWT_ISSUER": "https://lms.example.org/oauth2",
    "JWT_AUDIENCE": "enterprise-catalog",
    "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [json.loads(new_signing_key())["public"]]}),
    "LEARNER_PORTAL_URL": "https://learn.example.org",
}
OF_THE_CHANNELS: Final = {
    "CATALOG_API_URL": "https://catalog.example.org",
    "OAUTH2_PROVIDER_URL": "https://lms.example.org/oauth2",
    "OAUTH2_CLIENT_ID": "channels",
    "OAUTH2_CLIENT_SECRET": "geheim",
    "CREDENTIALS_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}
NEEDS: Final = {
    "catalog": OF_THE_CATALOG,
    "channels": OF_THE_CHANNELS,
    "production": {**OF_THE_CATALOG, **OF_THE_CHANNELS},
}

#: Warnings are errors.
STRICT: Final = {"PYTHONWARNINGS": "error"}

#: Prints the URL patterns of the deployment.
ADDRESSES: Final = """
import json
from django.urls import get_resolver
included = [each for pattern in get_resolver().url_patterns for each in getattr(pattern, "url_patterns", ())]
print(json.dumps(sorted({str(pattern.pattern) for pattern in [*get_resolver().url_patterns, *included]})))
"""
#: Prints the names of the settings that do not require HTTPS.
HTTPS: Final = """
import json
from enterprise_catalog.settings import production
names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
print(json.dumps([name for name in names if not getattr(production, name)]))
"""


def manage(tmp_path: Path, deployment: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the deployment, without this process's own environment variables."""
    return python(tmp_path, deployment, "manage.py", *arguments, **variables)


def python(tmp_path: Path, deployment: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the environment of the deployment. With ``STRICT`` it starts cold, so that libraries warn, too."""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": f"enterprise_catalog.settings.{deployment}",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        **variables,
    }
    return warm_start.run(arguments, cwd=PROJECT, env=environment, cold="PYTHONWARNINGS" in variables)


@pytest.mark.parametrize("deployment", NEEDS)
def test_it_passes_the_checks_for_deployment(tmp_path: Path, deployment: str) -> None:
    needs = {**STRICT, **SHARED, **NEEDS[deployment]}

    done = manage(tmp_path, deployment, "check", "--deploy", "--fail-level=ERROR", **needs)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("deployment", ["catalog", "production"])
def test_a_signing_key_makes_it_its_own_issuer(tmp_path: Path, deployment: str) -> None:
    needs = {**SHARED, **NEEDS[deployment], "JWT_SIGNING_KEY": json.dumps(json.loads(new_signing_key())["private"])}
    del needs["JWT_PUBLIC_SIGNING_JWK_SET"]

    done = manage(tmp_path, deployment, "shell", "--no-imports", "-c", ADDRESSES, **STRICT, **needs)

    assert "oauth2/" in json.loads(done.stdout)


@pytest.mark.parametrize(
    ("changed", "switched_off"),
    [
        ({}, set()),
        ({"SECURE_SSL_REDIRECT": "false"}, {"SECURE_SSL_REDIRECT"}),
        ({"SECURE_COOKIES": "false"}, {"SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"}),
        ({"SECURE_HSTS_SECONDS": "0"}, {"SECURE_HSTS_SECONDS"}),
    ],
)
def test_https_is_needed_unless_it_is_switched_off(
    tmp_path: Path, changed: dict[str, str], switched_off: set[str]
) -> None:
    variables = {**SHARED, **NEEDS["production"], **changed}

    done = python(tmp_path, "production", "-c", HTTPS, **variables)

    assert set(json.loads(done.stdout)) == switched_off


@pytest.mark.parametrize("deployment", NEEDS)
def test_it_names_all_that_it_misses(tmp_path: Path, deployment: str) -> None:
    done = manage(tmp_path, deployment, "check", **SHARED)

    assert done.returncode != 0
    assert [name for name in NEEDS["production"] if f"{name}: must be set" in done.stderr] == [*NEEDS[deployment]]


@pytest.mark.parametrize("deployment", NEEDS)
def test_it_names_what_is_wrong_and_what_is_missing_at_once(tmp_path: Path, deployment: str) -> None:
    done = manage(tmp_path, deployment, "check", **SHARED | {"CACHE_URL": "memcached://x"}, LOG_FORMAT="xml")

    assert done.returncode != 0
    assert "CACHE_URL: must be a URL that starts with one of redis://" in done.stderr
    assert "LOG_FORMAT: " in done.stderr
    assert [name for name in NEEDS["production"] if f"{name}: must be set" in done.stderr] == [*NEEDS[deployment]]


@pytest.mark.parametrize(("deployment", "has_api"), [("catalog", True), ("channels", False), ("production", True)])
def test_only_a_deployment_with_the_catalog_has_its_addresses(
    tmp_path: Path, deployment: str, *, has_api: bool
) -> None:
    done = manage(tmp_path, deployment, "shell", "--no-imports", "-c", ADDRESSES, **SHARED, **NEEDS[deployment])

    addresses = json.loads(done.stdout)
    assert {"admin/", "health/", "metrics"} <= {*addresses}
    assert ("api/v1/" in addresses) == has_api
    assert "oauth2/" not in addresses
