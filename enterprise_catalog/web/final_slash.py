"""Addresses without their final slash. Some clients of Open edX omit it, and do not follow redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt
from rest_framework.permissions import SAFE_METHODS

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


@csrf_exempt
def with_final_slash(request: HttpRequest) -> HttpResponseBase:
    """Serve a GET, HEAD or OPTIONS as if its address ended with a slash.

    Raises:
        Http404: there is no such address either, or the method is another one: clients that write use the exact
            address.
    """
    if request.method not in SAFE_METHODS:
        raise Http404
    match = resolve(f"{request.path_info}/")
    request.resolver_match = match
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response
