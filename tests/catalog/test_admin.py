"""The catalog's admin pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.admin_pages.lists import paginator
from enterprise_catalog.catalog import admin
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    CatalogRole,
    CatalogRoleAssignment,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
)
from tests.admin_pages import list_actions
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

ADMIN = "/admin/catalog"
CONTENT = f"{ADMIN}/contentmetadata/"
CUSTOMERS = f"{ADMIN}/enterprisecustomer/"
CATALOGS = f"{ADMIN}/enterprisecatalog/"
QUERIES = f"{ADMIN}/catalogquery/"


def shown(client: Client, address: str, **narrowed: str) -> list[str]:
    """Return the rows of a filtered list as text."""
    response = client.get(address, narrowed)
    assert response.status_code == 200
    return [str(row) for row in response.context["cl"].result_list]


def page_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Org+", ["Org+A", "Org+A ", "Org+a"]),
        ("Org+a", ["Org+a"]),
        ("Org+A ", ["Org+A "]),
        ("org+", []),
        ("Org_", []),
        ("%", []),
        ("rg+", []),
    ],
)
def test_content_is_searched_exactly_from_the_start_of_its_key(
    admin_client: Client, typed: str, found: list[str]
) -> None:
    CatalogFactory.create(content=["Org+A", "Org+a", "Org+A ", "Other"])

    assert shown(admin_client, CONTENT, q=typed) == found


def test_the_page_of_content_shows_its_document_and_where_it_is(admin_client: Client) -> None:
    query = CatalogFactory.create(
        content=[CourseFactory.build(key="Org+A", full_description="<script>alert(1)</script>")]
    ).catalog_query
    assert query is not None
    content = ContentMetadata.objects.get()

    page = page_of(admin_client, f"{CONTENT}{content.pk}/change/")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "Everything" in page
    assert f"{CATALOGS}?catalog_query__id__exact={query.pk}" in page


def test_the_page_of_content_names_no_more_queries_than_its_limit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "LISTED_QUERIES", 2)
    CatalogFactory.create(content=["Org+A"])
    content = ContentMetadata.objects.get()
    for title in ("Second", "Third"):
        query = CatalogQuery.objects.create(title=title)
        CatalogMembership.objects.create(catalog_query=query, content=content, content_key="Org+A", updated_at=DAY_ONE)

    page = page_of(admin_client, f"{CONTENT}{content.pk}/change/")

    assert "Second" in page
    assert "Third" not in page
    assert "and more; only the first 2 are listed" in page


def test_content_can_be_neither_added_nor_changed_nor_deleted(admin_client: Client) -> None:
    CatalogFactory.create(content=["Org+A"])
    content = ContentMetadata.objects.get()

    answers = [
        admin_client.get(f"{CONTENT}add/"),
        admin_client.post(f"{CONTENT}{content.pk}/change/", {"title": "New"}),
        admin_client.post(f"{CONTENT}{content.pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_a_customer_is_added_with_the_uuid_that_it_has_elsewhere(admin_client: Client) -> None:
    form = {
        "name": "Acme",
        "uuid": "22222222-2222-4222-8222-222222222222",
        "slug": "acme",
        "learner_portal_url": "https://learn.example.org",
    }

    response = admin_client.post(f"{CUSTOMERS}add/", form)

    assert response.status_code == 302
    assert str(EnterpriseCustomer.objects.get().pk) == form["uuid"]


def test_a_customers_new_slug_changes_the_documents_of_its_catalogs(admin_client: Client) -> None:
    catalog = CatalogFactory.create(content=["Org+A"])
    customer = catalog.enterprise_customer
    form = {"name": "Acme", "slug": "acme-inc", "learner_portal_url": "https://learn.example.org"}
    form["learner_portal_enabled"] = "on"

    response = admin_client.post(f"{CUSTOMERS}{customer.pk}/change/", form)

    assert response.status_code == 302
    changed = EnterpriseCatalog.objects.with_parts().get()
    assert "https://learn.example.org/acme-inc" in changed.enrollment_urls
    assert changed.revision != catalog.revision


def test_a_catalogs_new_query_moves_its_version(admin_client: Client) -> None:
    catalog = CatalogFactory.create(content=["Org+A"])
    other = CatalogQuery.objects.create(title="Other")
    form = {"title": "Renamed", "enterprise_customer": catalog.enterprise_customer_id, "catalog_query": other.pk}

    response = admin_client.post(f"{CATALOGS}{catalog.pk}/change/", form)

    assert response.status_code == 302
    changed = EnterpriseCatalog.objects.with_parts().get()
    assert (changed.title, changed.catalog_query) == ("Renamed", other)
    assert changed.revision != catalog.revision


def test_a_query_is_renamed_without_undoing_what_an_import_wrote_meanwhile(admin_client: Client) -> None:
    catalog = CatalogFactory.create(content=["Org+A"])

    with CaptureQueriesContext(connection) as captured:
        admin_client.post(f"{QUERIES}{catalog.catalog_query_id}/change/", {"title": "Renamed", "content_filter": "{}"})

    [update] = [
        query["sql"] for query in captured if query["sql"].startswith("UPDATE") and "catalogquery" in query["sql"]
    ]
    assert "title" in update
    assert "version" not in update


def test_a_query_cannot_be_deleted_with_its_memberships(admin_client: Client) -> None:
    query = CatalogQuery.objects.create(title="Unused")

    assert admin_client.post(f"{QUERIES}{query.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_page_of_a_query_counts_its_items_up_to_a_limit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "MAX_ROWS", 2)
    catalog = CatalogFactory.create(courses=3)

    assert "more than 2" in page_of(admin_client, f"{QUERIES}{catalog.catalog_query_id}/change/")


@pytest.mark.parametrize("address", [CUSTOMERS, CATALOGS, QUERIES])
def test_a_part_of_the_name_or_the_whole_uuid_finds_a_row(admin_client: Client, address: str) -> None:
    query = CatalogQuery.objects.create(title="Wanted query")
    catalog = CatalogFactory.create(customer__name="Wanted customer", title="Wanted catalog", catalog_query=query)
    CatalogFactory.create(customer__name="Other", title="Other")
    wanted, uuid = {
        CUSTOMERS: ("Wanted customer", catalog.enterprise_customer.uuid),
        CATALOGS: ("Wanted catalog", catalog.uuid),
        QUERIES: ("Wanted query", query.uuid),
    }[address]

    assert shown(admin_client, address, q="wanted") == [wanted]
    assert shown(admin_client, address, q=str(uuid)) == [wanted]


def test_catalogs_of_one_customer_are_found_among_others(admin_client: Client) -> None:
    wanted = CatalogFactory.create(title="Wanted")
    CatalogFactory.create(customer__name="Other")

    found = shown(admin_client, CATALOGS, enterprise_customer__uuid__exact=str(wanted.enterprise_customer_id))

    assert found == ["Wanted"]


def test_a_role_is_given_to_a_user_for_one_customer(admin_client: Client) -> None:
    user = get_user_model().objects.create_user("reader")
    role, _ = CatalogRole.objects.get_or_create(name="enterprise_admin")
    form = {"user": user.pk, "role": role.pk, "enterprise_customer_uuid": "22222222-2222-4222-8222-222222222222"}

    response = admin_client.post(f"{ADMIN}/catalogroleassignment/add/", form)

    assert response.status_code == 302
    assert CatalogRoleAssignment.objects.get(user=user).get_context() == form["enterprise_customer_uuid"]
    assert len(shown(admin_client, f"{ADMIN}/catalogroleassignment/", q="reader")) == 1


@pytest.mark.parametrize("address", [CONTENT, CATALOGS, QUERIES, CUSTOMERS])
def test_a_list_takes_as_many_statements_for_many_rows_as_for_few(admin_client: Client, address: str) -> None:
    catalog = CatalogFactory.create(courses=3)
    with CaptureQueriesContext(connection) as few:
        shown(admin_client, address)

    import_into(catalog, CourseFactory.numbered(300))
    for number in range(20):
        CatalogFactory.create(customer__slug=f"c{number}")

    with CaptureQueriesContext(connection) as many:
        shown(admin_client, address)
    assert len(many) == len(few)
    assert all(f"LIMIT {paginator.MAX_ROWS + 1}" in query["sql"] for query in many if "COUNT(" in query["sql"])


def test_a_deleted_catalog_keeps_its_row_until_a_query_restores_it(admin_client: Client) -> None:
    catalog = CatalogFactory.create(content=["Org+A"])
    query = catalog.catalog_query
    assert query is not None
    page = f"{CATALOGS}{catalog.pk}"

    admin_client.post(f"{page}/delete/", {"post": "yes"})
    deleted = EnterpriseCatalog.objects.get()
    shown_page = page_of(admin_client, f"{page}/change/")
    again = admin_client.post(f"{page}/delete/", {"post": "yes"})
    form = {"title": "All of it", "enterprise_customer": catalog.enterprise_customer_id, "catalog_query": query.pk}
    admin_client.post(f"{page}/change/", {**form, "enabled_course_modes": "[]"})

    assert deleted.deleted_at is not None
    assert deleted.catalog_query is None
    assert "A query restores this deleted catalog." in shown_page
    assert again.status_code == 403
    restored = EnterpriseCatalog.objects.get()
    assert (restored.deleted_at, restored.catalog_query) == (None, query)


def test_several_catalogs_are_deleted_and_keep_their_rows(admin_client: Client) -> None:
    catalogs = CatalogFactory.create_batch(2)

    list_actions.run(admin_client, CATALOGS, "delete_selected", [each.pk for each in catalogs])

    assert EnterpriseCatalog.objects.exclude(deleted_at=None).count() == 2


@pytest.mark.parametrize("is_read", [True, False])
def test_values_of_the_lms_are_not_edited_here(admin_client: Client, settings: Settings, is_read: bool) -> None:
    settings.LMS_BASE_URL = "https://lms.example.org"
    customer = CustomerFactory.create(name="Acme", lms_read_at=DAY_ONE if is_read else None)
    form = {"name": "Renamed", "slug": "renamed", "learner_portal_url": "https://learn.example.org"}

    response = admin_client.post(f"{CUSTOMERS}{customer.pk}/change/", form)

    assert response.status_code == 302
    customer.refresh_from_db()
    assert customer.name == ("Acme" if is_read else "Renamed")


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_customer_with_catalogs_is_not_deleted(admin_client: Client, is_deleted: bool) -> None:
    catalog = CatalogFactory.create(content=["Org+A"], deleted_at=DAY_ONE if is_deleted else None)
    page = f"{CUSTOMERS}{catalog.enterprise_customer_id}"

    refused = admin_client.post(f"{page}/delete/", {"post": "yes"}, follow=True)
    question = list_actions.ask(admin_client, CUSTOMERS, "delete_selected", [catalog.enterprise_customer_id])
    list_actions.answer(admin_client, CUSTOMERS, question)

    advice = "A customer with catalogs cannot be deleted, because its LMSs would keep the courses."
    assert advice in list_actions.messages_of(refused)[0]
    assert advice in question.content.decode()
    assert EnterpriseCatalog.objects.filter(enterprise_customer=catalog.enterprise_customer_id).exists()


def test_a_customer_without_catalogs_is_deleted(admin_client: Client) -> None:
    customer = CustomerFactory.create()

    admin_client.post(f"{CUSTOMERS}{customer.pk}/delete/", {"post": "yes"})

    assert not EnterpriseCustomer.objects.exists()
