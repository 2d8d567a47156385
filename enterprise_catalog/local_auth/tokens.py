"""A local site's access tokens: JWTs with the claims of the Open edX LMS's tokens, signed with RS512."""

from __future__ import annotations

import functools
import secrets
import time
from typing import TYPE_CHECKING

import jwt
from django.conf import settings
from edx_rbac.utils import create_role_auth_claim_for_user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AbstractUser
    from oauthlib.common import Request


def access_token(request: Request) -> str:
    """Return the token of an OAuth2 client; django-oauth-toolkit's ``ACCESS_TOKEN_GENERATOR``.

    The token has the name and the roles of the client's user.
    """
    user: AbstractUser = request.client.user
    return signed_token(
        user.username, email=user.email, roles=create_role_auth_claim_for_user(user), administrator=user.is_staff
    )


def signed_token(
    username: str,
    *,
    roles: Sequence[str],
    email: str = "",
    administrator: bool = False,
    lifetime_seconds: int | None = None,
) -> str:
    """Return a JWT for ``username``.

    Args:
        roles: in the format of the token, such as ``enterprise_admin:<customer uuid>`` or ``enterprise_learner:*``.
        administrator: the user is a member of staff.
        lifetime_seconds: from now; ``None`` means the site's ``ACCESS_TOKEN_EXPIRE_SECONDS``.
    """
    now = int(time.time())
    lifetime = settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"] if lifetime_seconds is None else lifetime_seconds
    claims = {
        "iss": settings.JWT_AUTH["JWT_ISSUER"],
        "aud": settings.JWT_AUTH["JWT_ISSUERS"][0]["AUDIENCE"],
        "iat": now,
        "exp": now + lifetime,
        # Two tokens issued in the same second would otherwise be equal, and OAuth2's table rejects duplicates.
        "jti": secrets.token_hex(16),
        "version": "1.2.0",
        "preferred_username": username,
        "email": email,
        "roles": list(roles),
        "administrator": administrator,
        "scopes": ["read"],
        "is_restricted": False,
    }
    key = _signing_key()
    return jwt.encode(claims, key.key, algorithm="RS512", headers={"kid": key.key_id})


@functools.cache
def _signing_key() -> jwt.PyJWK:
    """Read the key once: checking that its numbers match takes ten times as long as signing with it."""
    return jwt.PyJWK(settings.LOCAL_AUTH_SIGNING_KEY, algorithm="RS512")
