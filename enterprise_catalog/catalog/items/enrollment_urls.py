"""Enrollment URLs: the pages where a customer's learners enroll in a course or a run.

A catalog stores its part of the URLs as one text (``EnterpriseCatalog.enrollment_urls``): a served document depends
only on the catalog's row and on the content. No database here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote

import orjson
from django.conf import settings
from django.utils.text import slugify

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCatalog

EXECUTIVE_EDUCATION: Final = "executive-education-2u"


class ItemParts(NamedTuple):
    """The parts of an item that its enrollment URL depends on; empty strings where an item has none."""

    content_key: str
    content_type: str
    parent_content_key: str = ""
    course_type: str = ""
    advertised_run_key: str = ""
    entitlement_sku: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentURLs:
    """The enrollment URLs of one catalog.

    The parts that its URLs do not depend on are empty. If ``prefix``, ``portal`` and ``lms`` are empty, there are no
    URLs: the customer's slug is not known yet.
    """

    prefix: str = ""  #: The start of each URL, of a catalog that an earlier release wrote.
    portal: str = ""  #: The customer's pages in the learner portal.
    lms: str = ""  #: The Open edX LMS, for customers without a learner portal.
    shop: str = ""  #: The shop that sells executive education courses.
    slug: str = ""
    customer: str = ""  #: UUID.
    catalog: str = ""  #: UUID.
    source: str = ""  #: ``utm_source``: the slug of the customer's name, which needs no encoding.
    is_audit: bool = False  #: Enroll in the audit track.

    @classmethod
    def of(cls, catalog: EnterpriseCatalog) -> Self:
        """Return the URLs of a catalog with its current customer."""
        customer = catalog.enterprise_customer
        source, is_audit = slugify(customer.name), catalog.publish_audit_enrollment_urls
        if not customer.slug:
            return cls(source=source, is_audit=is_audit)
        if customer.learner_portal_enabled:
            portal = f"{customer.learner_portal_url.rstrip('/')}/{customer.slug}"
            return cls(portal=portal, source=source, is_audit=is_audit)
        return cls(
            lms=settings.LMS_BASE_URL,
            shop=settings.ECOMMERCE_BASE_URL,
            slug=customer.slug,
            customer=str(customer.pk),
            catalog=str(catalog.pk),
            source=source,
            is_audit=is_audit,
        )

    @property
    def text(self) -> str:
        """The text that a catalog stores: a JSON object of the parts that are not empty."""
        return orjson.dumps({name: value for name in _PARTS if (value := getattr(self, name))}).decode()

    def url(self, item: ItemParts) -> str | None:
        """Return the URL of an item: the page of a course, with the run selected for a course run.

        Returns ``None`` for programs and pathways, which learners cannot enroll in as a whole; for executive education
        courses that have no SKU, if the shop sells them; and if there are no URLs yet.
        """
        if item.content_type not in {"course", "courserun"}:
            return None
        if self.prefix:
            return self._prefixed_url(item)
        return self._portal_url(item) if self.portal else self._lms_url(item) if self.lms else None

    def _prefixed_url(self, item: ItemParts) -> str:
        if item.content_type == "course":
            return self.prefix + _in_path(item.content_key)
        return f"{self.prefix}{_in_path(_course_of(item))}?course_run_key={_encoded(item.content_key)}"

    def _portal_url(self, item: ItemParts) -> str:
        if item.content_type == "courserun":
            run = f"course_run_key={_encoded(item.content_key)}&"
            return f"{self.portal}/course/{_in_path(_course_of(item))}?{self._query(run)}"
        kind = f"/{EXECUTIVE_EDUCATION}" if item.course_type == EXECUTIVE_EDUCATION else ""
        return f"{self.portal}{kind}/course/{_in_path(item.content_key)}?{self._query()}"

    def _lms_url(self, item: ItemParts) -> str | None:
        if item.course_type == EXECUTIVE_EDUCATION:
            if not item.entitlement_sku or not self.shop:
                return None
            checkout = f"{self.shop}/{EXECUTIVE_EDUCATION}/checkout?sku={_encoded(item.entitlement_sku)}"
            query = self._query(f"enterprise_slug={_encoded(self.slug)}&next={_encoded(checkout)}&")
            return f"{self.lms}/enterprise/proxy-login/?{query}"
        key = _in_path(item.advertised_run_key or item.content_key)
        return f"{self.lms}/enterprise/{self.customer}/course/{key}/enroll/?{self._query(f'catalog={self.catalog}&')}"

    def _query(self, between: str = "") -> str:
        """Return the parameters in ascending order. Those in ``between`` sort after ``audit``, before ``utm_…``."""
        audit = "audit=true&" if self.is_audit else ""
        return f"{audit}{between}utm_medium=enterprise&utm_source={self.source}"


_PARTS: Final = tuple(EnrollmentURLs.__dataclass_fields__)


@functools.lru_cache(1_024)
def parse_enrollment_urls(text: str) -> EnrollmentURLs:
    """Return the URLs whose text a catalog stores. A text without JSON is the prefix that an earlier release wrote."""
    return EnrollmentURLs(**orjson.loads(text)) if text.startswith("{") else EnrollmentURLs(prefix=text)


def _course_of(run: ItemParts) -> str:
    return run.parent_content_key or run.content_key


def _in_path(key: str) -> str:
    return quote(key, safe="+:")


def _encoded(value: str) -> str:
    return quote(value, safe="")
