"""A Canvas configuration authorized and checked over real HTTP on the loopback interface."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from enterprise_catalog.integrated_channels.access.connections import authorization_url, check_connection, redeem
from enterprise_catalog.integrated_channels.access.credentials import decrypt
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.canvas.settings import CLIENT_ID, CLIENT_SECRET
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings

REDIRECT_URI = "https://catalog.example.org/integrated-channels/oauth-complete/"


def clock() -> datetime:
    return DAY_ONE


@pytest.mark.django_db
def test_the_token_of_a_consent_is_stored_with_the_developer_key_and_is_valid(settings: Settings) -> None:
    settings.LMS_PRIVATE_ADDRESSES = True
    with on_loopback(CanvasSandbox()) as url:
        credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        configuration = ConfigurationFactory.create(channel_code="CANVAS", base_url=url, credentials=credentials)
        before = check_connection(configuration, clock=clock)

        place = authorization_url(configuration, redirect_uri=REDIRECT_URI, state="s", clock=clock)
        sent_back = httpx.get(place, trust_env=False).headers["location"]
        [code] = parse_qs(urlsplit(sent_back).query)["code"]
        redeem(configuration, code, redirect_uri=REDIRECT_URI, clock=clock)

        after = [sentence for sentence in check_connection(configuration, clock=clock) if "clock" not in sentence]

    configuration.refresh_from_db()
    stored = decrypt(configuration.credentials)
    assert before == ['This configuration has not been authorized yet. Use "Authorize" on its page.']
    assert after == []
    assert stored.keys() == {"client_id", "client_secret", "refresh_token"}
    assert stored["client_secret"] == CLIENT_SECRET
