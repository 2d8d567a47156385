"""Creates audit rows directly, for tests of the pages that display them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from enterprise_catalog.integrated_channels.access.configurations import make_configuration
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    SyncRun,
    TransmissionAttempt,
)
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET = "a-token-that-nobody-may-see"


def a_configuration(**columns: Any) -> ChannelConfiguration:
    """Create a Moodle configuration whose credentials contain :data:`SECRET`."""
    configuration = make_configuration(
        channel_code="MOODLE",
        customer_uuid=UUID(int=7),
        base_url="https://moodle.example.org",
        settings={},
        credentials={"token": SECRET},
    )
    for name, value in columns.items():
        setattr(configuration, name, value)
    configuration.save()
    return configuration


def a_run(configuration: ChannelConfiguration, **columns: Any) -> SyncRun:
    """Create a finished run, by default with the state ``complete``."""
    ended = {"state": RunState.COMPLETE, "started_at": DAY_ONE, "finished_at": DAY_ONE}
    return SyncRun.objects.create(configuration=configuration, **(ended | columns))


def transmissions(
    configuration: ChannelConfiguration, keys: Iterable[str], **columns: Any
) -> list[ContentMetadataItemTransmission]:
    """Create a rejected transmission for each key, with one attempt each in one run. Returns them in order of key."""
    values = {"state": "rejected", "reason": "Moodle said no.", "attempts": 1, "last_attempt_at": DAY_ONE} | columns
    ContentMetadataItemTransmission.objects.bulk_create(
        ContentMetadataItemTransmission(configuration=configuration, content_key=key, created_at=DAY_ONE, **values)
        for key in keys
    )
    run = a_run(configuration)
    rows = list(ContentMetadataItemTransmission.objects.of(configuration).order_by("content_key"))
    TransmissionAttempt.objects.bulk_create(
        TransmissionAttempt(
            transmission=row,
            run=run,
            action="create",
            started_at=DAY_ONE,
            finished_at=DAY_ONE,
            outcome="rejected",
            vendor_code="invalidparameter",
            message="Moodle said no.",
        )
        for row in rows
    )
    return rows
