"""The diagnosis names held refreshes, refreshes that removed an item, and content filters that exclude it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.models import CatalogQuery, CatalogRefresh, QuerySource, RefreshChange
from enterprise_catalog.integrated_channels.catalog_api.lookups import ContentLookup
from enterprise_catalog.integrated_channels.reporting.causes import Cause
from enterprise_catalog.integrated_channels.reporting.steps import StepName, StepState
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.reporting.diagnosis import Finding

    Find = Callable[..., Finding]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("configuration")]

HARD = CourseFactory.build(key="edX+Hard", level_type="Advanced")


@pytest.fixture
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    """A catalog named "Easy" with ``edX+DemoX``, filled from course-discovery with introductory courses."""
    catalog = CatalogFactory.create(customer=customer, title="Easy", content=["edX+DemoX"])
    query = CatalogQuery.objects.get(catalogs=catalog)
    query.source = QuerySource.DISCOVERY
    edit_filter(query, {"level_type": ["Introductory"]}, now=DAY_ONE)
    query.save()
    return catalog


def refresh_of(catalog: EnterpriseCatalog, key: str, *, kind: str, state: str) -> None:
    """Store a refresh that added or removed the item, or would if it is held."""
    refresh = CatalogRefresh.objects.create(
        catalog_query=CatalogQuery.objects.get(catalogs=catalog),
        task_id=key,
        state=state,
        requested_at=DAY_ONE,
        finished_at=DAY_ONE,
    )
    RefreshChange.objects.create(refresh=refresh, content_key=key, kind=kind)


def test_a_refresh_removed_it(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    CatalogFactory.create(customer__slug="other", content=["edX+Gone"])
    refresh_of(catalog, "edX+Gone", kind="removed", state="complete")

    finding = finding_of("edX+Gone")

    assert finding.cause is Cause.NOT_IN_CATALOG
    assert finding.sentence.endswith("A refresh removed it from catalog “Easy” on 2026-03-01 12:00 UTC.")


def test_the_filter_excludes_it(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    CatalogFactory.create(customer__slug="other", content=[HARD])

    finding = finding_of("edX+Hard")

    assert finding.cause is Cause.NOT_IN_CATALOG
    assert finding.sentence.endswith(f"The content filter of catalog “{catalog}” excludes it (level_type).")


def test_a_held_refresh_would_add_it(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    refresh_of(catalog, "edX+New", kind="added", state="held")

    assert "A refresh of catalog “Easy” would add it, and waits for approval" in finding_of("edX+New").sentence


def test_a_held_refresh_would_remove_it(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    refresh_of(catalog, "edX+DemoX", kind="removed", state="held")

    assert "A refresh of catalog “Easy” would remove it, and waits for approval" in finding_of("edX+DemoX").sentence


def test_an_item_that_a_catalog_contains_has_no_notes_on_the_others(
    catalog: EnterpriseCatalog, customer: EnterpriseCustomer, finding_of: Find
) -> None:
    CatalogFactory.create(customer=customer, title="Hard", content=[HARD])
    refresh_of(catalog, "edX+Hard", kind="removed", state="complete")

    assert "Easy" not in finding_of("edX+Hard").sentence


def step(finding: Finding, name: StepName) -> tuple[StepState, str]:
    [found] = [each for each in finding.steps if each.name is name]
    return found.state, found.detail


def refreshed(catalog: EnterpriseCatalog) -> None:
    CatalogQuery.objects.filter(catalogs=catalog).update(title="Introductory", refreshed_at=DAY_ONE)


def test_the_chain_shows_the_query_and_its_last_refresh(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    refreshed(catalog)

    finding = finding_of("edX+DemoX")

    assert [each.name for each in finding.steps][:4] == ["source", "query", "refresh", "catalog"]
    assert step(finding, StepName.QUERY) == (StepState.PASSED, "The catalogs use “Introductory”.")
    expected = "“Introductory” was refreshed on 2026-03-01 12:00 UTC."
    assert step(finding, StepName.REFRESH) == (StepState.PASSED, expected)


def test_the_chain_ends_at_the_filter_that_excludes_the_item(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    refreshed(catalog)
    CatalogFactory.create(customer__slug="other", content=[HARD])

    finding = finding_of("edX+Hard")

    expected = "The content filter of catalog “Easy” excludes it (level_type)."
    assert step(finding, StepName.QUERY) == (StepState.FAILED, expected)
    assert step(finding, StepName.REFRESH)[0] is StepState.NOT_REACHED


@pytest.mark.parametrize(
    ("kind", "state", "detail"),
    [
        ("removed", "complete", "A refresh removed it from catalog “Easy” on 2026-03-01 12:00 UTC."),
        ("added", "held", "A refresh of catalog “Easy” would add it, and waits for approval."),
        ("removed", "failed", "A later refresh failed."),
    ],
)
def test_the_chain_ends_at_a_refresh(
    catalog: EnterpriseCatalog, finding_of: Find, kind: str, state: str, detail: str
) -> None:
    refreshed(catalog)
    CatalogFactory.create(customer__slug="other", content=["edX+Gone"])
    refresh_of(catalog, "edX+Gone", kind=kind, state=state)

    finding = finding_of("edX+Gone")

    expected = f"“Introductory” was refreshed on 2026-03-01 12:00 UTC. {detail}"
    assert step(finding, StepName.REFRESH) == (StepState.FAILED, expected)
    assert step(finding, StepName.CATALOG)[0] is StepState.NOT_REACHED


def test_the_chain_ends_at_a_query_without_refresh(catalog: EnterpriseCatalog, finding_of: Find) -> None:
    CatalogFactory.create(customer__slug="other", content=["edX+New"])

    finding = finding_of("edX+New")

    assert step(finding, StepName.REFRESH) == (StepState.FAILED, f"“{query_of(catalog)}” has not been refreshed yet.")


def test_an_item_that_a_refresh_did_not_find_is_missing_in_the_catalog(
    catalog: EnterpriseCatalog, finding_of: Find
) -> None:
    refreshed(catalog)
    CatalogFactory.create(customer__slug="other", content=["edX+New"])

    finding = finding_of("edX+New")

    assert step(finding, StepName.REFRESH)[0] is StepState.PASSED
    assert step(finding, StepName.CATALOG)[0] is StepState.FAILED


def test_imported_catalogs_have_no_refresh(customer: EnterpriseCustomer, finding_of: Find) -> None:
    CatalogFactory.create(customer=customer, content=["edX+DemoX"])

    finding = finding_of("edX+DemoX")

    assert StepName.REFRESH not in [each.name for each in finding.steps]
    assert step(finding, StepName.QUERY)[1].endswith("Filled from imported files.")


def query_of(catalog: EnterpriseCatalog) -> CatalogQuery:
    return CatalogQuery.objects.get(catalogs=catalog)


def test_users_of_the_customer_do_not_learn_what_a_filter_excludes() -> None:
    excluded = {"uuid": "11111111-1111-4111-8111-111111111111", "contains": False, "excluded_by": ["level_type"]}
    lookup = ContentLookup.model_validate({"is_known": True, "catalogs": [excluded]})

    assert lookup.catalogs[0].excluded_by == ("level_type",)
    assert lookup.within_catalogs().catalogs[0].excluded_by == ()
