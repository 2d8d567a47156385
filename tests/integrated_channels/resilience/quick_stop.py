"""Imported by a worker: shortens the reaction to a stop request from a minute to seconds.

It also adds a task that only the last resort can end.
"""

import time

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.lms import stopping
from enterprise_catalog.integrated_channels.tasks import syncs

vars(stopping)["GRACE_SECONDS"] = 1.0
vars(syncs)["LAST_RESORT_SECONDS"] = 6.0


@app.task(name="hang")
def hang() -> None:
    """Hang like an SQL statement without a response."""
    time.sleep(600)
