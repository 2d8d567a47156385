"""Celery: which configurations are due, and one task for each. Ids in; the work is ``sync.py``'s.

Both tasks are safe to run twice, and on several workers at once: the lease lets one run of a configuration through.
"""

from __future__ import annotations

from django.utils import timezone

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.sync import sync


@app.task(name="sync_due_configurations")
def sync_due_configurations() -> int:
    """Queue a sync of each configuration that is due; return how many. The scheduler calls this every few minutes."""
    due = ChannelConfiguration.objects.due(timezone.now()).order_by("next_sync_at").values_list("pk", flat=True)
    for pk in due:
        sync_configuration.delay(pk)
    return len(due)


@app.task(name="sync_configuration")
def sync_configuration(configuration_id: int) -> None:
    """Sync one configuration, unless it was switched off since it was queued."""
    configuration = ChannelConfiguration.objects.filter(pk=configuration_id, active=True).first()
    if configuration is not None:
        sync(configuration, clock=timezone.now)
