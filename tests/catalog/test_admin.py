"""The catalog's pages for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.models import ContentMetadata, EnterpriseCatalog
from tests.factories import a_catalog, a_course, courses, import_into

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

ADMIN = "/admin/catalog"
CONTENT = f"{ADMIN}/contentmetadata/"


def shown(client: Client, address: str, **narrowed: str) -> list[str]:
    """Return the rows that a list shows."""
    response = client.get(address, narrowed)
    assert response.status_code == 200
    return [str(row) for row in response.context["cl"].result_list]


@pytest.mark.parametrize(
    ("typed", "found"), [("Org+", ["Org+A", "Org+a"]), ("Org+a", ["Org+a"]), ("org+", []), ("Org_", []), ("rg+", [])]
)
def test_content_is_searched_exactly_from_the_start_of_its_key(
    admin_client: Client, typed: str, found: list[str]
) -> None:
    a_catalog(a_course("Org+A"), a_course("Org+a"), a_course("Other"))

    assert sorted(shown(admin_client, CONTENT, q=typed)) == found


def test_the_page_of_content_shows_its_document_and_where_it_is(admin_client: Client) -> None:
    a_catalog(a_course("Org+A", full_description="<script>alert(1)</script>"))
    content = ContentMetadata.objects.get()

    page = admin_client.get(f"{CONTENT}{content.pk}/change/").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "Everything" in page


def test_content_can_be_neither_added_nor_changed_nor_deleted(admin_client: Client) -> None:
    a_catalog(a_course("Org+A"))
    content = ContentMetadata.objects.get()

    answers = [
        admin_client.get(f"{CONTENT}add/"),
        admin_client.post(f"{CONTENT}{content.pk}/change/", {"title": "New"}),
        admin_client.post(f"{CONTENT}{content.pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_a_customers_new_slug_changes_the_documents_of_its_catalogs(admin_client: Client) -> None:
    catalog = a_catalog(a_course("Org+A"))
    customer = catalog.enterprise_customer
    form = {"name": "Acme", "slug": "acme-inc", "learner_portal_url": "https://learn.example.org"}

    response = admin_client.post(f"{ADMIN}/enterprisecustomer/{customer.pk}/change/", form)

    assert response.status_code == 302
    changed = EnterpriseCatalog.objects.with_parts().get()
    assert changed.enrollment_url_prefix == "https://learn.example.org/acme-inc/course/"
    assert changed.version != catalog.version


@pytest.mark.parametrize("table", ["contentmetadata", "enterprisecatalog", "catalogquery", "enterprisecustomer"])
def test_a_list_takes_as_many_statements_for_many_rows_as_for_few(admin_client: Client, table: str) -> None:
    catalog = a_catalog(*courses(3))
    with CaptureQueriesContext(connection) as few:
        shown(admin_client, f"{ADMIN}/{table}/")

    import_into(catalog, courses(200))
    for _ in range(20):
        a_catalog()

    with CaptureQueriesContext(connection) as many:
        shown(admin_client, f"{ADMIN}/{table}/")
    assert len(many) == len(few)
