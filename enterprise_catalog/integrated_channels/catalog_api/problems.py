"""Remedies, for operators, by the status of the catalog service's responses."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

#: Status -> remedy, for responses of the catalog service.
CATALOG_REMEDIES: Final = {
    HTTPStatus.BAD_REQUEST: "Check that the host name of CATALOG_API_URL is in the service's ALLOWED_HOSTS.",
    HTTPStatus.UNAUTHORIZED: "It rejected the token. Its JWT_ISSUER, JWT_AUDIENCE and JWT_PUBLIC_SIGNING_JWK_SET"
    " must be those of the issuer at OAUTH2_PROVIDER_URL.",
    HTTPStatus.FORBIDDEN: "The client OAUTH2_CLIENT_ID needs the role enterprise_openedx_operator for all customers.",
    HTTPStatus.NOT_FOUND: "Check the UUIDs of customer and catalogs, and CATALOG_API_URL if no sync works.",
    HTTPStatus.TOO_MANY_REQUESTS: "Raise the service's API_THROTTLE_RATE if this happens often.",
}
