"""Documents by key and by page: query plans, and responses that show a single state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from enterprise_catalog.catalog.items.numbered_pages import NumberedPages
from enterprise_catalog.catalog.items.pages import read_items, read_page
from enterprise_catalog.catalog.models import CatalogMembership, EnterpriseCatalog
from tests.catalog.connections import before_each_scan
from tests.catalog.queries import keys_in, version_of
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def test_a_page_starts_where_the_last_one_ended() -> None:
    catalog = [CatalogFactory.create(content=CourseFactory.numbered(100, prefix=f"{number}-")) for number in range(3)][
        1
    ]

    plan = plan_of(lambda: read_page(catalog.pk, after="1-000050", size=10), of=CatalogMembership)

    assert "membership_diff" in plan
    assert "filesort" not in plan
    assert "TEMP B-TREE" not in plan
    if connection.vendor == "sqlite":
        assert "(catalog_query_id=? AND content_key>?)" in plan


@pytest.mark.parametrize(
    "read",
    [
        lambda uuid: read_items(uuid, ["a"]),
        lambda uuid: read_page(uuid, after="", size=10),
        lambda uuid: NumberedPages(uuid).read(start=0, size=10),
    ],
)
def test_a_catalog_that_is_gone_does_not_exist(read: Callable[[Any], object]) -> None:
    catalog = CatalogFactory.create(content=["a"])
    uuid = catalog.pk
    catalog.delete()

    with pytest.raises(EnterpriseCatalog.DoesNotExist):
        read(uuid)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("documents", [[], [CourseFactory.build(key="a", title="Old")]])
def test_a_version_comes_with_the_documents_of_that_version(documents: list[dict[str, Any]]) -> None:
    catalog = CatalogFactory.create(content=documents)
    states = {version_of(catalog): [document["key"] for document in documents]}

    def grow() -> None:
        import_into(catalog, [CourseFactory.build(key="a", title="New"), f"b{len(states)}"])
        states[version_of(catalog)] = keys_in(catalog)

    with before_each_scan(grow):
        page = read_page(catalog.pk, after="", size=10)

    assert len(states) > 1
    assert [key for key, _ in page.documents] == states[page.version]
