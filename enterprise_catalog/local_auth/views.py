"""The token endpoint, with a rate limit for wrong client secrets.

Tokens are not stored: the signature proves a token, and stored tokens could be read by others.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlsplit

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import urldecode

from enterprise_catalog.web.client_address import client_network
from enterprise_catalog.web.login_limits import Rate, TooManyFailuresError, try_login

if TYPE_CHECKING:
    from django.http import HttpRequest


@method_decorator((csrf_exempt, never_cache), name="dispatch")
class TokenView(OAuthLibMixin, View):
    """Responds as RFC 6749 specifies: a token for valid client credentials, 401 for wrong ones, otherwise 400."""

    @method_decorator(sensitive_post_parameters("client_secret"))
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Issue a token."""
        try:
            urldecode(urlsplit(request.get_full_path()).query)
        except ValueError:  # oauthlib would raise it later.
            body = {"error": "invalid_request", "error_description": "The query string is not URL-encoded."}
            return JsonResponse(body, status=400)
        _, headers, body, status = self.create_token_response(request)
        return HttpResponse(body, status=status, headers=headers)


class LimitedTokenView(TokenView):
    """Responds like its base class, but with 429 to further guesses of a client's secret."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Respond like the base class; with 429 and an OAuth 2 error after too many failures of the client."""
        rejected: list[HttpResponse] = []

        def attempt() -> HttpResponse | None:
            response: HttpResponse = super(LimitedTokenView, self).post(request, *args, **kwargs)
            if response.status_code == 200:
                return response
            rejected.append(response)
            return None

        try:
            issued = try_login(
                attempt,
                scope="client",
                name=_client_id(request),
                network=client_network(request),
                rate=Rate.parse(settings.FAILURE_THROTTLE_RATE),
            )
        except TooManyFailuresError as error:
            body = {"error": "temporarily_unavailable", "error_description": str(error)}
            return JsonResponse(body, status=429, headers={"Retry-After": str(error.retry_after)})
        return issued or rejected[0]


def _client_id(request: HttpRequest) -> str:
    """Return the client id in the request, as django-oauth-toolkit reads it; empty if missing."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return unquote_plus(base64.b64decode(encoded).decode().partition(":")[0])
        except ValueError:  # Not Base64, or not text.
            return ""
    return request.POST.get("client_id", "")
