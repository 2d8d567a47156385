"""The request whose page is being rendered, so that no page shows a link that its user may not follow."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.contrib import admin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("admin_pages_request", default=None)


@contextmanager
def viewing(request: HttpRequest) -> Iterator[None]:
    """Make ``request`` the one that :func:`may_view` and :func:`has_permission` ask about."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def may_view(model: type[Model]) -> bool:
    """Return whether the page's user may open the admin's pages of ``model``; true outside of a request."""
    request = _request.get()
    if not admin.site.is_registered(model):
        return False
    return request is None or admin.site.get_model_admin(model).has_view_permission(request)


def has_permission(name: str) -> bool:
    """Return whether the page's user has the permission ``app_label.codename``; true outside of a request."""
    request = _request.get()
    return request is None or request.user.has_perm(name)
