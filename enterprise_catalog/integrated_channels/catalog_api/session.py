"""The session with the catalog service: Open edX's client, with causes and remedies when it gets no token."""

from __future__ import annotations

from typing import Final

import requests
from edx_rest_api_client.client import OAuthAPIClient

from enterprise_catalog.integrated_channels.catalog_api.problems import (
    TOKEN_REMEDIES,
    connection_problem,
    status_problem,
)

_WRONG_PROVIDER: Final = "Check OAUTH2_PROVIDER_URL: it ends with /oauth2, without /access_token."


class TokenError(Exception):
    """The client got no token. The text contains cause and remedy, and is not redacted yet."""


class CatalogSession(OAuthAPIClient):
    """Open edX's client. Separates errors of the token endpoint from errors of the catalog service."""

    def _ensure_authentication(self) -> None:
        try:
            super()._ensure_authentication()
        except requests.RequestException as error:
            raise TokenError(_token_problem(error)) from error
        except (TypeError, ValueError, OverflowError) as error:  # JSON, but not a token response.
            raise TokenError(f"did not return a token ({type(error).__name__}). {_WRONG_PROVIDER}") from error


def _token_problem(error: requests.RequestException) -> str:
    response = error.response
    if response is None:
        return f"is unreachable: {connection_problem(error, setting='OAUTH2_PROVIDER_URL')}"
    status, location = response.status_code, ""
    if response.history:  # requests followed the redirect with a GET, which is a different request.
        status, location = response.history[0].status_code, response.history[0].headers.get("Location", "")
    elif response.ok:
        kind = response.headers.get("Content-Type", "a response")
        return f"returned {kind} without a token. {_WRONG_PROVIDER}"
    remedy = status_problem(status, location=location, remedies=TOKEN_REMEDIES, setting="OAUTH2_PROVIDER_URL")
    return f"returned {status}. {remedy}".strip()
