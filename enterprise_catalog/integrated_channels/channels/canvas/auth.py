"""OAuth 2 consent for Canvas: a user consents once, and each run requests an access token.

https://developerdocs.instructure.com/services/canvas/oauth2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.canvas import client
from enterprise_catalog.integrated_channels.channels.protocols import oauth

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.exceptions import SyncError
    from enterprise_catalog.integrated_channels.lms.client import LMSResponse

#: Scopes that the consent requests if the developer key enforces scopes.
SCOPES: Final = (
    "url:GET|/api/v1/accounts/:id",
    "url:GET|/api/v1/accounts/:account_id/permissions",
    "url:GET|/api/v1/accounts/:account_id/courses",
    "url:POST|/api/v1/accounts/:account_id/courses",
    "url:GET|/api/v1/courses/:id",
    "url:PUT|/api/v1/courses/:id",
    "url:DELETE|/api/v1/courses/:id",
)


class CanvasCredentials(oauth.ConsentCredentials):
    """A Canvas developer key, and the refresh token from a user's consent."""

    client_id: str = Field(min_length=1, description="ID of the developer key, a long number.")


class CanvasConsent(oauth.Consent):
    """Consent and tokens for Canvas. The refresh token does not change."""

    authorization_path = "/login/oauth2/auth"
    token_path = "/login/oauth2/token"
    withdrawn_codes = frozenset({"invalid_grant", "invalid_request"})

    def refused(self, response: LMSResponse) -> SyncError:
        client.raise_if_throttled(response)
        return super().refused(response)
