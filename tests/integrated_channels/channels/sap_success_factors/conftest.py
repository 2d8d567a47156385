"""Fixtures: an in-memory SAP sandbox and a channel connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.sap.api import SAPSandbox
from tests.integrated_channels.channels.sap_success_factors.connection import connected

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.sap_success_factors.channel import SAPSuccessFactors


@pytest.fixture
def sap() -> SAPSandbox:
    """A SAP sandbox without an import window: imports may follow each other at once."""
    return SAPSandbox(window_ms=0)


@pytest.fixture
def channel(sap: SAPSandbox) -> SAPSuccessFactors:
    """The channel connected to ``sap``, authenticated by client secret."""
    return connected(sap)
