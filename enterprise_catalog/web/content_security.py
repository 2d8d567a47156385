"""The Content-Security-Policy of responses: the admin's policy for HTML pages, ``default-src 'none'`` otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from csp.constants import NONE
from csp.middleware import CSPMiddleware, PolicyParts
from typing_extensions import override

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

#: For JSON, metrics and files: a browser that renders them as a page loads and runs nothing.
NOTHING: Final[dict[str, object]] = {"default-src": [NONE], "frame-ancestors": [NONE]}


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Selects the policy by the response's content type; see docs/decisions/0021-admin-security.rst."""

    @override
    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and not response.headers.get("Content-Type", "").startswith("text/html"):
            parts.config = NOTHING
        return parts
