"""The heartbeats of Celery's workers."""

from __future__ import annotations

from django.db import models


class WorkerHeartbeat(models.Model):
    """Time at which a Celery worker was last alive. The worker itself writes it; see ``heartbeats.py``."""

    name = models.CharField(max_length=255, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
