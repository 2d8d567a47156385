"""Customers, catalogs and content documents."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from django.utils.text import slugify
from factory.base import Factory
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.documents import parse_document
from enterprise_catalog.catalog.ingest.restricted import replace_restricted
from enterprise_catalog.catalog.ingest.writer import ImportReport, import_documents
from enterprise_catalog.catalog.models import CatalogQuery, EnterpriseCatalog, EnterpriseCustomer
from tests.factories import DAY_ONE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

#: A content document, as the content source delivers it.
Document = dict[str, Any]


class CourseFactory(Factory[Document]):
    """The document of a course. Further fields are added as they are."""

    class Meta:
        model = dict

    content_type = "course"
    key = Sequence(lambda number: f"Northwind+DATA{number}")
    uuid = LazyAttribute(lambda course: str(uuid.uuid5(uuid.NAMESPACE_URL, course.key)))
    title = LazyAttribute(lambda course: f"Course {course.key}")
    short_description = "Short."
    full_description = "<p>Long.</p>"
    organizations = LazyFunction(lambda: ["Northwind: Northwind Institute"])

    @classmethod
    def numbered(cls, count: int, *, prefix: str = "Northwind+C", **fields: object) -> list[Document]:
        """Build the first ``count`` courses of a fixed series, in ascending order by key; see :meth:`keys`."""
        return [cls.build(key=key, **fields) for key in cls.keys(count, prefix=prefix)]

    @staticmethod
    def keys(count: int, *, prefix: str = "Northwind+C") -> list[str]:
        """Return the keys of the first ``count`` courses of a fixed series: Northwind+C000000, Northwind+C000001, …."""
        return [f"{prefix}{number:06}" for number in range(count)]


class CustomerFactory(DjangoModelFactory[EnterpriseCustomer]):
    """A customer, saved at ``now``."""

    class Meta:
        model = EnterpriseCustomer

    name = "Acme"
    slug = LazyAttribute(lambda customer: slugify(customer.name))
    learner_portal_url = "https://learn.example.org"
    now = DAY_ONE

    @classmethod
    def _create(cls, model_class: type[EnterpriseCustomer], *, now: datetime, **values: Any) -> EnterpriseCustomer:
        customer = model_class(**values)
        save_customer(customer, now=now)
        return customer


class CatalogQueryFactory(DjangoModelFactory[CatalogQuery]):
    """A query without content."""

    class Meta:
        model = CatalogQuery

    title = "Everything"


class CatalogFactory(DjangoModelFactory[EnterpriseCatalog]):
    """A catalog of a new customer, saved and filled at ``now``.

    Args:
        customer: the catalog's customer.
        courses: number of courses to import; see :meth:`CourseFactory.numbered`.
        content: further content to import; see :func:`import_into`.
    """

    class Meta:
        model = EnterpriseCatalog

    class Params:
        customer = SubFactory(CustomerFactory)

    title = "All of it"
    enterprise_customer = SelfAttribute("customer")
    catalog_query = SubFactory(CatalogQueryFactory)
    now = DAY_ONE
    courses = 0
    content = ()

    @classmethod
    def _create(
        cls,
        model_class: type[EnterpriseCatalog],
        *,
        now: datetime,
        courses: int,
        content: Iterable[str | Document],
        **values: Any,
    ) -> EnterpriseCatalog:
        catalog = model_class(**values)
        save_catalog(catalog, now=now)
        if documents := [*CourseFactory.numbered(courses), *content]:
            import_into(catalog, documents, now=now)
        return catalog


def run_document(key: str, course: str, **fields: object) -> Document:
    """Build the document of a course run."""
    return {
        "content_type": "courserun",
        "key": key,
        "aggregation_key": f"courserun:{course}",
        "title": f"Run {key}",
        **fields,
    }


def program_document(uuid: str, **fields: object) -> Document:
    """Build the document of a program, which has no key."""
    return {"content_type": "program", "uuid": uuid, "title": "Data for All", **fields}


def allow_restricted(
    catalog: EnterpriseCatalog, runs: Iterable[Document], courses: Iterable[Document] = (), *, now: datetime = DAY_ONE
) -> bool:
    """Make these the restricted runs, and the documents of their courses, that the catalog's query allows."""
    query = catalog.catalog_query
    assert query is not None
    parsed = [[parse_document(json.dumps(each).encode()) for each in documents] for documents in (runs, courses)]
    return replace_restricted(query, runs=parsed[0], courses=parsed[1], now=now)


def import_into(
    catalog: EnterpriseCatalog, content: Iterable[str | Document], *, now: datetime = DAY_ONE, replace: bool = False
) -> ImportReport:
    """Import ``content`` into the catalog's query, in this order; return the counts.

    Args:
        content: documents, or keys of courses.
        replace: remove all other content.
    """
    query = catalog.catalog_query
    assert query is not None
    documents = [CourseFactory.build(key=item) if isinstance(item, str) else item for item in content]
    lines = [json.dumps(document).encode() for document in documents]
    return import_documents(lambda: query, lines, now=now, replace=replace, allow_shrink=True)
