"""Fixtures: a catalog service and a sandbox Moodle, both over real HTTP on the loopback interface."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from tests.factories import DAY_ONE
from tests.factories.catalog import CustomerFactory
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        """Move the clock forward, as in ``forward(hours=1)``."""
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    """A clock fixed at ``DAY_ONE``, which is noon."""
    return Clock(DAY_ONE)


@pytest.fixture
def catalog_service(live_server: LiveServer, settings: Settings) -> LiveServer:
    """The catalog service on the loopback interface. The channels' settings point to it."""
    settings.CATALOG_API_URL = live_server.url
    settings.OAUTH2_PROVIDER_URL = f"{live_server.url}/oauth2"
    return live_server


@pytest.fixture
def moodle() -> MoodleSandbox:
    """An in-memory Moodle sandbox; ``moodle_url`` serves it."""
    return MoodleSandbox()


@pytest.fixture
def moodle_url(moodle: MoodleSandbox) -> Iterator[str]:
    """The URL of ``moodle`` on the loopback interface."""
    with on_loopback(moodle) as url:
        yield url


@pytest.fixture
def customer(catalog_service: LiveServer) -> EnterpriseCustomer:  # noqa: ARG001  (needs its database)
    """The customer of ``configuration``, in the catalog service's database."""
    return CustomerFactory.create()


@pytest.fixture
def configure(
    customer: EnterpriseCustomer, moodle: MoodleSandbox, moodle_url: str
) -> Callable[..., ChannelConfiguration]:
    """Return a function that creates a configuration for ``moodle``; its arguments are other columns."""
    return partial(
        ConfigurationFactory.create, enterprise_customer_uuid=customer.pk, base_url=moodle_url, sandbox=moodle
    )


@pytest.fixture
def configuration(configure: Callable[..., ChannelConfiguration]) -> ChannelConfiguration:
    """The customer's configuration for ``moodle``: all catalogs, and deletes without approval."""
    return configure(delete_limit_percent=100)
