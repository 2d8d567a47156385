"""Old versions and changes are removed in small batches; current versions stay valid."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from enterprise_catalog.catalog import tasks
from enterprise_catalog.catalog.models import CatalogVersion, ContentChange
from enterprise_catalog.catalog.versions import reads, retention
from enterprise_catalog.catalog.versions.reads import ChangesPage, UnknownVersionError
from enterprise_catalog.catalog.versions.state import Version, read_state
from enterprise_catalog.db.batched_deletes import BatchedDeletes
from tests.catalog.queries import version_of
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

TODAY = timezone.now()
LONG_AGO = TODAY - timedelta(days=100)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_PER_TRANSACTION", 2)


def changed(key: str, title: str, *, now: datetime, catalog: EnterpriseCatalog) -> str:
    """Change an item; return the catalog's version before the change."""
    before = version_of(catalog)
    import_into(catalog, [CourseFactory.build(key=key, title=title)], now=now)
    return before


def changes(catalog: EnterpriseCatalog, since: str) -> ChangesPage:
    return reads.read_changes(read_state(catalog.pk), Version.parse(since), after=None, size=100)


def remove_old() -> None:
    retention.remove_old(BatchedDeletes(seconds=60), before=TODAY)


def test_it_removes_versions_and_changes_after_the_set_time(settings: Settings) -> None:
    settings.CONTENT_CHANGES_RETENTION_DAYS = 30
    catalog = CatalogFactory.create(courses=5, now=LONG_AGO)
    too_old = version_of(catalog)
    import_into(catalog, CourseFactory.numbered(5, title="Old"), now=LONG_AGO)
    old = changed("a", "1", now=LONG_AGO, catalog=catalog)
    import_into(catalog, ["b"], now=TODAY)
    kept = changed("a", "2", now=TODAY, catalog=catalog)

    assert tasks.remove_old_content_changes() == 11  # 6 changes, 5 versions.
    assert tasks.remove_old_content_changes() == 0

    assert set(ContentChange.objects.values_list("content_key", flat=True)) == {"a", "b"}
    for version in (too_old, old):
        with pytest.raises(UnknownVersionError):
            changes(catalog, version)
    assert [key for key, _ in changes(catalog, kept).changed] == ["a"]


def test_a_catalog_that_has_not_changed_for_long_keeps_its_version() -> None:
    quiet, busy = (CatalogFactory.create(content=[key], now=LONG_AGO) for key in "ab")
    since = version_of(quiet)
    changed("b", "1", now=LONG_AGO, catalog=busy)
    cursor = reads.read_cursor()
    remove_old()

    changed("a", "1", now=TODAY, catalog=quiet)

    assert [key for key, _ in changes(quiet, since).changed] == ["a"]
    assert reads.read_changed_customers(cursor)[0] == [quiet.enterprise_customer_id]


def test_a_version_that_another_query_still_has_is_too_old_for_this_query() -> None:
    catalog = CatalogFactory.create(content=["a"], now=LONG_AGO)
    sharing = CatalogFactory.create(content=["a"], now=LONG_AGO)
    changed("a", "1", now=LONG_AGO, catalog=catalog)  # Gives both queries one version.
    since = version_of(catalog)
    import_into(catalog, ["b"], now=LONG_AGO)
    import_into(catalog, ["c"], now=TODAY)
    remove_old()

    with pytest.raises(UnknownVersionError):
        changes(catalog, since)
    assert changes(sharing, version_of(sharing)).version


def test_a_page_in_the_middle_of_a_removed_version_is_refused() -> None:
    catalog = CatalogFactory.create(courses=3, now=LONG_AGO)
    since = version_of(catalog)
    import_into(catalog, CourseFactory.numbered(3, title="Old"), now=LONG_AGO)
    state = read_state(catalog.pk)
    first = reads.read_changes(state, Version.parse(since), after=None, size=1)
    remove_old()

    with pytest.raises(UnknownVersionError):
        reads.read_changes(state, Version.parse(since), after=first.end, size=1)


def test_the_clocks_version_stays_on_a_site_without_changes() -> None:
    CatalogFactory.create(content=["a"], now=LONG_AGO)
    cursor = reads.read_cursor()

    remove_old()

    assert CatalogVersion.objects.filter(version=int(cursor, 16)).exists()
    assert reads.read_changed_customers(cursor) == ([], cursor)


def test_nothing_is_old() -> None:
    catalog = CatalogFactory.create(content=["a"], now=TODAY)
    changed("a", "1", now=TODAY, catalog=catalog)

    remove_old()

    assert ContentChange.objects.count() == 1


def test_the_task_continues_after_its_time_limit(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.CONTENT_CHANGES_RETENTION_DAYS = 30
    catalog = CatalogFactory.create(courses=5, now=LONG_AGO)
    import_into(catalog, CourseFactory.numbered(5, title="Old"), now=LONG_AGO)
    import_into(catalog, ["b"], now=TODAY)
    queued: list[None] = []
    monkeypatch.setattr(tasks.remove_old_content_changes, "delay", lambda: queued.append(None))
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0)

    assert tasks.remove_old_content_changes() == 0
    assert len(queued) == 1
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 60)
    assert tasks.remove_old_content_changes() > 0

    assert len(queued) == 1
    assert set(ContentChange.objects.values_list("content_key", flat=True)) == {"b"}
