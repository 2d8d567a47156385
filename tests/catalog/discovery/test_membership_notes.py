"""Lookups tell why a catalog that is filled from course-discovery contains an item, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.catalog.items.lookup import look_up
from enterprise_catalog.catalog.models import CatalogQuery, RefreshState
from tests.catalog.discovery.refreshes import discovery_query, refreshed
from tests.factories.catalog import CatalogFactory
from tests.open_edx import course

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from enterprise_catalog.catalog.models import CatalogRefresh, EnterpriseCatalog
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalog(open_edx: OpenEdxSandbox) -> EnterpriseCatalog:
    """A catalog with the introductory courses ``edX+C0`` to ``edX+C39``."""
    open_edx.documents.put([course(f"edX+C{number}") for number in range(40)])
    refreshed(query := discovery_query({"level_type": ["Introductory"]}))
    return CatalogFactory.create(catalog_query=query)


@pytest.fixture
def query(catalog: EnterpriseCatalog) -> CatalogQuery:
    """The query of ``catalog``."""
    return CatalogQuery.objects.get(catalogs=catalog)


def note_on(catalog: EnterpriseCatalog, key: str) -> tuple[Any, ...]:
    """Return the newest change (kind, state and id of its refresh), and the members of the filter that exclude it."""
    note = look_up(catalog.enterprise_customer_id, key, may_read_all=True).notes[catalog.pk]
    change = note.change
    made = change and (change.kind, change.refresh.state, change.refresh_id)
    return made, note.excluded_by


def test_a_member_names_the_refresh_that_added_it(catalog: EnterpriseCatalog, query: CatalogQuery) -> None:
    [first] = query.refreshes.all()

    assert note_on(catalog, "edX+C1") == (("added", RefreshState.COMPLETE, first.pk), ())


def test_a_removed_item_names_the_refresh_that_removed_it(
    catalog: EnterpriseCatalog, query: CatalogQuery, open_edx: OpenEdxSandbox
) -> None:
    open_edx.documents.remove(["edX+C1"])
    second = refreshed(query)

    assert note_on(catalog, "edX+C1") == (("removed", RefreshState.COMPLETE, second.pk), ())


def test_a_change_that_waits_for_approval_is_not_made(
    catalog: EnterpriseCatalog, query: CatalogQuery, open_edx: OpenEdxSandbox
) -> None:
    open_edx.documents.remove([f"edX+C{number}" for number in range(30)])
    open_edx.documents.put([course("edX+New")])
    held = refreshed(query)

    assert held.state == RefreshState.HELD
    assert note_on(catalog, "edX+C1")[0] == ("removed", RefreshState.HELD, held.pk)
    assert note_on(catalog, "edX+New")[0] == ("added", RefreshState.HELD, held.pk)


@pytest.mark.parametrize("state", [RefreshState.REJECTED, RefreshState.SUPERSEDED])
def test_a_change_that_was_never_made_is_not_named(
    catalog: EnterpriseCatalog, query: CatalogQuery, open_edx: OpenEdxSandbox, state: RefreshState
) -> None:
    open_edx.documents.remove([f"edX+C{number}" for number in range(30)])
    held: CatalogRefresh = refreshed(query)
    held.state = state
    held.save()

    assert note_on(catalog, "edX+C1")[0][:2] == ("added", RefreshState.COMPLETE)


def test_an_item_that_the_filter_excludes_names_the_members(
    catalog: EnterpriseCatalog, open_edx: OpenEdxSandbox
) -> None:
    open_edx.documents.put([course("edX+Hard", level_type="Advanced")])
    refreshed(discovery_query(title="Everything"))

    assert note_on(catalog, "edX+Hard") == (None, ("level_type",))


def test_an_imported_catalog_has_no_notes() -> None:
    imported = CatalogFactory.create(content=["edX+C1"])

    assert look_up(imported.enterprise_customer_id, "edX+C1", may_read_all=True).notes == {}


def test_a_lookup_takes_seven_statements(
    catalog: EnterpriseCatalog, open_edx: OpenEdxSandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    open_edx.documents.put([course("edX+Hard", level_type="Advanced")])
    refreshed(discovery_query(title="Everything"))

    with django_assert_max_num_queries(7):
        note_on(catalog, "edX+Hard")
