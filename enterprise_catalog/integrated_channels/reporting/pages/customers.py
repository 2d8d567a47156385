"""Customers: the names that are stored here, those with a transmission of a key, and the report about one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
)
from enterprise_catalog.integrated_channels.reporting.pages.configuration_summary import state_in_words

if TYPE_CHECKING:
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_api.lookups import Catalog

#: Maximum duration of a request to the catalog service, in seconds: a user is waiting.
PATIENCE_SECONDS: Final = 5.0
#: Maximum number of configurations on the page of a customer.
MAX_CONFIGURATIONS: Final = 5
#: Maximum number of transmissions that :func:`customers_with` reads.
MAX_TRANSMISSIONS: Final = 200


@dataclass(frozen=True, slots=True)
class CustomerConfiguration:
    """One configuration of the customer, with its state in words."""

    configuration: ChannelConfiguration
    tone: str
    state: str


@dataclass(slots=True)
class CustomerReport:
    """A customer, as far as the catalog service responds."""

    name: str = ""  #: Empty if unknown.
    catalogs: list[Catalog] = field(default_factory=list)
    problem: str = ""  #: Why name and catalogs are unknown; a sentence.
    configurations: list[CustomerConfiguration] = field(default_factory=list)
    has_more: bool = False  #: The customer has further configurations.


def stored_name(customer_uuid: UUID) -> str:
    """Return the customer's name as of its last sync; empty if no run has learned it."""
    rows = ConfigurationStatus.objects.filter(configuration__enterprise_customer_uuid=customer_uuid)
    return rows.exclude(customer_name="").values_list("customer_name", flat=True).first() or ""


def customers_with(content_key: str) -> dict[UUID, str]:
    """Return UUID -> name of the customers with a transmission of exactly this key, by name.

    The names are stored ones, and empty if unknown. At most 200 transmissions are read.
    """
    rows = ContentMetadataItemTransmission.objects.with_keys([content_key]).order_by("content_key", "pk")
    configurations = ChannelConfiguration.objects.not_deleted().filter(
        pk__in=list(rows.values_list("configuration", flat=True)[:MAX_TRANSMISSIONS])
    )
    found = configurations.values_list("enterprise_customer_uuid", "status__customer_name")
    names: dict[UUID, str] = {}
    for customer_uuid, name in found.order_by("pk"):
        names[customer_uuid] = names.get(customer_uuid) or name or ""
    return dict(sorted(names.items(), key=lambda item: (item[1].casefold(), item[0])))


def report_customer(customer_uuid: UUID) -> CustomerReport:
    """Return the report. Waits at most 5 seconds for the catalog service, and for each of two responses."""
    report = CustomerReport()
    found = ChannelConfiguration.objects.not_deleted().filter(enterprise_customer_uuid=customer_uuid)
    configurations = list(found.order_by("pk")[: MAX_CONFIGURATIONS + 1])
    report.has_more = len(configurations) > MAX_CONFIGURATIONS
    report.configurations = [
        CustomerConfiguration(each, *state_in_words(each)) for each in configurations[:MAX_CONFIGURATIONS]
    ]
    try:
        with CatalogClient(read_timeout_seconds=PATIENCE_SECONDS, run_seconds_left=lambda: PATIENCE_SECONDS) as catalog:
            name = catalog.customer_name(customer_uuid)
            if name is None:
                report.problem = gettext("The catalog service has no such customer.")
            else:
                report.name, report.catalogs = name, catalog.catalogs_of(customer_uuid)
    except CatalogUnavailableError as error:
        report.problem = gettext("Name and catalogs are unknown. %(reason)s") % {"reason": error.message}
    except RunDeadlineError:
        report.problem = gettext("Name and catalogs are unknown: the catalog service did not respond in time.")
    return report
