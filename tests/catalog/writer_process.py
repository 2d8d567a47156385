"""A writer process: changes catalogs at random, and reports their content after each change.

The process runs :func:`main`. It first creates the catalogs and prints that change as JSON. For each line on standard
input, it then makes one change and prints it.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from django.utils import timezone

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.ingest.writer import import_documents
from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog, EnterpriseCustomer
from tests.catalog.consistency import Change, Item
from tests.factories.catalog import CourseFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.catalog.consistency import Items

TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"

#: Keys that need escaping in JSON or in URLs.
ODD_KEYS: Final = ('A "quoted"\\key/', "ends with \\", '"', ",", "],[", "},{", "Ünï+😀", "<a&b>", "tab\tbed", " ")

#: The keys of all content.
KEYS: Final = (*(f"Northwind+C{number:03}" for number in range(100)), *ODD_KEYS)

#: Two catalogs of one query and one of another query with the same content; two customers.
CATALOGS: Final = (
    "cccccccc-0000-4000-8000-000000000001",
    "cccccccc-0000-4000-8000-000000000002",
    "cccccccc-0000-4000-8000-000000000003",
)
CUSTOMERS: Final = ("dddddddd-0000-4000-8000-000000000001", "dddddddd-0000-4000-8000-000000000002")


def main(seed: int) -> None:
    """Create the catalogs, then make one change for each line on standard input."""
    writer = Writer(seed)
    write(made(writer.make_all, "the beginning"))
    for _ in sys.stdin:
        write(writer.change())


def write(change: Change) -> None:
    """Write a change to standard output."""
    sys.stdout.write(json.dumps(asdict(change)) + "\n")
    sys.stdout.flush()


def made(act: Callable[[], object], what: str) -> Change:
    """Run ``act``, which must commit, and return the change with the catalogs' content after it."""
    started_at = time.monotonic()
    act()
    committed_at = time.monotonic()
    catalogs = {uuid: items_of(uuid) for uuid in CATALOGS}
    return Change(what=what, started_at=started_at, committed_at=committed_at, catalogs=catalogs)


def items_of(catalog_uuid: str) -> Items:
    """Return a catalog's items, computed from customer and content themselves and not from denormalized columns."""
    catalog = EnterpriseCatalog.objects.with_parts().get(pk=catalog_uuid)
    customer, floor = catalog.enterprise_customer, catalog.documents_changed_at
    start = f"{customer.learner_portal_url}/{customer.slug}/course/"
    end = f"?utm_medium=enterprise&utm_source={customer.name.lower()}"
    content = ContentMetadata.objects.filter(memberships__catalog_query__catalogs=catalog)
    return {
        key: Item(
            updated_at=f"{max(moment, floor or moment):{TIME_FORMAT}}",
            title=title,
            enrollment_url=start + quote(key, safe="+:") + end,
        )
        for key, moment, title in content.values_list("content_key", "updated_at", "title")
    }


class Writer:
    """Makes one change at a time, with the project's own write functions."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.titles = {key: f"{key} as it was" for key in KEYS}
        self.count = 0

    def make_all(self) -> None:
        """Create customers, queries and catalogs."""
        customers = [
            EnterpriseCustomer(uuid=uuid, name=name, slug=name, learner_portal_url="https://learn.example.org")
            for uuid, name in zip(CUSTOMERS, ("acme", "globex"), strict=True)
        ]
        for customer in customers:
            save_customer(customer, now=timezone.now())
        first, second = (CatalogQuery.objects.create(title=title) for title in ("first", "second"))
        acme, globex = customers
        for uuid, query, customer in zip(CATALOGS, (first, first, second), (acme, acme, globex), strict=True):
            catalog = EnterpriseCatalog(uuid=uuid, title=uuid, enterprise_customer=customer, catalog_query=query)
            save_catalog(catalog, now=timezone.now())
        for query in (first, second):
            self._import(query, self._some(KEYS), replace=True)

    def change(self) -> Change:
        """Make a random change and return it."""
        self.count += 1
        kinds = (self._content, self._membership, self._both, self._customer, self._query, self._owner)
        act = self.random.choices(kinds, weights=(5, 3, 2, 2, 2, 1))[0]
        return made(act, f"change {self.count} ({act.__name__.strip('_')})")

    def _content(self) -> None:
        """Change documents in one query; they may be in the other query, too."""
        query = self._a_query()
        members = sorted(query.memberships.values_list("content_key", flat=True))
        self._import(query, self._retitled(self._some(members, at_most=9)))

    def _membership(self) -> None:
        self._import(self._a_query(), self._some(KEYS), replace=True)

    def _both(self) -> None:
        keys = self._some(KEYS)
        self._retitled(self._some(keys, at_most=9))
        self._import(self._a_query(), keys, replace=True)

    def _customer(self) -> None:
        """Change the slug or portal of a customer, perhaps to an earlier value; affects all items of its catalogs."""
        customer = EnterpriseCustomer.objects.get(pk=self.random.choice(CUSTOMERS))
        number = self.random.randrange(5)
        if self.random.random() < 0.5:
            customer.slug = f"slug-{number}"
        else:
            customer.learner_portal_url = f"https://learn-{number}.example.org"
        save_customer(customer, now=timezone.now())

    def _query(self) -> None:
        """Assign another query to a catalog, or None."""
        catalog = self._a_catalog()
        catalog.catalog_query = self.random.choice([None, *CatalogQuery.objects.order_by("pk")])
        save_catalog(catalog, now=timezone.now())

    def _owner(self) -> None:
        catalog = self._a_catalog()
        catalog.enterprise_customer = EnterpriseCustomer.objects.get(pk=self.random.choice(CUSTOMERS))
        save_catalog(catalog, now=timezone.now())

    def _a_query(self) -> CatalogQuery:
        return self.random.choice(CatalogQuery.objects.order_by("pk"))

    def _a_catalog(self) -> EnterpriseCatalog:
        return EnterpriseCatalog.objects.with_parts().get(pk=self.random.choice(CATALOGS))

    def _some(self, keys: Collection[str], *, at_most: int = len(KEYS)) -> list[str]:
        return self.random.sample(sorted(keys), self.random.randint(0, min(len(keys), at_most)))

    def _retitled(self, keys: list[str]) -> list[str]:
        """Give content a title that it never had, for the next import."""
        self.titles.update({key: f"{key} of change {self.count}" for key in keys})
        return keys

    def _import(self, query: CatalogQuery, keys: Collection[str], *, replace: bool = False) -> None:
        lines = [json.dumps(CourseFactory.build(key=key, title=self.titles[key])).encode() for key in keys]
        import_documents(lambda: query, lines, now=timezone.now(), replace=replace, allow_shrink=True)
