"""A catalog service and a sandbox Moodle, both reached over real HTTP on loopback."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.configurations import make_configuration
from enterprise_catalog.sandbox.moodle import MoodleSandbox
from tests.factories import DAY_ONE, a_customer
from tests.integrated_channels.loopback import on_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        """Move the clock, as in ``forward(hours=1)``."""
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the first day's noon."""
    return Clock(DAY_ONE)


@pytest.fixture
def catalog_service(live_server: LiveServer, settings: Settings) -> LiveServer:
    """The catalog service on loopback, known to the channels' settings."""
    settings.CATALOG_API_URL = live_server.url
    settings.OAUTH2_PROVIDER_URL = f"{live_server.url}/oauth2"
    return live_server


@pytest.fixture
def moodle() -> MoodleSandbox:
    """A Moodle in memory; ``moodle_url`` serves it."""
    return MoodleSandbox()


@pytest.fixture
def moodle_url(moodle: MoodleSandbox) -> Iterator[str]:
    """Where ``moodle`` is served on loopback."""
    with on_loopback(moodle) as url:
        yield url


@pytest.fixture
def customer(catalog_service: LiveServer) -> EnterpriseCustomer:  # noqa: ARG001  (its database has to be there)
    """The customer of ``configuration``."""
    return a_customer()


@pytest.fixture
def configure(
    customer: EnterpriseCustomer, moodle: MoodleSandbox, moodle_url: str
) -> Callable[..., ChannelConfiguration]:
    """Return a function that connects the customer to ``moodle``; its arguments are further columns."""

    def make(**columns: object) -> ChannelConfiguration:
        configuration = make_configuration(
            channel_code="MOODLE",
            customer_uuid=customer.pk,
            base_url=moodle_url,
            settings=dict(moodle.channel_settings()),
            credentials=dict(moodle.channel_credentials()),
        )
        for name, value in columns.items():
            setattr(configuration, name, value)
        configuration.save()
        return configuration

    return make


@pytest.fixture
def configuration(configure: Callable[..., ChannelConfiguration]) -> ChannelConfiguration:
    """The customer's connection to ``moodle``: all of the customer's catalogs, and deletes without approval."""
    return configure(delete_limit_percent=100)
