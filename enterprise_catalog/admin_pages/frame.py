"""Navigation, style sheet, scripts, icon and front page. unfold calls these functions, as the settings configure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from django.apps import apps
from django.contrib import admin
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

    _Entry = tuple[str, StrOrPromise, str] | tuple[str, StrOrPromise, str, str]

#: Title of a group -> model, title and icon (https://fonts.google.com/icons) of each of its pages. A page that is not
#: the model's list has a fourth value, the name of its URL; users who may see the model's rows may see it.
_GROUPS: Final[dict[StrOrPromise, tuple[_Entry, ...]]] = {
    _("Integrated channels"): (
        (
            "integrated_channels.ContentMetadataItemTransmission",
            _("Why is a course missing?"),
            "troubleshoot",
            "admin:diagnosis",
        ),
        ("integrated_channels.ContentMetadataItemTransmission", _("Transmissions"), "sync_alt"),
        ("integrated_channels.TransmissionAttempt", _("Attempts"), "history"),
        ("integrated_channels.SyncRun", _("Runs"), "play_circle"),
        ("integrated_channels.Decision", _("Decisions"), "gavel"),
        ("integrated_channels.Operation", _("Operations"), "hourglass_top"),
        ("integrated_channels.ChannelConfiguration", _("Configurations"), "settings_input_component"),
        ("integrated_channels.Notification", _("Events"), "notifications"),
        ("integrated_channels.Subscription", _("Subscriptions"), "notification_add"),
        ("integrated_channels.Delivery", _("Deliveries"), "outgoing_mail"),
    ),
    _("Catalog"): (
        ("catalog.EnterpriseCustomer", _("Customers"), "domain"),
        ("catalog.EnterpriseCatalog", _("Catalogs"), "menu_book"),
        ("catalog.CatalogQuery", _("Queries"), "filter_alt"),
        ("catalog.ContentMetadata", _("Content"), "school"),
        ("catalog.CatalogRefresh", _("Refreshes"), "cached"),
    ),
    _("Tasks"): (("django_celery_beat.PeriodicTask", _("Schedule"), "schedule"),),
    _("Access"): (
        ("auth.User", _("Users"), "person"),
        ("auth.Group", _("Groups"), "group"),
        ("catalog.CatalogRole", _("Roles"), "badge"),
        ("catalog.CatalogRoleAssignment", _("Role assignments"), "assignment_ind"),
        ("axes.AccessAttempt", _("Failed logins"), "lock_clock"),
    ),
}


class KeySearch(TypedDict):
    """A question that a page answers about a content key."""

    question: StrOrPromise
    url: str
    parameter: str
    placeholder: StrOrPromise


#: Model, question, parameter and placeholder of each search on the front page, and the name of the URL that answers
#: it; without a name, the model's list answers.
_KEY_SEARCHES: Final = (
    (
        "integrated_channels.ContentMetadataItemTransmission",
        _("Why is a course missing from an LMS?"),
        "content_key",
        _("Content key, run key or title"),
        "admin:diagnosis",
    ),
    (
        "catalog.ContentMetadata",
        _("Which catalogs contain a course?"),
        "q",
        _("Content key or its beginning"),
        "",
    ),
)


#: Functions that return the template and the values of a part of the front page; ``None`` if the user may not see it.
#: A program appends its own. With at least one part, the front page has no list of Django's applications.
FRONT_PAGE: Final[list[Callable[[HttpRequest], dict[str, object] | None]]] = []


class PageLink(TypedDict):
    """One page in the navigation, as unfold's template reads it."""

    title: StrOrPromise
    icon: str
    link: str


class PageGroup(TypedDict):
    """A group of pages in the navigation."""

    title: StrOrPromise
    items: list[PageLink]


def navigation(request: HttpRequest) -> list[PageGroup]:
    """Return the groups of pages that this deployment has and the user may see, the most used first.

    All other pages are under "All applications".
    """
    groups = (PageGroup(title=title, items=list(_items(request, pages))) for title, pages in _GROUPS.items())
    return [group for group in groups if group["items"]]


def style_sheet(_: HttpRequest) -> str:
    """Return the URL of our own style sheet."""
    return static("admin_pages/pages.css")


def accessibility_script(_: HttpRequest) -> str:
    """Return the URL of the script for users of a keyboard or a screen reader."""
    return static("admin_pages/accessibility.js")


def moments_script(_: HttpRequest) -> str:
    """Return the URL of the script for times."""
    return static("admin_pages/moments.js")


def favicon(_: HttpRequest) -> str:
    """Return the URL of the browser tab's icon."""
    return static("admin_pages/favicon.svg")


def front_page(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Return the front page's context with the content key searches and the parts that the user may see."""
    searches = [
        KeySearch(question=question, url=_page_url(model, name), parameter=parameter, placeholder=placeholder)
        for label, question, parameter, placeholder, name in _KEY_SEARCHES
        if (model := _visible_model(request, label))
    ]
    parts = [part for make in FRONT_PAGE if (part := make(request))]
    return {**context, "key_searches": searches, "parts": parts}


def _items(request: HttpRequest, pages: tuple[_Entry, ...]) -> Iterator[PageLink]:
    for label, title, icon, *names in pages:
        if model := _visible_model(request, label):
            yield {"title": title, "icon": str(icon), "link": _page_url(model, str(*names))}


def _visible_model(request: HttpRequest, label: str) -> type[Model] | None:
    """Return the model if this deployment has it and the user may see its rows, otherwise ``None``."""
    application, _, name = label.partition(".")
    model = apps.all_models[application].get(name.lower())
    if model is None or not admin.site.is_registered(model):
        return None
    return model if admin.site.get_model_admin(model).has_view_permission(request) else None


def _page_url(model: type[Model], name: str) -> str:
    """Return the URL with this name; without a name, the URL of the model's list."""
    if name:
        return reverse(name)
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
