"""The pages about one row, and the diagnosis: with each kind of key, title and customer that a user may enter."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from enterprise_catalog.catalog.models import CatalogMembership, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    SyncRun,
)
from enterprise_catalog.integrated_channels.reporting.overview import FILTERS
from tests.benchmarks.audit_view.mixture import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS: Final = 200
#: Number of sizes of configurations; the last one is the largest.
_SIZES: Final = 10


class Example(NamedTuple):
    """A configuration of the largest size, one of its items, and keys of courses in its customer's catalog."""

    configuration: ChannelConfiguration
    item: ContentMetadataItemTransmission
    known_key: str  #: In the catalog; the configuration has a transmission of it.
    new_key: str  #: In the catalog; the configuration has no transmission of it.

    @classmethod
    def find(cls) -> Example:
        """Return the example of the seeded rows."""
        for configuration in ChannelConfiguration.objects.filter(active=True).order_by("-pk"):
            items = ContentMetadataItemTransmission.objects.of(configuration).order_by("content_key")
            query = EnterpriseCatalog.objects.get(enterprise_customer=configuration.enterprise_customer_uuid)
            members = CatalogMembership.objects.filter(catalog_query=query.catalog_query_id).in_key_order()
            keys = list(members.values_list("content_key", flat=True)[:_KEYS])
            known = {*items.with_keys(keys).values_list("content_key", flat=True)}
            if configuration.pk % _SIZES == _SIZES - 1 and known:
                new = next(key for key in keys if key not in known)
                return cls(configuration, items.latest("pk"), min(known), new)
        raise AssertionError("no configuration has an item of its catalog")


def details() -> Iterator[str]:
    """Yield the URLs of the overview and of pages about rows that the lists do not open."""
    for state in FILTERS:
        yield from (f"/admin/?{urlencode({'state': state, 'page': number})}" for number in (1, 50))
    yield "/admin/?page=50"
    example = Example.find()
    yield from diagnoses(example)
    yield reverse("admin:integrated_channels_customer", args=[example.configuration.enterprise_customer_uuid])
    yield from _same_reason(example.configuration)
    configurations = (example.configuration, *ChannelConfiguration.objects.order_by("pk")[:3])
    runs = SyncRun.objects.order_by("-pk")[:1]
    yield from (_page_of(row) for row in chain(configurations, runs, _items(), [example.item]))


def _same_reason(configuration: ChannelConfiguration) -> Iterator[str]:
    """Yield the URLs of a configuration's items with one reason, as its page links to them."""
    base = reverse("admin:integrated_channels_contentmetadataitemtransmission_changelist")
    narrowed = {"configuration__id__exact": configuration.pk, "problem": "HTTP 503"}
    yield from (f"{base}?{urlencode(narrowed | states)}" for states in ({}, {"state__exact": "retrying"}))


def diagnoses(example: Example) -> Iterator[str]:
    """Yield the URLs of diagnoses in the admin."""
    customer, known = example.configuration.enterprise_customer_uuid, example.known_key
    title = ContentMetadata.objects.get(content_key=known).title
    texts = (
        *(known, example.new_key, example.item.content_key, f" {known} ", known.lower(), known.replace("+", "%2B")),
        *(f"course-v1:{known}+2026", title, title.upper()[:12], SUBJECTS[0], "Nowhere+X", "no such title"),
    )
    yield from (_diagnosis(customer, text) for text in texts)
    yield from (_diagnosis(name, known) for name in ("", "Customer 1", "customer", "nothing"))
    yield _diagnosis(UUID(int=1), known)
    yield _diagnosis("", "Nowhere+X")


def _diagnosis(customer: object, text: str) -> str:
    return f"{reverse('admin:diagnosis')}?{urlencode({'enterprise_customer': customer, 'content_key': text})}"


def _items() -> Iterator[ContentMetadataItemTransmission]:
    """Yield an item in each state."""
    for state in State:
        rows = ContentMetadataItemTransmission.objects.filter(state=state)
        yield from rows.order_by("state", "action", "last_attempt_at", "id")[:1]


def _page_of(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
