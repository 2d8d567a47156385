"""A stand-in SAP in memory, and the channel connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.sandbox.sap import SAPSandbox
from tests.integrated_channels.channels.sap_success_factors.connection import connected

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.sap_success_factors.channel import SAPSuccessFactors


@pytest.fixture
def sap() -> SAPSandbox:
    """A SAP that takes imports one after the other."""
    return SAPSandbox(window_ms=0)


@pytest.fixture
def channel(sap: SAPSandbox) -> SAPSuccessFactors:
    """The channel to ``sap``, by client secret."""
    return connected(sap)
