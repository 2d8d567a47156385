"""Database connections of Celery workers: kept between tasks, and replaced when they are broken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from celery.fixups.django import DjangoFixup
from celery.signals import task_prerun
from django.db import OperationalError, connection

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.tasks import sync_due_configurations

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def carried_out() -> Iterator[None]:
    """Do in the block what a worker does before and after a task."""
    fixup = DjangoFixup(app).worker_fixup
    fixup.on_task_prerun(sync_due_configurations)
    task_prerun.send(sync_due_configurations)
    yield
    fixup.on_task_postrun(sync_due_configurations)


def test_a_worker_keeps_its_connection_between_tasks() -> None:
    with carried_out():
        sync_due_configurations()
    first = connection.connection

    with carried_out():
        sync_due_configurations()

    assert first is not None
    assert connection.connection is first


@pytest.mark.only_on("mariadb")
def test_a_worker_replaces_a_connection_that_the_server_has_closed() -> None:
    with carried_out():
        sync_due_configurations()
        with connection.cursor() as cursor, contextlib.suppress(OperationalError):
            cursor.execute("KILL CONNECTION_ID()")

    with carried_out():
        assert sync_due_configurations() == 0
