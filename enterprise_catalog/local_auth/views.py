"""The token endpoint, with a limit for wrong client secrets."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from oauth2_provider.views import TokenView

from enterprise_catalog.client_address import client_network
from enterprise_catalog.login_limits import Rate, TooManyFailuresError, limited_login

if TYPE_CHECKING:
    from django.http import HttpRequest


class LimitedTokenView(TokenView):  # type: ignore[misc]  # the package has no types
    """django-oauth-toolkit's, which answers 429 to further guesses of a client's secret."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer as the base class does; 429 with an OAuth 2 error after too many failures of the client."""
        rejected: list[HttpResponse] = []

        def attempt() -> HttpResponse | None:
            response: HttpResponse = super(LimitedTokenView, self).post(request, *args, **kwargs)
            if response.status_code == 200:
                return response
            rejected.append(response)
            return None

        try:
            issued = limited_login(
                attempt,
                scope="client",
                name=_client_id(request),
                network=client_network(request),
                rate=Rate.parse(settings.FAILURE_THROTTLE_RATE),
            )
        except TooManyFailuresError as error:
            told = {"error": "temporarily_unavailable", "error_description": str(error)}
            return JsonResponse(told, status=429, headers={"Retry-After": str(error.retry_after)})
        return issued or rejected[0]


def _client_id(request: HttpRequest) -> str:
    """Return the client that the request names, as django-oauth-toolkit reads it; empty if none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return unquote_plus(base64.b64decode(encoded).decode().partition(":")[0])
        except ValueError:  # Not Base64, or not text.
            return ""
    return request.POST.get("client_id", "")
