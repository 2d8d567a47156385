"""The Celery application; its settings are Django's ``CELERY_*``."""

import os

from celery import Celery
from celery.signals import beat_init, worker_process_init

from enterprise_catalog.observability.tracing import trace_tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.local")

app = Celery("enterprise_catalog")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

worker_process_init.connect(trace_tasks)
beat_init.connect(trace_tasks)
