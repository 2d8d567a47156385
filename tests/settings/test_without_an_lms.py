"""A production site that issues its own tokens: gunicorn, MariaDB and Redis, without an Open edX LMS."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from tests import services
from tests.factories.catalog import CourseFactory
from tests.processes import PROJECT, Commands, Site, get_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

CUSTOMER = "22222222-2222-4222-8222-222222222222"
CATALOG = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def site(tmp_path: Path, mariadb_url: str, redis_url: str) -> Site:
    """A site with the production settings and its own signing key, reached over plain HTTP as inside a cluster."""
    key = subprocess.run(
        [sys.executable, "-m", "enterprise_catalog.local_auth.keys"], cwd=PROJECT, capture_output=True, check=True
    )
    key_file = tmp_path / "signing-key.json"
    key_file.write_bytes(key.stdout)
    redis = redis_url.rpartition("/")[0]
    return Site.make(
        tmp_path,
        DJANGO_SETTINGS_MODULE="enterprise_catalog.settings.production",
        DATABASE_URL=services.create_database(mariadb_url, "without_an_lms"),
        CELERY_BROKER_URL=f"{redis}/3",
        CACHE_URL=f"{redis}/4",
        SECRET_KEY="s" * 50,
        ALLOWED_HOSTS="127.0.0.1",
        JWT_ISSUER="https://catalog.example.org/oauth2",
        JWT_AUDIENCE="enterprise-catalog",
        JWT_SIGNING_KEY_FILE=str(key_file),
        LEARNER_PORTAL_URL="https://learn.example.org",
        OAUTH2_CLIENT_ID="integrated-channels",
        OAUTH2_CLIENT_SECRET="geheim" * 6,
        CREDENTIALS_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        SECURE_SSL_REDIRECT="false",
        LMS_PRIVATE_ADDRESSES="true",
    )


@pytest.fixture
def commands(site: Site) -> Iterator[Commands]:
    """The site's commands. Its database is migrated."""
    with site.commands() as commands:
        commands.run("migrate", "--verbosity", "0")
        yield commands


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Any:
    request = urllib.request.Request(url, body, dict(headers))
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_a_production_site_without_an_lms_gives_out_tokens_answers_diffs_and_syncs(
    site: Site, commands: Commands, tmp_path: Path
) -> None:
    keys = CourseFactory.keys(20)
    file = tmp_path / "catalog.jsonl"
    file.write_text("".join(json.dumps(course) + "\n" for course in CourseFactory.numbered(20)))
    commands.run("import_content", str(file), "--catalog-uuid", CATALOG, "--customer-uuid", CUSTOMER)
    client = json.loads(commands.run("create_client", "portal", "--role", f"enterprise_admin:{CUSTOMER}"))
    base = f"http://127.0.0.1:{site.port}"
    (tmp_path / "lms").mkdir()
    lms = Site.make(tmp_path / "lms")

    with site.web(), lms.sandbox("MOODLE") as sandbox:
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "token_type": "jwt", **client})
        token = post(f"{base}/oauth2/access_token", form.encode(), {})["access_token"]
        diff = post(
            f"{base}/api/v1/enterprise-catalogs/{CATALOG}/content-diff/",
            json.dumps({"content_keys": [keys[0], "Gone"]}).encode(),
            {"Authorization": f"JWT {token}", "Content-Type": "application/json"},
        )
        commands.run(
            "create_channel",
            *("--channel", "MOODLE", "--customer-uuid", CUSTOMER, "--base-url", sandbox["url"]),
            *("--settings", json.dumps(sandbox["settings"]), "--credentials", json.dumps(sandbox["credentials"])),
        )
        [report] = json.loads(f"[{commands.run('sync_channels', '--json').strip()}]")
        offered = get_json(f"{sandbox['url']}/_sandbox/offered")

    assert ([each["content_key"] for each in diff["existing"]], diff["to_delete"]) == (keys[:1], ["Gone"])
    assert diff["to_create"] == keys[1:]
    assert report["state"] == "complete"
    assert sorted(offered) == keys
