"""``POST …/content-diff/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import a_catalog, a_course

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def test_it_sorts_keys_into_three_buckets(operator: APIClient) -> None:
    catalog = a_catalog(a_course("edX+DemoX"), a_course("edX+NewX"))

    response = operator.post(
        f"/api/v1/enterprise-catalogs/{catalog.pk}/content-diff/",
        {"content_keys": ["edX+DemoX", "edX+GoneX", "edX+DemoX"]},
        format="json",
    )

    assert response.status_code == 200
    body = response.json()
    assert body.pop("catalog_version")
    assert body == {
        "catalog_uuid": str(catalog.pk),
        "existing": [{"content_key": "edX+DemoX", "updated_at": "2026-03-01T12:00:00.123456Z"}],
        "to_create": ["edX+NewX"],
        "to_delete": ["edX+GoneX"],
    }
