"""No page of the admin reads more rows when the tables grow: the short form of ``tests.benchmarks.audit_view``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.messages.storage.cookie import CookieStorage
from django.urls import resolve

from tests.benchmarks.audit_view.measuring import client_of, open_pages
from tests.benchmarks.audit_view.seeding import Size, seed, update_statistics

if TYPE_CHECKING:
    from django.test import RequestFactory


@pytest.mark.only_on("mariadb")
@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(1_200)  # Opens more than 600 pages.
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalog_service")
def test_each_page_reads_a_bounded_number_of_rows(admin_user: Any, rf: RequestFactory) -> None:
    client = client_of(admin_user)

    def open_page(address: str) -> int:
        """Open a page. Only read the rows of a filtered list: rendering takes ten times as long."""
        page: Any = resolve(address.partition("?")[0]).func
        if "?" not in address or not hasattr(page, "model_admin"):
            return client.get(address).status_code
        request: Any = rf.get(address)
        request.user, request._messages = admin_user, CookieStorage(request)
        try:
            page.model_admin.get_changelist_instance(request)
        except IncorrectLookupParameters:  # No such page.
            return 302
        return 200

    # More rows than the limit of a statement: a scan of a table, or counting the items of the largest configuration
    # twice, exceeds it. A channel has more configurations than MariaDB estimates one by one (200).
    seed(Size(configurations=1_000, transmissions=20_000, runs_each=6, largest=4_900))
    update_statistics()

    pages = list(open_pages(client, open_page))

    assert len(pages) > 500
    assert [problem for page in pages for problem in page.problems()] == []
