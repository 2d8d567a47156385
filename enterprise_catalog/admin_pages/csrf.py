"""The page for a form without a valid CSRF token: Django's ``CSRF_FAILURE_VIEW``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from enterprise_catalog.admin_pages.viewer import viewing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def form_not_accepted(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  (Django's signature)
    """Return the page with status 403, also before the login. Django logs the reason; users could not act on it."""
    is_staff = admin.site.has_permission(request)
    template = "admin_pages/error.html" if is_staff else "admin_pages/error_before_login.html"
    with viewing(request):
        context = {
            **admin.site.each_context(request),
            "title": gettext("Form not accepted"),
            "message": gettext(
                "The form's security token is missing or has expired, for example after a login in another tab."
                " Nothing was changed. Reload the page with the form, and send it again. If this does not help, allow"
                " cookies for this site."
            ),
        }
        return TemplateResponse(request, template, context, status=403).render()
