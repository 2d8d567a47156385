"""URLs of the audit pages in the admin, and helpers to read the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.admin.setup.channel_fields import channel_fields
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from tests.factories.channels import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpResponseBase
    from django.test import Client

    from enterprise_catalog.integrated_channels.channels.base import ChannelSettings

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


def filled_in(
    *,
    channel_code: str = "MOODLE",
    settings: Mapping[str, object] | None = None,
    credentials: Mapping[str, object] | None = None,
    **fields: str,
) -> dict[str, str]:
    """Return the data of the form of a configuration, as a browser sends it.

    Args:
        settings: values of the channel's fields that differ from their defaults.
        credentials: those to enter; by default, a token.
        fields: other fields of the form.
    """
    channel = CHANNELS[channel_code]
    entered = {"token": SECRET} if credentials is None else credentials
    return {
        "channel_code": channel_code,
        "display_name": "Acme's Moodle",
        "active": "on",
        "enterprise_customer_uuid": "22222222-2222-4222-8222-222222222222",
        "skip_customer_check": "on",
        "catalog_uuids": "",
        "base_url": "https://moodle.example.org",
        "sync_interval_minutes": "60",
        "chunk_size": "",
        "max_chunks_per_run": "",
        "delete_limit_items": "50",
        "delete_limit_percent": "20",
        **dict(_entries(channel.settings_class, "settings", settings or {})),
        **dict(_entries(channel.credentials_class, "credentials", entered)),
        **fields,
    }


def _entries(kind: type[ChannelSettings], prefix: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each field. A browser sends no box that is not checked."""
    for field in channel_fields(kind, prefix=prefix):
        value = field.form_field.prepare_value(values.get(field.name, field.default))
        if value is not False:
            yield field.form_name, "on" if value is True else "" if value is None else str(value)
