"""Imported by a worker: what happens within a minute after a stop request happens within seconds.

It also adds a task that nothing but the last resort ends.
"""

import time

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels import stopping, tasks

stopping.GRACE_SECONDS = 1.0  # type: ignore[misc]  # final for all but this
tasks.LAST_RESORT_SECONDS = 6.0  # type: ignore[misc]  # likewise


@app.task(name="hang")
def hang() -> None:
    """Hang like a statement that a database never answers."""
    time.sleep(600)
