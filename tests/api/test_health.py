"""``/health/`` and ``/metrics``: what those who run the service ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from rest_framework.test import APIClient

#: Answers one request to ``/health/`` in a process of its own, and prints the answer.
ASK: Final = """
import django, json
django.setup()
from django.test import Client
response = Client(headers={"host": "localhost"}).get("/health/")
print(json.dumps([response.status_code, response.json()]))
"""


def health_with(folder: Path, **environment: str) -> tuple[int, dict[str, str]]:
    """Return status and body of ``/health/`` in a process with these variables set."""
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.local",
        "LOCAL_STATE_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'health.sqlite3'}",
        "CACHE_URL": "locmem://",
        "CELERY_BROKER_URL": "memory://",
        **environment,
    }
    done = subprocess.run([sys.executable, "-c", ASK], env=variables, capture_output=True, text=True, check=True)
    status, body = json.loads(done.stdout.splitlines()[-1])
    assert "geheim" not in done.stdout + done.stderr
    return status, body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/plain", "*; q=.2, */*; q=.2", "garbage", ""])
@pytest.mark.parametrize("query", ["", "?format=text", "?format=atom", "?format=openmetrics"])
def test_it_answers_200_in_json_when_all_is_there(client: Client, accept: str, query: str) -> None:
    response = client.get(f"/health/{query}", headers={"accept": accept})

    assert response.status_code == 200
    assert response.json() == {
        "Database(alias='default')": "OK",
        "Cache(alias='default')": "OK",
        "Broker()": "OK",
    }
    assert "no-store" in response["Cache-Control"]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("variable", "url", "away"),
    [
        ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "Database(alias='default')"),
        ("CACHE_URL", "redis://:geheim@127.0.0.1:1/0", "Cache(alias='default')"),
        ("CELERY_BROKER_URL", "redis://:geheim@127.0.0.1:1/0", "Broker()"),
    ],
)
def test_it_answers_503_and_names_what_is_away(tmp_path: Path, variable: str, url: str, away: str) -> None:
    status, body = health_with(tmp_path, **{variable: url})

    assert status == 503
    assert {check for check, outcome in body.items() if outcome != "OK"} == {away}


@pytest.mark.django_db
def test_metrics_count_requests(client: Client, operator: APIClient) -> None:
    operator.get("/api/v1/enterprise-catalogs/")

    response: Any = client.get("/metrics")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert b"django_http_requests_total_by_view_transport_method_total" in response.content
