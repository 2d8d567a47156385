"""The first page of a new configuration: choose the channel, and find the customer by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext

from enterprise_catalog.integrated_channels.admin.setup.customers import find_customers
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS, channel_choices
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.catalog_api.lookups import Customer


@dataclass(frozen=True, slots=True)
class Start:
    """The state of the first page."""

    channel_code: str
    customer: str  #: The text entered.
    customers: tuple[Customer, ...] = ()  #: Those to choose from.
    problem: str = ""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Code and label of each channel."""
        return channel_choices()

    @property
    def links(self) -> list[tuple[str, Customer]]:
        """The query of the form's URL, for each customer to choose from."""
        return [(_query(self.channel_code, customer.uuid), customer) for customer in self.customers]


def start(parameters: Mapping[str, str]) -> Start | str:
    """Return the first page's state, or the query of the form's URL once channel and customer are chosen."""
    code, text = parameters.get("channel_code", ""), parameters.get("customer", "").strip()
    if code not in CHANNELS or not text:
        return Start(code, text)
    try:
        customers = tuple(find_customers(text))
    except CatalogUnavailableError as error:
        return _without_catalog_service(code, text, error.message)
    match customers:
        case ():
            problem = gettext("No customer has a name that starts with “%(text)s”, or this UUID. Check the spelling.")
            return Start(code, text, problem=problem % {"text": text})
        case (customer,):
            return _query(code, customer.uuid)
    return Start(code, text, customers)


def _without_catalog_service(code: str, text: str, reason: str) -> Start | str:
    try:
        return _query(code, UUID(text))
    except ValueError:
        problem = gettext("Customers cannot be found by name now. Enter the customer's UUID. %(reason)s")
        return Start(code, text, problem=problem % {"reason": reason})


def _query(code: str, customer: UUID) -> str:
    return urlencode({"channel_code": code, "enterprise_customer_uuid": customer})
