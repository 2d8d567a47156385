"""The rows of a fleet. One customer of each group is made by the real writers and a real sync; the others are copies.

A customer's code is the name of its rows, and the beginning of its content keys. All codes have the same length, so a
copy differs from the original in its code and its IDs only.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection
from django.utils import timezone

from enterprise_catalog.catalog.ingest.writer import ImportReport
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentDocument,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
)
from enterprise_catalog.catalog.versions.state import Version
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, insert
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    SyncLease,
    TransmissionPayload,
)
from enterprise_catalog.integrated_channels.sync.checkpoint import config_fingerprint
from enterprise_catalog.integrated_channels.sync.engine import sync
from tests.benchmarks.seeding import timed_import
from tests.benchmarks.synced import checked
from tests.factories.catalog import CatalogFactory, CustomerFactory
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import Model

    from tests.benchmarks.fleet.lms import LMSs

AnyModel = TypeVar("AnyModel", bound="Model")

#: No sync of a settled customer is due before the benchmark ends.
IDLE_TIME: Final = timedelta(days=2)
#: Documents in each import of a large catalog.
_PORTION: Final = 10_000


def code_of(number: int) -> str:
    """Return the code of a customer."""
    return f"C{number:06}"


def key_of(code: str, item: int) -> str:
    """Return the content key of an item of a customer, numbered from 0."""
    return f"{code}+ITEM{item:06}"


def title_of(key: str, edition: int) -> str:
    """Return the title of a course; each edition has a different title."""
    return f"Course {key}, edition {edition}"


def line_of(key: str, edition: int) -> bytes:
    """Return the document of a course as one line of JSON, about 120 bytes."""
    return json.dumps({"content_type": "course", "key": key, "title": title_of(key, edition)}).encode()


@dataclass(slots=True)
class Group:
    """Customers with consecutive numbers and equal catalogs, each with its own content."""

    numbers: range
    items: int  #: In each catalog.
    editions: dict[str, int] = field(default_factory=dict)  #: Content key -> edition of a changed item.

    def change(self, number: int, items: int) -> datetime:
        """Change the documents of a customer's first items; return the time after the commit."""
        keys = [key_of(code_of(number), item) for item in range(items)]
        for key in keys:
            self.editions[key] = self.editions.get(key, 1) + 1
        query = CatalogQuery.objects.get(title=code_of(number))
        lines = [line_of(key, self.editions[key]) for key in keys]
        timed_import(query, lines, now=timezone.now(), expected=ImportReport(updated=items))
        return timezone.now()

    def titles(self, code: str) -> dict[str, str]:
        """Return content key -> present title of the items of a customer."""
        keys = [key_of(code, item) for item in range(self.items)]
        return {key: title_of(key, self.editions.get(key, 1)) for key in keys}


def make_customer(number: int, items: int, lmss: LMSs) -> int:
    """Create a customer with a catalog and a configuration that was never synced; return the configuration's ID."""
    code = code_of(number)
    customer = CustomerFactory.create(pk=_uuid("customer", code), name=code, slug=code)
    catalog = CatalogFactory.create(
        pk=_uuid("catalog", code), title=code, customer=customer, catalog_query__title=code, now=timezone.now()
    )
    query = catalog.catalog_query
    assert query is not None
    for start in range(0, items, _PORTION):
        lines = [line_of(key_of(code, item), 1) for item in range(start, min(start + _PORTION, items))]
        timed_import(query, lines, now=timezone.now(), expected=ImportReport(created=len(lines)))
    configuration = ConfigurationFactory.create(
        enterprise_customer_uuid=customer.pk,
        base_url=lmss.base_url(number, code),
        settings=lmss.settings,
        credentials=lmss.credentials,
        display_name=code,
        next_sync_at=timezone.now() + IDLE_TIME,
    )
    return configuration.pk


def seed(numbers: range, items: int, lmss: LMSs) -> Group:
    """Create customers whose LMSs equal their catalogs. The web service must run."""
    template = make_customer(numbers[0], items, lmss)
    checked(sync(ChannelConfiguration.objects.get(pk=template), clock=timezone.now), {"create": items})
    ChannelConfiguration.objects.filter(pk=template).update(next_sync_at=timezone.now() + IDLE_TIME)
    others = [(number, code_of(number)) for number in numbers[1:]]
    _copy_catalogs(code_of(numbers[0]), [code for _, code in others])
    _copy_configurations(ChannelConfiguration.objects.get(pk=template), others, lmss)
    if others:
        _copy_items(code_of(numbers[0]), code_of(numbers[-1]), template)
    lmss.settle(code_of(numbers[0]), code_of(numbers[-1]))
    return Group(numbers, items)


def _uuid(kind: str, code: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"https://{code}.example.org/{kind}")


def _insert(rows: Sequence[Model]) -> None:
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        insert(rows[start : start + ROWS_PER_STATEMENT])


def _copy_catalogs(template: str, codes: Iterable[str]) -> None:
    customer = EnterpriseCustomer.objects.get(name=template)
    catalog = EnterpriseCatalog.objects.select_related("catalog_query").get(title=template)
    assert catalog.catalog_query is not None
    customers, queries, catalogs = [], [], []
    for code in codes:
        customers.append(_changed(customer, pk=_uuid("customer", code), name=code, slug=code))
        queries.append(_changed(catalog.catalog_query, pk=None, uuid=_uuid("query", code), title=code))
        catalogs.append(
            _changed(
                catalog,
                pk=_uuid("catalog", code),
                title=code,
                enterprise_customer_id=_uuid("customer", code),
                enrollment_urls=catalog.enrollment_urls.replace(template, code),
                enrollment_url_prefix=catalog.enrollment_url_prefix.replace(template, code),
            )
        )
    EnterpriseCustomer.objects.bulk_create(customers, batch_size=ROWS_PER_STATEMENT)
    _insert(queries)
    for query, each in zip(queries, catalogs, strict=True):
        each.catalog_query_id = query.pk
    EnterpriseCatalog.objects.bulk_create(catalogs, batch_size=ROWS_PER_STATEMENT)


def _copy_configurations(template: ChannelConfiguration, others: Iterable[tuple[int, str]], lmss: LMSs) -> None:
    catalogs = {each.title: each for each in EnterpriseCatalog.objects.select_related("catalog_query")}
    rows = []
    for number, code in others:
        catalog = catalogs[code]
        assert catalog.catalog_query is not None
        version = Version(catalog.revision, catalog.catalog_query.pk, catalog.catalog_query.version)
        row = _changed(
            template,
            pk=None,
            enterprise_customer_uuid=catalog.enterprise_customer_id,
            display_name=code,
            base_url=lmss.base_url(number, code),
            synced_versions={str(catalog.pk): str(version)},
            last_full_etag="",  # Of the template's catalogs. The next run compares versions.
        )
        row.last_full_scope = config_fingerprint(row)
        rows.append(row)
    _insert(rows)


def _changed(row: AnyModel, **values: object) -> AnyModel:
    """Return a new row like ``row``, with other values."""
    changed = copy.copy(row)
    changed._state = copy.copy(row._state)
    changed._state.fields_cache = {}  # Of related rows.
    changed._state.adding = True
    for name, value in values.items():
        setattr(changed, name, value)
    return changed


def _copy_items(template: str, last: str, configuration_id: int) -> None:
    """Copy the template's items, and the rows of its configuration, by one statement for each table."""
    key = f"REPLACE(source.content_key, '{template}', target.title)"
    title = f"REPLACE(source.title, '{template}', target.title)"
    digest = f"SHA2(CONCAT('course', CHAR(0), REPLACE(document.json, '{template}', target.title)), 256)"
    targets = f"JOIN {CatalogQuery._meta.db_table} target ON target.title > '{template}' AND target.title <= '{last}'"
    content, documents = ContentMetadata._meta.db_table, ContentDocument._meta.db_table
    ours = f"source.content_key LIKE '{template}+%%'"
    _copy(
        ContentMetadata,
        f"{content} source JOIN {documents} document ON document.content_id = source.id {targets} WHERE {ours}",
        content_key=key,
        title=title,
        content_hash=digest,
        derived_from=digest,
    )
    copies = f"{targets} JOIN {content} copied ON copied.content_key = {key}"
    _copy(
        ContentDocument,
        f"{content} source JOIN {documents} document ON document.content_id = source.id {copies} WHERE {ours}",
        content="copied.id",
        json=f"REPLACE(document.json, '{template}', target.title)",
    )
    _copy(
        CatalogMembership,
        f"{CatalogMembership._meta.db_table} source {copies} WHERE {ours}",
        catalog_query="target.id",
        content="copied.id",
        content_key="copied.content_key",
    )
    code = "configuration.display_name"
    copies = f"JOIN {ChannelConfiguration._meta.db_table} configuration ON {code} > '{template}' AND {code} <= '{last}'"
    ours = f"source.configuration_id = {configuration_id}"
    _copy(
        ContentMetadataItemTransmission,
        f"{ContentMetadataItemTransmission._meta.db_table} source {copies}"
        f" JOIN {EnterpriseCatalog._meta.db_table} catalog ON catalog.title = {code} WHERE {ours}",
        configuration="configuration.id",
        content_key=f"REPLACE(source.content_key, '{template}', {code})",
        content_title=f"REPLACE(source.content_title, '{template}', {code})",
        catalog_uuid="catalog.uuid",
    )
    transmissions = ContentMetadataItemTransmission._meta.db_table
    _copy(
        TransmissionPayload,
        f"{TransmissionPayload._meta.db_table} source JOIN {transmissions} original ON original.id ="
        f" source.transmission_id {copies} JOIN {transmissions} copied ON copied.configuration_id = configuration.id"
        f" AND copied.content_key = REPLACE(original.content_key, '{template}', {code})"
        f" WHERE original.configuration_id = {configuration_id}",
        transmission="copied.id",
    )
    for model in (SyncLease, ConfigurationStatus):
        _copy(model, f"{model._meta.db_table} source {copies} WHERE {ours}", configuration="configuration.id")


def _copy(model: type[Model], tables: str, **values: str) -> None:
    """Insert rows of ``model`` that are copies of ``source``.

    Args:
        tables: the rest of the statement after FROM.
        values: name of a field -> SQL of the value that differs.
    """
    fields = [each for each in model._meta.concrete_fields if not each.generated and each.name != "id"]
    columns = ", ".join(connection.ops.quote_name(str(each.column)) for each in fields)
    selected = ", ".join(values.get(each.name, f"source.{each.column}") for each in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {selected} FROM {tables}", [])
