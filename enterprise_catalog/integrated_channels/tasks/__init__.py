"""Celery tasks. They take ids; other modules do the work. All tasks are safe to run twice, and on several workers.

``syncs.py``       Queue the due configurations, sync one configuration.
``changes.py``     Ask the catalog service which customers changed.
``claims.py``      The configurations that have a message in a queue.
``maintenance.py``  Delete old attempts, runs and operations; record the backlog.
``notifications.py``  Find events and notify their subscribers.
``operations.py``  Start and run a long action of a user.
``work.py``        The work of each kind of operation.
``progress.py``    Writes the progress of an operation.

Celery imports this package to find the tasks.
"""

from enterprise_catalog.integrated_channels.tasks.maintenance import record_backlog, remove_old_attempts
from enterprise_catalog.integrated_channels.tasks.notifications import notify, send_message
from enterprise_catalog.integrated_channels.tasks.operations import run_operation, start_operation
from enterprise_catalog.integrated_channels.tasks.syncs import (
    queue_sync,
    sync_changed_configurations,
    sync_configuration,
    sync_due_configurations,
)

__all__ = [
    "notify",
    "queue_sync",
    "record_backlog",
    "remove_old_attempts",
    "run_operation",
    "send_message",
    "start_operation",
    "sync_changed_configurations",
    "sync_configuration",
    "sync_due_configurations",
]
