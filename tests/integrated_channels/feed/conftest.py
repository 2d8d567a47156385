"""Fixtures: a portal that polls the feed of a customer, and the customer's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.sandbox.cornerstone.portal import CornerstoneSandbox, Poll
from enterprise_catalog.wsgi import application
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.conftest import Clock


@pytest.fixture
def portal(clock: Clock) -> CornerstoneSandbox:
    """A portal whose clock moves forward by 1 minute at each reading."""

    def a_minute_later() -> float:
        clock.forward(minutes=1)
        return clock.now.timestamp()

    return CornerstoneSandbox(clock=a_minute_later)


@pytest.fixture
def configure(customer: EnterpriseCustomer, portal: CornerstoneSandbox) -> Callable[..., ChannelConfiguration]:
    """Return a function that connects the customer to ``portal``; its arguments are other settings."""

    def make(**settings: Any) -> ChannelConfiguration:
        return ConfigurationFactory.create(
            channel_code="CSOD",
            enterprise_customer_uuid=customer.pk,
            settings={**portal.channel_settings(), **settings},
            sandbox=portal,
        )

    return make


@pytest.fixture
def configuration(configure: Callable[..., ChannelConfiguration]) -> ChannelConfiguration:
    """The customer's configuration for ``portal``, with deletes without approval."""
    configuration = configure()
    configuration.delete_limit_percent = 100
    configuration.save()
    return configuration


@pytest.fixture
def ours() -> Iterator[httpx.Client]:
    """A client for our own web service, connected in-process."""
    transport = httpx.WSGITransport(app=application)
    with httpx.Client(base_url="http://testserver", transport=transport) as client:
        yield client


@pytest.fixture
def poll(portal: CornerstoneSandbox, customer: EnterpriseCustomer, ours: httpx.Client) -> Callable[[], Poll]:
    """Return a function that makes ``portal`` poll the feed."""
    return lambda: portal.poll(ours, str(customer.pk))
