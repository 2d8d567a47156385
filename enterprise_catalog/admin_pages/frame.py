"""What surrounds each page: the navigation and the style sheet. unfold calls both; see the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib import admin
from django.templatetags.static import static
from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

#: Title of a group -> model, title and icon (https://fonts.google.com/icons) of each of its pages.
_GROUPS: Final = {
    "Integrated channels": (
        ("integrated_channels.ContentMetadataItemTransmission", "Transmissions", "sync_alt"),
        ("integrated_channels.TransmissionAttempt", "Attempts", "history"),
        ("integrated_channels.SyncRun", "Runs", "play_circle"),
        ("integrated_channels.ChannelConfiguration", "Configurations", "settings_input_component"),
        ("django_celery_beat.PeriodicTask", "Schedule", "schedule"),
    ),
    "Catalog": (
        ("catalog.EnterpriseCustomer", "Customers", "domain"),
        ("catalog.EnterpriseCatalog", "Catalogs", "menu_book"),
        ("catalog.CatalogQuery", "Queries", "filter_alt"),
        ("catalog.ContentMetadata", "Content", "school"),
    ),
    "Access": (
        ("auth.User", "Users", "person"),
        ("auth.Group", "Groups", "group"),
        ("catalog.CatalogRole", "Roles", "badge"),
        ("catalog.CatalogRoleAssignment", "Role assignments", "assignment_ind"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages of this deployment's programs that the user may see, what people come for first on top.

    Everything else is under "All applications".
    """
    groups = ({"title": title, "items": list(_items(request, pages))} for title, pages in _GROUPS.items())
    return [group for group in groups if group["items"]]


def style_sheet(request: HttpRequest) -> str:  # noqa: ARG001  (unfold gives it)
    """Return the URL of our own style sheet."""
    return static("admin_pages/pages.css")


def _items(request: HttpRequest, pages: tuple[tuple[str, str, str], ...]) -> Iterator[dict[str, str]]:
    for label, title, icon in pages:
        application, _, name = label.partition(".")
        model = apps.all_models[application].get(name.lower())
        if model and admin.site.is_registered(model) and _is_visible(request, model):
            link = reverse(f"admin:{application}_{name.lower()}_changelist")
            yield {"title": title, "icon": icon, "link": link}


def _is_visible(request: HttpRequest, model: Any) -> bool:
    return admin.site.get_model_admin(model).has_view_permission(request)
