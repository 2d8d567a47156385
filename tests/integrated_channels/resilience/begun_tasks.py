"""Imported by a worker: logs each task that a pool process begins. Celery logs when it receives and ends one."""

import logging

from celery.signals import task_prerun

log = logging.getLogger(__name__)


@task_prerun.connect
def note_begin(task_id: str, **_: object) -> None:
    log.info("Task [%s] begun", task_id)
