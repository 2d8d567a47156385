"""The catalogs to send, and the items that belong in the LMS."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from enterprise_catalog.integrated_channels.catalog_api.client import read_moment
from enterprise_catalog.integrated_channels.domain import (
    Desired,
    DesiredItem,
)
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
    from enterprise_catalog.integrated_channels.domain import History
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration


def catalogs_to_send(configuration: ChannelConfiguration, of_customer: Sequence[UUID]) -> Sequence[UUID]:
    """Return the catalogs to send, ascending. Never returns another customer's catalog.

    Args:
        of_customer: all catalogs of the configuration's customer, ascending.

    Raises:
        ConfigurationError: the configuration names a catalog that does not belong to the customer.
    """
    named = sorted(UUID(catalog_uuid) for catalog_uuid in configuration.catalog_uuids)
    if strangers := [str(catalog_uuid) for catalog_uuid in named if catalog_uuid not in of_customer]:
        customer = configuration.enterprise_customer_uuid
        message = f"Customer {customer} has no catalog {', '.join(strangers)}. Check the configuration's catalogs."
        raise ConfigurationError(message)
    return named or of_customer


def load_desired_items(catalog_uuids: Sequence[UUID], history: History, catalog: CatalogClient) -> Desired:
    """Return the items that belong in the LMS.

    An item in several catalogs keeps the catalog that it was last sent from, else gets the first in ``catalog_uuids``.

    Raises:
        CatalogUnavailableError: a catalog could not be read. Without it, no item can be treated as having left.
    """
    known_keys, records = history.live_keys(), history.records
    matched: dict[str, UUID] = {}
    desired: dict[str, DesiredItem] = {}
    versions: dict[UUID, str] = {}
    for catalog_uuid in catalog_uuids:
        response = catalog.fetch_diff(catalog_uuid, known_keys)
        versions[catalog_uuid] = response.version
        settled = history.settled.get(catalog_uuid, {})
        if response.existing == settled and records.keys().isdisjoint(settled.keys()):  # The usual case.
            matched |= dict.fromkeys(settled, catalog_uuid)
        else:
            for key, version in response.existing.items():
                record = records.get(key)
                if record is None and (held := settled.get(key)) and held == version:
                    matched[key] = catalog_uuid
                elif key not in desired or (record.catalog_uuid == catalog_uuid if record else key in settled):
                    desired[key] = DesiredItem(catalog_uuid, read_moment(version))
        new = DesiredItem(catalog_uuid, None)
        for key in response.to_create:
            desired.setdefault(key, new)
    others = {key: item for key, item in desired.items() if key not in matched}
    return Desired(matched, others, versions)
