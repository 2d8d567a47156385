"""Client credentials for Degreed: an API key is exchanged for an access token.

https://developer.degreed.com/docs/authentication
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.channels.protocols import oauth

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import LMSClient

TOKEN: Final = "/oauth/token"
#: "406: we only accept JSON": Degreed does not accept JSON:API's media type.
MEDIA_TYPE: Final = "application/json"


class DegreedCredentials(oauth.ClientCredentials):
    """An API key of the organization, or of a content provider in the organization."""


def fetch_token(client: LMSClient, credentials: DegreedCredentials, *, scope: str) -> str:
    """Request an access token. Raises as ``oauth.request_client_token`` does.

    Args:
        client: its base URL is the URL of the token endpoint.
        scope: the scopes to request, separated by commas.
    """
    return oauth.request_client_token(
        client,
        TOKEN,
        credentials,
        scope=scope,
        refused="Degreed rejected the token request: the client ID, client secret or scopes are wrong.",
        nothing_there=f"There is no token endpoint at {client.base_url}. Check token_base_url.",
        headers={"Accept": MEDIA_TYPE},
    )
