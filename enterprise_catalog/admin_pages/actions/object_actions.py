"""The actions of one row: a page that confirms each action, and the buttons that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import quote

from django.contrib import admin
from django.contrib.admin.utils import model_format_dict, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponseBase
    from django.urls import URLPattern

    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin
else:
    AnyAdmin = object


class Button(NamedTuple):
    """A link to the confirmation page of an action."""

    name: str
    text: str
    url: str


class ObjectActions(AnyAdmin):
    """Mixin for pages: the confirmed actions of a list, for one row."""

    def object_actions(self, request: HttpRequest, obj: Any) -> Sequence[str]:
        """Return the names of the actions that make sense for a row, the most useful one first."""
        return ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.object_action_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_action"
        return [path("<path:object_id>/action/<slug:action>/", view, name=name), *super().get_urls()]

    def object_action_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponseBase:
        """Show the confirmation page of an action of one row, or run the action.

        Raises:
            PermissionDenied: the user may not see the row, or may not run the action.
            Http404: there is no such row.
        """
        allowed = self.get_actions(request).get(action)
        if not self.has_view_permission(request) or allowed is None:
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        run = cast("Callable[..., HttpResponseBase | None]", allowed[0])
        response = run(self, request, self.get_queryset(request).filter(pk=obj.pk))
        return response or HttpResponseRedirect(_came_from(request) or _page_of(obj))


def buttons(request: HttpRequest, obj: Model, names: Sequence[str] | None = None) -> Iterator[Button]:
    """Yield a button for each action of a row that the user may run.

    Args:
        names: of the actions; ``None`` for those that the row's page offers. An action's page returns to the page that
            has the button.
    """
    page = admin.site.get_model_admin(type(obj))
    if not isinstance(page, ObjectActions) or not page.has_view_permission(request, obj):
        return
    allowed = page.get_actions(request)
    for name in page.object_actions(request, obj) if names is None else names:
        if action := allowed.get(name):
            text = str(action[2] % model_format_dict(page.opts))
            yield Button(name, text, f"{action_url(obj, name)}?next={quote(request.get_full_path())}")


def action_url(obj: Model, action: str) -> str:
    """Return the URL of an action's confirmation page. The page refuses users who may not run the action."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_action", args=[obj.pk, action])


def _page_of(obj: Model) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def _came_from(request: HttpRequest) -> str:
    """Return the ``next`` URL of a request; empty unless it is on this site."""
    url = request.GET.get("next", "")
    is_here = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if is_here else ""
