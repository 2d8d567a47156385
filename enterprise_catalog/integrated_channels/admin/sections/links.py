"""Links to customers and catalogs, which are rows of another program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.urls import reverse
from django.utils.html import format_html

from enterprise_catalog.admin_pages.rendering import EMPTY, link_to
from enterprise_catalog.admin_pages.viewer import may_view
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.pages.customers import stored_name

if TYPE_CHECKING:
    from uuid import UUID


def link_to_customer(customer_uuid: UUID) -> str:
    """Return a link to the customer's page; only the text without permission to view configurations.

    The text is the stored name, with the UUID in a tooltip; the UUID if no run has learned the name.
    """
    text = stored_name(customer_uuid) or customer_uuid
    if not may_view(ChannelConfiguration):
        return format_html('<span title="{}">{}</span>', customer_uuid, text)
    url = reverse("admin:integrated_channels_customer", args=[customer_uuid])
    return format_html('<a class="text-link" href="{}" title="{}">{}</a>', url, customer_uuid, text)


def link_to_catalog(catalog_uuid: UUID | None, text: str = "") -> str:
    """Return a link to the catalog's page, if this deployment has it and the user may view it; else the text."""
    if catalog_uuid is None:
        return EMPTY
    model = apps.all_models["catalog"].get("enterprisecatalog")
    if model is None:
        return format_html("{}", text or catalog_uuid)
    return link_to(model(pk=catalog_uuid), text or catalog_uuid)
