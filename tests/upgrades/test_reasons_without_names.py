"""The migration that removes the names of users from the reasons of items."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import pytest
from django.apps import apps

from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from tests.factories.channels import ConfigurationFactory, TransmissionFactory

pytestmark = pytest.mark.django_db

migration = import_module("enterprise_catalog.integrated_channels.migrations.0030_reasons_without_names")

#: State -> reason before and after.
REASONS: Final = [
    (
        "pending",
        "Queued again by eve.x. Previous reason: The LMS returned 503. Later.",
        "Queued again by a user. Previous reason: The LMS returned 503. Later.",
    ),
    ("kept", "Left the catalogs; kept by eve.", "Left the catalogs; kept by a user."),
    (
        "pending",
        "Left the catalogs; its delete was approved by eve.",
        "Left the catalogs; its delete was approved by a user.",
    ),
    ("pending", "Planned: new in the catalogs.", "Planned: new in the catalogs."),
    ("rejected", "Kept by eve.", "Kept by eve."),
]


def test_only_the_names_of_users_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "ROWS_AT_ONCE", 2)
    configuration = ConfigurationFactory.create()
    for number, (state, reason, _) in enumerate(REASONS):
        TransmissionFactory.create(configuration=configuration, content_key=str(number), reason=reason, **{state: True})

    migration.remove_names(apps, None)
    migration.remove_names(apps, None)

    reasons = ContentMetadataItemTransmission.objects.order_by("content_key").values_list("reason", flat=True)
    assert [*reasons] == [after for _, _, after in REASONS]
