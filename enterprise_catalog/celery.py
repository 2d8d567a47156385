"""The Celery application; its settings are Django's ``CELERY_*``."""

import os

from celery import Celery
from celery.signals import beat_init, task_prerun, worker_process_init
from django.db import close_old_connections

from enterprise_catalog.observability.tracing import trace_tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.local")

app = Celery("enterprise_catalog")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

worker_process_init.connect(trace_tasks)
beat_init.connect(trace_tasks)


@task_prerun.connect
def _check_connections(**_: object) -> None:
    """Close a database connection that is too old or broken. The next statement opens another one."""
    close_old_connections()
