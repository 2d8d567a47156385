"""After a test that commits, the database has the rows of a migrated database, and no others."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django_celery_beat.models import PeriodicTask

from tests.factories.channels import TransmissionFactory
from tests.migrated_rows import MigratedRows

pytestmark = pytest.mark.django_db(transaction=True)


def test_added_changed_and_deleted_rows_are_restored() -> None:
    before = MigratedRows.read()
    TransmissionFactory.create()
    get_user_model().objects.update(username="another")
    ContentType.objects.all().delete()
    assert MigratedRows.read() != before

    before.restore()

    assert MigratedRows.read() == before


def test_rows_that_migrations_wrote_survive_a_test_that_commits() -> None:
    """Django's own ``flush`` would have deleted them after the test before."""
    assert PeriodicTask.objects.exists()
