"""The Content-Security-Policy of responses: the admin's policy for HTML pages, ``default-src 'none'`` otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from typing_extensions import override

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

#: For JSON, metrics and files: a browser that renders them as a page loads and runs nothing.
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Selects the policy by the response's content type; see docs/decisions/0021-admin-security.rst."""

    @override
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, NOTHING)
        return response
