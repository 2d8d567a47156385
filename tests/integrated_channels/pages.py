"""URLs of the audit pages in the admin, and helpers to read the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from django.http import HttpResponseBase
    from django.test import Client

_ADMIN = "/admin/integrated_channels"
TRANSMISSIONS = f"{_ADMIN}/contentmetadataitemtransmission/"
ATTEMPTS = f"{_ADMIN}/transmissionattempt/"
RUNS = f"{_ADMIN}/syncrun/"
CONFIGURATIONS = f"{_ADMIN}/channelconfiguration/"


def text_of(response: HttpResponseBase) -> str:
    """Return the page's text. Asserts status 200."""
    assert response.status_code == 200
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def shown(client: Client, address: str, **narrowed: str | int | list[str]) -> list[str]:
    """Return the rows of a changelist page as text, in order."""
    response = client.get(address, narrowed)
    assert response.status_code == 200
    return [str(row) for row in response.context["cl"].result_list]


def statements(client: Client, address: str, **narrowed: str | int | list[str]) -> list[str]:
    """Return the SQL statements that a page runs."""
    with CaptureQueriesContext(connection) as captured:
        text_of(client.get(address, narrowed))
    return [query["sql"] for query in captured]
