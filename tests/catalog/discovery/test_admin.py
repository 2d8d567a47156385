"""The admin's pages of refreshes, and the form of a query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from enterprise_catalog.catalog import tasks
from enterprise_catalog.catalog.models import CatalogQuery, CatalogRefresh, ContentMetadata, QuerySource, RefreshState
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, states
from tests.factories.catalog import CatalogFactory, CatalogQueryFactory
from tests.open_edx import course, courses, program, run

if TYPE_CHECKING:
    from django.test import Client

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

ADMIN = "/admin/catalog"


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of the refreshes that were queued."""
    accepted: list[int] = []
    monkeypatch.setattr(tasks.refresh_query, "apply_async", lambda arguments, **_: accepted.append(arguments[0]))
    return accepted


def held_refresh(open_edx: OpenEdxSandbox) -> CatalogRefresh:
    """Return a refresh that would remove 30 of 50 items."""
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])
    return refreshed(query)


def page_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def run_action(client: Client, row: Any, action: str, *, reason: str = "") -> str:
    """Open the confirmation page of an action, confirm, and return the text of the page that follows."""
    address = f"{ADMIN}/{row._meta.model_name}/{row.pk}/action/{action}/"
    asked = client.get(address)
    assert asked.status_code == 200, asked.content
    data = {"confirmation": asked.context["confirmation"], "reason": reason}
    return client.post(address, data, follow=True).content.decode()


def test_the_page_of_a_held_refresh_shows_its_numbers_and_items(admin_client: Client, open_edx: OpenEdxSandbox) -> None:
    held = held_refresh(open_edx)

    page = page_of(admin_client, f"{ADMIN}/catalogrefresh/{held.pk}/change/")

    assert "remove 30 of 50 items (60 %" in page
    assert "edX+C0000" in page
    assert "30 items" in page
    assert "edX+C0029" in page_of(admin_client, f"{ADMIN}/refreshchange/?refresh__id__exact={held.pk}&p=2")


def test_a_held_refresh_is_approved_with_a_reason(
    admin_client: Client, open_edx: OpenEdxSandbox, queued: list[int]
) -> None:
    held = held_refresh(open_edx)

    page = run_action(admin_client, held, "approve", reason="A partner left.")

    held.refresh_from_db()
    assert "1 catalog refresh approved; a refresh is queued." in page
    assert (held.state, held.decided_by, held.decision_reason) == ("approved", "admin", "A partner left.")
    tasks.refresh_query(queued[-1])
    assert len(members(held.catalog_query)) == 20


def test_a_held_refresh_is_rejected(admin_client: Client, open_edx: OpenEdxSandbox, queued: list[int]) -> None:
    held = held_refresh(open_edx)

    run_action(admin_client, held, "reject")

    assert states([held]) == [RefreshState.REJECTED]
    assert queued == []


def test_decisions_and_refreshes_need_their_permissions(client: Client, open_edx: OpenEdxSandbox) -> None:
    held = held_refresh(open_edx)
    user = get_user_model().objects.create_user("viewer", password="viewer", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_catalogrefresh", "view_catalogquery")))
    client.force_login(user)

    assert "Approve" not in page_of(client, f"{ADMIN}/catalogrefresh/{held.pk}/change/")
    for row, action in ((held, "approve"), (held, "reject"), (held.catalog_query, "refresh_now")):
        address = f"{ADMIN}/{row._meta.model_name}/{row.pk}/action/{action}/"
        assert client.get(address).status_code == 403


def test_a_catalog_shows_how_old_its_content_is(admin_client: Client, open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(1))
    query = discovery_query()
    catalog = CatalogFactory.create(catalog_query=query)
    address = f"{ADMIN}/enterprisecatalog/{catalog.pk}/change/"

    assert "Not refreshed yet." in page_of(admin_client, address)

    row = refreshed(query)
    assert f"{row.started_at:%Y-%m-%d %H:%M}" in page_of(admin_client, address)

    open_edx.search_is_empty = True
    assert "held" not in page_of(admin_client, address)
    refreshed(query)
    assert "held" in page_of(admin_client, address)


def test_refresh_now_queues_a_refresh_of_a_catalogs_query(admin_client: Client, queued: list[int]) -> None:
    catalog = CatalogFactory.create(catalog_query=discovery_query())

    run_action(admin_client, catalog, "refresh_now")

    row = CatalogRefresh.objects.get()
    assert (queued, row.trigger, row.requested_by) == ([row.pk], "admin", "admin")


def test_imported_catalogs_have_no_refresh(admin_client: Client, queued: list[int]) -> None:
    catalog = CatalogFactory.create(catalog_query=CatalogQueryFactory.create())

    page = page_of(admin_client, f"{ADMIN}/enterprisecatalog/{catalog.pk}/change/")
    skipped = run_action(admin_client, catalog, "refresh_now")

    assert "Refresh now" not in page
    assert "1 skipped (filled from imported files)" in skipped
    assert queued == []


def submit(client: Client, query: CatalogQuery, content_filter: object, **more: str) -> Any:
    """Submit the form of a query, and return the response."""
    data = {"title": query.title, "content_filter": orjson.dumps(content_filter).decode(), **more}
    return client.post(f"{ADMIN}/catalogquery/{query.pk}/change/", data, follow=True)


def test_an_edited_filter_is_saved_after_its_effect_was_shown(
    admin_client: Client, open_edx: OpenEdxSandbox, queued: list[int]
) -> None:
    open_edx.documents.put([*courses(30), *(course(f"edX+A{number}", level_type="Advanced") for number in range(20))])
    query = discovery_query()
    refreshed(query)
    edited = {"content_type": "course", "level_type": "Advanced"}

    asked = submit(admin_client, query, edited)

    text = asked.content.decode()
    assert "Items that this filter finds: 20. To be added: 0. To be removed: 30 of 50." in text
    query.refresh_from_db()
    assert query.content_filter == {"content_type": "course"}

    shown = asked.context["adminform"].form["shown_filter_hash"].value()
    submit(admin_client, query, edited, confirm="on", shown_filter_hash=shown)

    query.refresh_from_db()
    assert query.content_filter == edited
    row = CatalogRefresh.objects.latest("pk")
    assert (queued, row.trigger) == ([row.pk], "filter_edit")
    tasks.refresh_query(row.pk)
    assert states([row]) == [RefreshState.COMPLETE]
    assert len(members(query)) == 20


def test_a_confirmation_is_for_one_filter(admin_client: Client, open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(3))
    query = discovery_query()
    asked = submit(admin_client, query, {"content_type": "course", "level_type": "Advanced"})
    shown = asked.context["adminform"].form["shown_filter_hash"].value()

    again = submit(admin_client, query, {"content_type": "program"}, confirm="on", shown_filter_hash=shown)

    assert "Items that this filter finds: 0." in again.content.decode()
    query.refresh_from_db()
    assert query.content_filter == {"content_type": "course"}


def test_a_filter_whose_effect_is_unknown_can_be_saved_nevertheless(
    admin_client: Client, settings: Any, queued: list[int]
) -> None:
    settings.DISCOVERY_SERVICE_API_URL = ""
    query = discovery_query()
    edited = {"content_type": "program", "org__exempt": "edX"}

    asked = submit(admin_client, query, edited)
    shown = asked.context["adminform"].form["shown_filter_hash"].value()
    saved = submit(admin_client, query, edited, confirm="on", shown_filter_hash=shown)

    assert "The effect of this filter is unknown: DISCOVERY_SERVICE_API_URL is not set" in asked.content.decode()
    assert "org__exempt: course-discovery ignores this member." in saved.content.decode()
    assert len(queued) == 1


@pytest.mark.parametrize(
    ("content_filter", "problem"),
    [
        ({"key": "edX+DemoX"}, "key must be a list of strings."),
        (["course"], "content_filter must be an object."),
        ({"content_type": "program"}, "The query “Programs” has the same filter."),
    ],
)
def test_a_bad_filter_is_not_saved(
    admin_client: Client, open_edx: OpenEdxSandbox, content_filter: object, problem: str
) -> None:
    open_edx.documents.put(courses(1))
    discovery_query({"content_type": "program"}, title="Programs")
    query = discovery_query()

    response = submit(admin_client, query, content_filter)

    assert problem in response.content.decode()
    query.refresh_from_db()
    assert query.content_filter == {"content_type": "course"}


def test_a_title_is_saved_without_a_search(admin_client: Client, queued: list[int]) -> None:
    query = discovery_query()
    query.title = "New title"

    submit(admin_client, query, {"content_type": "course"})

    query.refresh_from_db()
    assert (query.title, queued) == ("New title", [])


def test_a_new_query_may_come_from_course_discovery(admin_client: Client) -> None:
    data = {"title": "All", "source": "discovery", "content_filter": "{}"}

    admin_client.post(f"{ADMIN}/catalogquery/add/", data)

    query = CatalogQuery.objects.get()
    assert query.source == QuerySource.DISCOVERY
    assert query.content_filter_hash == "99914b932bd37a50b983c5e7c90ae93b"
    assert query.filter_edited_at is not None
    assert query.filter_edited_at <= datetime.now(UTC)


def test_the_page_of_a_query_leads_to_its_restricted_content(admin_client: Client, open_edx: OpenEdxSandbox) -> None:
    restricted = run("course-v1:edX+FUN+A", restriction_type="custom-b2b-enterprise")
    open_edx.documents.put([course("edX+FUN", run("course-v1:edX+FUN+1"), restricted)])
    query = discovery_query({"content_type": "course", "restricted_runs_allowed": {"edX+FUN": ["course-v1:edX+FUN+A"]}})
    refreshed(query)

    page = page_of(admin_client, f"{ADMIN}/catalogquery/{query.pk}/change/")
    runs = page_of(admin_client, f"{ADMIN}/restrictedrun/?catalog_query__id__exact={query.pk}")
    of_others = page_of(admin_client, f"{ADMIN}/restrictedrun/?catalog_query__id__exact={query.pk + 1}")
    courses = page_of(admin_client, f"{ADMIN}/restrictedcourse/?q=edX%2BFUN")
    document = page_of(admin_client, f"{ADMIN}/restrictedcourse/{query.restricted_courses.get().pk}/change/")

    for table in ("restrictedrun", "restrictedcourse"):
        assert f"{ADMIN}/{table}/?catalog_query__id__exact={query.pk}" in page
    assert "course-v1:edX+FUN+A" in runs
    assert "course-v1:edX+FUN+A" not in of_others
    assert "Title of edX+FUN" in courses
    assert "course-v1:edX+FUN+A" in document


def test_the_page_of_content_links_to_what_contains_it_and_what_it_contains(
    admin_client: Client, open_edx: OpenEdxSandbox
) -> None:
    open_edx.documents.put([course("edX+A"), program("Program", "edX+A", "edX+Missing"), course("edX+Missing")])
    refreshed(
        discovery_query({"content_type": ["course", "program"], "aggregation_key__exclude": "course:edX+Missing"})
    )
    rows = {row.content_type: row.pk for row in ContentMetadata.objects.all()}

    of_course = page_of(admin_client, f"{ADMIN}/contentmetadata/{rows['course']}/change/")
    of_program = page_of(admin_client, f"{ADMIN}/contentmetadata/{rows['program']}/change/")

    assert f"{ADMIN}/contentmetadata/{rows['program']}/change/" in of_course
    assert f"{ADMIN}/contentmetadata/{rows['course']}/change/" in of_program
    assert "edX+Missing" in of_program
