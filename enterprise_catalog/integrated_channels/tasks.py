"""Celery: which configurations are due, one task for each, and what is kept no longer. Ids in; the work is elsewhere.

All tasks are safe to run twice, and on several workers at once: the lease lets one run of a configuration through.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels import audit
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.sync import sync


@app.task(name="sync_due_configurations")
def sync_due_configurations() -> int:
    """Queue a sync of each configuration that is due; return how many. The scheduler calls this every few minutes."""
    due = ChannelConfiguration.objects.due(timezone.now()).order_by("next_sync_at").values_list("pk", flat=True)
    for pk in due:
        sync_configuration.delay(pk, only_if_due=True)
    return len(due)


@app.task(name="sync_configuration")
def sync_configuration(configuration_id: int, *, only_if_due: bool = False) -> None:
    """Sync one configuration, unless it was switched off since it was queued.

    Args:
        only_if_due: leave it alone if a sync has run since; a slow queue holds several tasks of one configuration.
    """
    configurations = ChannelConfiguration.objects.filter(pk=configuration_id, active=True)
    configuration = (configurations.due(timezone.now()) if only_if_due else configurations).first()
    if configuration is not None:
        sync(configuration, clock=timezone.now)


@app.task(name="remove_old_attempts")
def remove_old_attempts() -> int:
    """Remove attempts and runs that are older than ``ATTEMPT_RETENTION_DAYS``; return how many rows."""
    return audit.remove_old(before=timezone.now() - timedelta(days=settings.ATTEMPT_RETENTION_DAYS))
