"""Factories for valid rows with boring values; a test gives only the values that matter to it."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.ingest.writer import ImportReport, import_documents
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The default time of every change.
DAY_ONE = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def a_customer(**values: Any) -> EnterpriseCustomer:
    """Save and return a customer; ``values`` replace the default fields."""
    defaults = {"name": "Acme", "slug": "acme", "learner_portal_url": "https://learn.example.org"}
    customer = EnterpriseCustomer(**(defaults | values))
    save_customer(customer, now=DAY_ONE)
    return customer


def a_catalog(
    *documents: dict[str, Any], customer: EnterpriseCustomer | None = None, now: datetime = DAY_ONE, **values: Any
) -> EnterpriseCatalog:
    """Save and return a catalog with ``documents`` as its content."""
    defaults: dict[str, Any] = {"title": "All of it", "enterprise_customer": customer or a_customer()}
    if "catalog_query" not in values:
        defaults["catalog_query"] = CatalogQuery.objects.create(title="Everything")
    catalog = EnterpriseCatalog(**(defaults | values))
    save_catalog(catalog, now=now)
    if documents:
        import_into(catalog, documents, now=now)
    return catalog


def import_into(
    catalog: EnterpriseCatalog, documents: Iterable[dict[str, Any]], *, now: datetime = DAY_ONE, replace: bool = False
) -> ImportReport:
    """Import ``documents`` (in this order) into the catalog's query; return the counts."""
    query = catalog.catalog_query
    assert query is not None
    lines = [json.dumps(document).encode() for document in documents]
    return import_documents(lambda: query, lines, now=now, replace=replace, allow_shrink=True)


def a_course(key: str = "Northwind+DATA101", **fields: Any) -> dict[str, Any]:
    """Return a course document; ``fields`` replace the default fields."""
    return {
        "content_type": "course",
        "key": key,
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
        "title": f"Course {key}",
        "short_description": "Short.",
        "full_description": "<p>Long.</p>",
        "organizations": ["Northwind: Northwind Institute"],
        **fields,
    }


def courses(count: int, *, prefix: str = "Northwind+C") -> list[dict[str, Any]]:
    """Return ``count`` course documents, in ascending order by key."""
    return [a_course(f"{prefix}{number:06}") for number in range(count)]
