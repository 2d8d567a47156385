"""The page of a customer: catalogs, configurations with their states, and the search for a course."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from enterprise_catalog.admin_pages.rendering import link_to, link_to_list
from enterprise_catalog.integrated_channels.admin.sections.links import link_to_catalog
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.pages.customers import report_customer

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from enterprise_catalog.admin_pages.admin_site import AdminSite


@require_safe
def customer_page(request: HttpRequest, customer_uuid: UUID) -> HttpResponse:
    """Return the page of a customer, also if the catalog service does not respond or has no such customer."""
    if not request.user.has_perm("integrated_channels.view_channelconfiguration"):
        raise PermissionDenied
    report = report_customer(customer_uuid)
    context = {
        **admin.site.each_context(request),
        "title": report.name or gettext("Customer %(uuid)s") % {"uuid": customer_uuid},
        "customer_uuid": customer_uuid,
        "report": report,
        "catalogs": [link_to_catalog(each.uuid, each.title or str(each.uuid)) for each in report.catalogs],
        "configurations": [
            (link_to(each.configuration), each.configuration.get_channel_code_display(), each.tone, each.state)
            for each in report.configurations
        ],
        "all_configurations": link_to_list(
            ChannelConfiguration, gettext("All configurations of this customer"), q=customer_uuid
        ),
        "may_diagnose": request.user.has_perm("integrated_channels.view_contentmetadataitemtransmission"),
    }
    return TemplateResponse(request, "integrated_channels/customer.html", context)


cast("AdminSite", admin.site).register_view(
    "customers/<uuid:customer_uuid>/", customer_page, name="integrated_channels_customer"
)
