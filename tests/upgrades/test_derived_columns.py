"""Columns that repeat parts of documents: the migration and the next import fill those of earlier releases."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps

from enterprise_catalog.catalog.models import ContentMetadata, NestedRun
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

pytestmark = pytest.mark.django_db

migration = import_module("enterprise_catalog.catalog.migrations.0009_fill_derived_columns")

RUNS = [{"key": f"course-v1:edX+DemoX+{number}", "uuid": str(UUID(int=number))} for number in (1, 2)]
COURSE = CourseFactory.build(
    key="edX+DemoX",
    course_type="executive-education-2u",
    course_runs=RUNS,
    advertised_course_run_uuid=str(UUID(int=2)),
    entitlements=[{"mode": "paid-executive-education", "sku": "ABC123"}],
)
EXPECTED = {
    "content_uuid": UUID(COURSE["uuid"]),
    "course_type": "executive-education-2u",
    "advertised_run_key": "course-v1:edX+DemoX+2",
    "entitlement_sku": "ABC123",
    "is_active": False,
}


def columns_of(key: str) -> dict[str, Any]:
    return dict(ContentMetadata.objects.values(*EXPECTED).get(content_key=key))


def as_an_earlier_release_writes_it() -> None:
    """Reset the derived columns to the defaults that the database gives them."""
    ContentMetadata.objects.update(
        content_uuid=None, course_type="", advertised_run_key="", entitlement_sku="", is_active=True, derived_from=""
    )
    NestedRun.objects.all().delete()


def nested_runs() -> list[str]:
    return sorted(NestedRun.objects.values_list("run_key", flat=True))


def test_the_migration_fills_them_without_a_change_of_content(monkeypatch: pytest.MonkeyPatch) -> None:
    CatalogFactory.create(courses=4, content=[COURSE])
    as_an_earlier_release_writes_it()
    monkeypatch.setattr(migration, "ROWS_AT_ONCE", 2)

    migration.fill(apps, None)
    migration.fill(apps, None)

    assert columns_of("edX+DemoX") == EXPECTED
    assert nested_runs() == [run["key"] for run in RUNS]
    assert set(ContentMetadata.objects.values_list("updated_at", flat=True)) == {DAY_ONE}
    assert not ContentMetadata.objects.filter(content_uuid=None).exists()


def test_the_next_import_fills_them_in_rows_that_an_earlier_release_wrote_meanwhile() -> None:
    catalog = CatalogFactory.create(content=[COURSE])
    as_an_earlier_release_writes_it()

    report = import_into(catalog, [COURSE], now=DAY_ONE + timedelta(days=1))
    again = import_into(catalog, [COURSE], now=DAY_ONE + timedelta(days=2))

    assert columns_of("edX+DemoX") == EXPECTED
    assert nested_runs() == [run["key"] for run in RUNS]
    assert (report.unchanged, again.unchanged) == (1, 1)
    # Its enrollment URL depends on the new columns.
    assert ContentMetadata.objects.get().updated_at == DAY_ONE + timedelta(days=1)


def test_no_content_changes_if_the_enrollment_url_does_not() -> None:
    course = CourseFactory.build(key="edX+DemoX", course_runs=RUNS)
    catalog = CatalogFactory.create(content=[course])
    as_an_earlier_release_writes_it()

    report = import_into(catalog, [course], now=DAY_ONE + timedelta(days=1))

    assert columns_of("edX+DemoX")["content_uuid"] == UUID(course["uuid"])
    assert nested_runs() == [run["key"] for run in RUNS]
    assert report.unchanged == 1
    assert ContentMetadata.objects.get().updated_at == DAY_ONE
