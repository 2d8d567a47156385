"""The customer and its catalogs, from the catalog service, for the form of a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext

from enterprise_catalog.admin_pages.widgets import CheckBoxes, Textarea
from enterprise_catalog.integrated_channels.access.configurations import catalog_problems
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from django_stubs_ext import StrOrPromise

    from enterprise_catalog.integrated_channels.catalog_api.lookups import Catalog, Customer

#: Short, because a user is waiting and the responses are small.
READ_TIMEOUT_SECONDS: Final = 10
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class LoadedCustomer:
    """A customer as the catalog service has it, or the reason why that is unknown."""

    uuid: UUID
    name: str = ""  #: Empty if unknown.
    catalogs: tuple[Catalog, ...] | None = None  #: ``None`` if unknown.
    is_missing: bool = False  #: The catalog service has no such customer.
    problem: str = ""  #: Why the catalog service gave no usable response.

    def problems_with(self, catalog_uuids: Sequence[str]) -> list[str]:
        """Return the problems of a configuration for this customer and these catalogs, one sentence each."""
        if self.problem:
            text = gettext("The customer could not be checked. %(problem)s Try again later, or skip the check.")
            return [text % {"problem": self.problem}]
        if self.is_missing:
            text = gettext("The catalog service has no customer %(customer)s. Check the UUID.")
            return [text % {"customer": self.uuid}]
        known = {str(catalog.uuid) for catalog in self.catalogs or ()}
        text = gettext("Customer %(customer)s has no catalog %(catalog)s. Check the UUID.")
        return [
            text % {"customer": self.uuid, "catalog": uuid} for uuid in sorted(set(catalog_uuids)) if uuid not in known
        ]


def load_customer(customer_uuid: UUID) -> LoadedCustomer:
    """Ask the catalog service for the customer and its catalogs. Never raises: ``problem`` says why it is unknown."""
    with CatalogClient(read_timeout_seconds=READ_TIMEOUT_SECONDS) as client:
        try:
            catalogs = tuple(client.catalogs_of(customer_uuid))
            return LoadedCustomer(customer_uuid, client.customer_name(customer_uuid) or "", catalogs)
        except CatalogUnavailableError as error:
            if error.status_code == _NOT_FOUND:
                return LoadedCustomer(customer_uuid, is_missing=True)
            return LoadedCustomer(customer_uuid, problem=error.message)


def find_customers(text: str) -> list[Customer]:
    """Return the customers whose name starts with ``text``, or the one with this UUID.

    Raises:
        CatalogUnavailableError: the catalog service gave no usable response.
    """
    with CatalogClient(read_timeout_seconds=READ_TIMEOUT_SECONDS) as client:
        return client.find_customers(text)


class _Typed(Textarea):
    """UUIDs, one per line."""

    def format_value(self, value: object) -> str:
        return "\n".join(map(str, value)) if isinstance(value, list) else ""

    def value_from_datadict(self, data: Mapping[str, object], files: object, name: str) -> list[str]:
        return _uuids_in(data, name)


class _Chosen(CheckBoxes):
    """Catalogs by title. Also reads typed UUIDs: the service may have become reachable since the page was opened."""

    def value_from_datadict(self, data: Mapping[str, object], files: object, name: str) -> list[str]:
        return _uuids_in(data, name)


class CatalogsField(forms.Field):
    """The catalogs to send: boxes by title, or typed UUIDs if the customer's catalogs are unknown."""

    def __init__(
        self, catalogs: Sequence[Catalog] | None, stored: Sequence[str], *, label: StrOrPromise, help_text: StrOrPromise
    ) -> None:
        """Create the field.

        Args:
            catalogs: the customer's catalogs; ``None`` if they are unknown.
            stored: UUIDs to offer in any case.
        """
        titles = {str(catalog.uuid): catalog.title for catalog in catalogs or ()}
        gone = {uuid: gettext("%(uuid)s (not a catalog of this customer)") % {"uuid": uuid} for uuid in stored}
        choices = list({**gone, **titles}.items())
        widget = _Typed({"rows": 3, "class": "ec-code"}) if catalogs is None else _Chosen(choices=choices)
        super().__init__(required=False, widget=widget, label=label, help_text=help_text)

    def clean(self, value: list[str]) -> list[str]:
        if problems := catalog_problems(value):
            raise forms.ValidationError(problems)
        return value

    def has_changed(self, initial: object, data: object) -> bool:
        return {*_strings(initial)} != {*_strings(data)}


def _strings(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else ()


def _uuids_in(data: Mapping[str, object], name: str) -> list[str]:
    """Return the words in the submitted values of a field, without the punctuation of JSON."""
    assert isinstance(data, MultiValueDict)
    return list(dict.fromkeys(word for text in data.getlist(name) for word in re.findall(r'[^\s,;"\[\]]+', text)))
