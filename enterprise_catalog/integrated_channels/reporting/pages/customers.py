"""A customer: name, catalogs and configurations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, RunDeadlineError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.pages.configuration_summary import state_in_words

if TYPE_CHECKING:
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_api.lookups import Catalog

#: Maximum duration of a request to the catalog service, in seconds: a user is waiting.
PATIENCE_SECONDS: Final = 5.0
#: Maximum number of configurations on the page of a customer.
MAX_CONFIGURATIONS: Final = 5


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


def report_customer(customer_uuid: UUID) -> CustomerReport:
    """Return the report. Waits at most 5 seconds for the catalog service, and for each of two responses."""
    report = CustomerReport()
    found = ChannelConfiguration.objects.filter(enterprise_customer_uuid=customer_uuid).order_by("pk")
    configurations = list(found[: MAX_CONFIGURATIONS + 1])
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
