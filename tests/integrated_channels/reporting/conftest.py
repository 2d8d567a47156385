"""Fixtures: the diagnosis of an item, with the real catalog service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.reporting.diagnosis import Diagnosis, Finding, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.reporting.live import LiveItem
    from tests.integrated_channels.conftest import Clock


def _diagnose(customer_uuid: UUID, clock: Clock, text: str, live: Mapping[int, LiveItem] | None = None) -> Diagnosis:
    with CatalogClient() as catalog:
        return diagnose(customer_uuid, text, catalog=catalog, now=clock(), live=live)


@pytest.fixture
def diagnosis_of(customer: EnterpriseCustomer, clock: Clock) -> Callable[..., Diagnosis]:
    """Return a function that diagnoses a text for the customer, now."""
    return partial(_diagnose, customer.pk, clock)


@pytest.fixture
def finding_of(diagnosis_of: Callable[..., Diagnosis]) -> Callable[..., Finding]:
    """Return a function that diagnoses a text, and returns the only finding."""

    def find(text: str, live: LiveItem | None = None) -> Finding:
        [pk] = [finding.configuration_id for finding in diagnosis_of(text).findings]
        [finding] = diagnosis_of(text, {pk: live} if live else None).findings
        return finding

    return find
