"""The columns that repeat parts of a document follow the document."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from enterprise_catalog.catalog.documents import DerivedColumns, derive_columns
from enterprise_catalog.catalog.models import ContentMetadata, NestedRun
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

ACTIVE = {"is_enrollable": True, "status": "published", "is_marketable": True}


@pytest.mark.parametrize(
    ("run", "is_active"),
    [
        (ACTIVE, True),
        ({**ACTIVE, "status": "Published"}, True),
        ({**ACTIVE, "status": "unpublished"}, False),
        ({**ACTIVE, "status": None}, False),
        ({**ACTIVE, "is_marketable": False}, False),
        ({**ACTIVE, "is_enrollable": False}, False),
        ({"is_enrollable": True, "is_marketable_external": True}, True),
        ({"is_enrollable": False, "is_marketable_external": True}, False),
        ({}, False),
    ],
)
def test_a_course_with_an_active_run_is_active(run: dict[str, Any], is_active: bool) -> None:
    assert derive_columns("course", {"course_runs": [{}, run]}).is_active == is_active


@pytest.mark.parametrize(
    ("fields", "is_active"),
    [({}, True), ({"course_runs": []}, False), ({"course_runs": None}, False), ({"course_runs": [5]}, False)],
)
def test_a_course_without_runs_is_inactive_unless_nothing_is_known(fields: dict[str, Any], is_active: bool) -> None:
    assert derive_columns("course", fields).is_active == is_active


@pytest.mark.parametrize("kind", ["courserun", "program", "learnerpathway"])
def test_other_content_has_only_a_uuid(kind: str) -> None:
    fields = {"uuid": str(UUID(int=5)), "course_type": "a", "course_runs": [], "entitlements": [{"sku": "b"}]}

    assert derive_columns(kind, fields) == DerivedColumns(content_uuid=UUID(int=5))


@pytest.mark.parametrize("odd", [None, 5, [], {}, "k" * 300, [None], [{"key": 5}], [{"mode": []}]])
@pytest.mark.parametrize("field", ["uuid", "course_type", "course_runs", "entitlements", "advertised_course_run_uuid"])
def test_parts_of_other_types_count_as_missing(field: str, odd: object) -> None:
    known = {"course_runs": [{**ACTIVE, "key": "r", "uuid": "u"}]}

    found = derive_columns("course", {**known, field: odd})

    assert (found.content_uuid, found.course_type, found.entitlement_sku) == (None, "", "")
    assert found.advertised_run_key == ""


@pytest.mark.django_db
def test_a_changed_document_changes_its_columns_and_runs() -> None:
    catalog = CatalogFactory.create(content=[CourseFactory.build(key="a", course_runs=[{"key": "a1"}, {"key": "a2"}])])

    import_into(catalog, [CourseFactory.build(key="a", course_runs=[{**ACTIVE, "key": "a2"}, {"key": "a3"}])])
    import_into(catalog, [CourseFactory.build(key="b", course_type="audit", course_runs=[{"key": "a3"}])])

    rows = ContentMetadata.objects.order_by("content_key").values_list("content_key", "is_active", "course_type")
    assert list(rows) == [("a", True, ""), ("b", False, "audit")]
    runs = NestedRun.objects.order_by("run_key", "content__content_key").values_list("run_key", "content__content_key")
    assert list(runs) == [("a2", "a"), ("a3", "a"), ("a3", "b")]
