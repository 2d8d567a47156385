"""The request of the page being rendered. Pages use it to show only links that the user may open."""

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
    """Make ``request`` the request that :func:`may_view` and :func:`has_permission` check."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def may_view(model: type[Model]) -> bool:
    """Return True if the user may open the admin's pages of ``model``. Without a request: True if it has pages."""
    request = _request.get()
    if not admin.site.is_registered(model):
        return False
    return request is None or admin.site.get_model_admin(model).has_view_permission(request)


def has_permission(name: str) -> bool:
    """Return True if the user has the permission ``app_label.codename``, or if there is no request."""
    request = _request.get()
    return request is None or request.user.has_perm(name)
