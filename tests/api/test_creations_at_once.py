"""Two creations of catalogs at the same moment, on two connections, interleaved at every statement."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer
from tests.api.endpoints import CATALOGS
from tests.api.lms_requests import creation

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("mariadb")]

#: How long the first request waits for the second, which may be waiting for one of its locks.
PAUSE_SECONDS = 0.2


class Request(threading.Thread):
    """A request on a connection of its own. Calls ``meanwhile`` before its statement number ``at`` (from 0)."""

    def __init__(self, client: APIClient, body: dict[str, Any], at: int = -1, meanwhile: Any = None) -> None:
        super().__init__()
        self._client, self._body, self._at, self._meanwhile = client, body, at, meanwhile
        self.statements = 0
        self.status = 0

    def run(self) -> None:
        try:
            with connection.execute_wrapper(self._execute):
                self.status = self._client.post(CATALOGS, self._body).status_code
        finally:
            connection.close()

    def _execute(self, run: Callable[..., Any], *arguments: Any) -> Any:
        if self.statements == self._at:
            self._meanwhile()
        self.statements += 1
        return run(*arguments)


def send_both(client: APIClient, bodies: list[dict[str, Any]], at: int) -> tuple[list[int], bool]:
    """Send two requests, the second before statement ``at`` of the first; return the statuses, and if it was sent."""
    second = Request(client, bodies[1])

    def meanwhile() -> None:
        second.start()
        second.join(PAUSE_SECONDS)

    first = Request(client, bodies[0], at, meanwhile)
    first.start()
    first.join()
    is_sent = second.ident is not None
    if is_sent:
        second.join()
    return [first.status, second.status], is_sent


@pytest.mark.parametrize("shared", ["catalog", "filter", "query", "customer"])
def test_one_row_remains_and_no_request_fails(operator: APIClient, shared: str) -> None:
    operator.get(CATALOGS)  # Creates the user.
    for at in itertools.count():
        [bodies, same] = pair(shared, at)

        statuses, is_sent = send_both(operator, bodies, at)

        if not is_sent:
            assert at > 10
            return
        assert set(statuses) <= {200, 201, 409}, (at, statuses)
        catalogs = EnterpriseCatalog.objects.filter(uuid__in={UUID(body["uuid"]) for body in bodies})
        assert catalogs.count() == (1 if shared == "catalog" else 2)
        assert same() == 1


def pair(shared: str, at: int) -> tuple[list[dict[str, Any]], Callable[[], int]]:
    """Return two requests that have one part in common, and a function that counts the rows of this part."""
    filters = [{"content_type": "course", "key": [f"{at}", f"{number}"]} for number in range(2)]
    bodies = [
        creation(
            uuid=str(uuid4()),
            content_filter=each,
            catalog_query_uuid=None,
            query_title=None,
            enterprise_customer=str(uuid4()),
        )
        for each in filters
    ]
    match shared:
        case "catalog":
            bodies[1] = bodies[0]
            return bodies, EnterpriseCatalog.objects.filter(uuid=bodies[0]["uuid"]).count
        case "filter":
            bodies[1]["content_filter"] = bodies[0]["content_filter"]
            return bodies, CatalogQuery.objects.filter(content_filter=bodies[0]["content_filter"]).count
        case "query":
            for body in bodies:
                body |= {"content_filter": filters[0], "catalog_query_uuid": bodies[0]["uuid"], "query_title": f"Q{at}"}
            return bodies, CatalogQuery.objects.filter(uuid=bodies[0]["uuid"]).count
    bodies[1]["enterprise_customer"] = bodies[0]["enterprise_customer"]
    return bodies, EnterpriseCustomer.objects.filter(uuid=bodies[0]["enterprise_customer"]).count
