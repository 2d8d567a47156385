"""The admin site: makes each registered page a :class:`~enterprise_catalog.admin_pages.pages.Page`."""

from __future__ import annotations

import re
from datetime import datetime
from functools import update_wrapper
from inspect import unwrap
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from enterprise_catalog.admin_pages.actions.deletion import delete_selected
from enterprise_catalog.admin_pages.logins import remember_device
from enterprise_catalog.admin_pages.moments import moment
from enterprise_catalog.admin_pages.pages import Page
from enterprise_catalog.admin_pages.rendering import link_to
from enterprise_catalog.admin_pages.viewer import viewing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib import admin
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse, HttpResponseBase
    from django.urls import URLPattern, URLResolver
    from django.utils.safestring import SafeString

    from enterprise_catalog.admin_pages.actions.declaration import AnyAdmin

    View = Callable[..., HttpResponseBase]

    # unfold has no types; its classes are Django's with other templates.
    UnfoldAdminSite = admin.AdminSite
    UnfoldAdminReadonlyField = admin.helpers.AdminReadonlyField

    class unfold_forms:  # noqa: N801  (a module)
        UnfoldAdminReadonlyField: type[UnfoldAdminReadonlyField]
else:
    from unfold import forms as unfold_forms
    from unfold.fields import UnfoldAdminReadonlyField
    from unfold.sites import UnfoldAdminSite


#: White space between two tags, a sixth of a page's HTML.
_INDENTATION: Final = re.compile(rb">\s{2,}<")


class _ReadonlyField(UnfoldAdminReadonlyField):
    """A read-only field with relative times, and without links that the user may not open.

    Django and unfold link every foreign key.
    """

    def contents(self) -> SafeString:
        """Return the value as HTML, a time like every other time in the admin."""
        name = self.field["field"]
        value = getattr(self.form.instance, name, None) if isinstance(name, str) else None
        return moment(value) if isinstance(value, datetime) else super().contents()

    def get_admin_url(self, remote_field: object, remote_obj: Model) -> str:
        return link_to(remote_obj)


# unfold has no other way to set it.
unfold_forms.UnfoldAdminReadonlyField = _ReadonlyField


class AdminSite(UnfoldAdminSite):
    """unfold's site, with confirmed actions and capped lists on the pages of other packages too."""

    index_title = _("Overview")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._views: list[tuple[str, View, str]] = []
        self.disable_action("delete_selected")
        self.add_action(delete_selected)

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[AnyAdmin] | None = None,
        **options: object,
    ) -> None:
        super().register(model_or_iterable, as_page(admin_class or Page), **options)

    def register_view(self, route: str, view: View, *, name: str) -> None:
        """Add a page of its own, below the admin's URL, for logged-in staff. The view checks further permissions."""
        self._views.append((route, view, name))

    @override
    def get_urls(self) -> list[URLPattern | URLResolver]:
        # Before Django's own URLs, which end with one that matches everything.
        return [
            *(path(route, self.admin_view(view), name=name) for route, view, name in self._views),
            *super().get_urls(),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Return Django's login page. A successful login sets the cookie of a known browser (``logins.py``)."""
        response = super().login(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated and response.status_code == 302:
            remember_device(response, request.user, is_secure=settings.SESSION_COOKIE_SECURE)
        return response

    @override
    def admin_view(self, view: View, cacheable: bool = False) -> View:  # type: ignore[override]  # Django wraps the view as well
        """Return Django's wrapper of the view. It renders the page while its links can check the user's permissions."""
        checked = super().admin_view(view, cacheable)

        def rendered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            with viewing(request):
                try:
                    response = checked(request, *args, **kwargs)
                except (PermissionDenied, Http404) as error:
                    response = self._error_page(request, error)
                if isinstance(response, SimpleTemplateResponse):
                    response.content = _INDENTATION.sub(b"> <", response.rendered_content.encode())
                return response

        return update_wrapper(rendered, checked)

    def _error_page(self, request: HttpRequest, error: PermissionDenied | Http404) -> TemplateResponse:
        """Return a page with the reason, and links to the list that the request is about, and to the front page."""
        is_missing = isinstance(error, Http404)
        page = _page_in(request)
        context = {
            **self.each_context(request),
            "title": gettext("Page not found") if is_missing else gettext("Permission required"),
            "message": _missing() if is_missing else _forbidden(),
        }
        if page and page.has_view_permission(request):
            url = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
            context |= {"list_url": url, "list_name": page.opts.verbose_name_plural}
        request.current_app = self.name
        return TemplateResponse(request, "admin_pages/error.html", context, status=404 if is_missing else 403)


def _page_in(request: HttpRequest) -> Page | None:
    """Return the page to which the view of the request belongs; ``None`` for the site's own views."""
    assert request.resolver_match is not None  # A view of the site is handling the request.
    owner = getattr(unwrap(request.resolver_match.func), "__self__", None)
    return owner if isinstance(owner, Page) else None


def _missing() -> str:
    return gettext("There is no page at this address. The row may have been deleted, or the link may be incomplete.")


def _forbidden() -> str:
    return gettext(
        "You may not open this page or run this action. Ask an administrator to add you to a group with the permission."
    )


def as_page(admin_class: type[AnyAdmin]) -> type[AnyAdmin]:
    """Return the class itself if it is a :class:`Page`, otherwise a subclass that is one."""
    if issubclass(admin_class, Page):
        return admin_class
    return type(admin_class.__name__, (admin_class, Page), {"__module__": admin_class.__module__})
