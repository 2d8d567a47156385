"""A fleet: many configurations of many customers, and the messages that were sent for them."""

from __future__ import annotations

from uuid import UUID

from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from tests.factories import DAY_ONE


def make_fleet(number: int, *, customers: int | None = None, hosts: int | None = None, **columns: object) -> list[int]:
    """Create configurations in one statement per 1,000; return their IDs. They are due since ``DAY_ONE``.

    Args:
        customers: number of customers; by default one per configuration.
        hosts: number of LMS hosts; by default one per configuration.
        columns: other columns.
    """
    rows = [
        ChannelConfiguration(
            channel_code="MOODLE",
            enterprise_customer_uuid=UUID(int=index % (customers or number) + 1),
            base_url=f"https://{index % (hosts or number)}.example.org",
            **{"next_sync_at": DAY_ONE, **columns},
        )
        for index in range(number)
    ]
    known = set(ChannelConfiguration.objects.values_list("pk", flat=True))
    ChannelConfiguration.objects.bulk_create(rows, batch_size=1_000)
    return [pk for pk in ChannelConfiguration.objects.order_by("pk").values_list("pk", flat=True) if pk not in known]
