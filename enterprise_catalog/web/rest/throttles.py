"""Limits of the API: requests per caller, and rejected requests.

DRF authenticates and checks permissions before it throttles. Its throttles therefore never see a request that gets 401
or 403. ``errors.exception_handler`` counts those. A successful request is not counted as a failure. Failures of one
caller never reject a valid request of another caller.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import orjson
from django.conf import settings
from rest_framework.throttling import UserRateThrottle

from enterprise_catalog.web.client_address import client_network
from enterprise_catalog.web.login_limits import Rate, count

if TYPE_CHECKING:
    from rest_framework.request import Request

#: Longer tokens are not read: no issuer's tokens are this long.
_LONGEST_TOKEN: Final = 16_384


class CallerThrottle(UserRateThrottle):
    """Limits requests by user, or by address for public pages (the schema and its documentation)."""

    def get_ident(self, request: Request) -> str:
        return client_network(request)


def count_refusal(request: Request) -> int | None:
    """Count a rejected request (401 or 403); return the seconds to wait if there were too many, otherwise ``None``.

    Counts by address. Also counts by user or, without one, by the name that the token claims, which limits guesses from
    changing addresses. Without a cache there is no limit.
    """
    rate = Rate.parse(settings.FAILURE_THROTTLE_RATE)
    is_limited = False
    for scope, name in (("refused address", client_network(request)), ("refused name", _name_of(request))):
        refused = count(scope, name, rate) if name else 0
        if refused is None:
            return None
        is_limited = is_limited or refused > rate.limit
    return rate.retry_after if is_limited else None


def _name_of(request: Request) -> str:
    """Return the user's id, or the name that an unverified token claims; empty if it claims no name."""
    if request.user.is_authenticated:
        return f"user {request.user.pk}"
    token = request.headers.get("Authorization", "").partition(" ")[2]
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        return ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:  # Not Base64, or not JSON.
        return ""
    name = claims.get("preferred_username") or claims.get("username") if isinstance(claims, dict) else None
    return f"claimed {name}" if isinstance(name, str) else ""
