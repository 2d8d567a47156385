"""Access tokens: each token is verified once, and its claims are cached until it expires.

A request needs its token's claims more than once, and a sync sends the same token with all of its requests. Verifying a
signature takes longer than computing a diff of a thousand items.
"""

from __future__ import annotations

import base64
import functools
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import jwt
import msgspec
from edx_rest_framework_extensions.auth.jwt.decoder import get_asymmetric_only_jwt_decode_handler

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A cached token takes one or two kilobytes.
_REMEMBERED_TOKENS: Final = 1_024


def decode_token(token: str | bytes) -> dict[str, Any]:
    """Return the claims of a valid token, signed with the issuer's private key (``JWT_AUTH["JWT_DECODE_HANDLER"]``).

    The claims that this service reads have the types that the Open edX LMS uses (docs/reference/api.rst).

    A token that was valid once (signature, issuer, audience) stays valid until it expires. Only the accepted keys could
    change, and changing them takes a restart of the process.

    Raises:
        jwt.InvalidTokenError: the token is not valid, has expired, or a claim has another type.
    """
    claims = _verify(token)
    if claims["exp"] <= time.time():
        return dict(get_asymmetric_only_jwt_decode_handler(token))  # Raises the right error.
    return dict(claims)


@functools.lru_cache(_REMEMBERED_TOKENS)
def _verify(token: str | bytes) -> Mapping[str, Any]:
    _check_types(token)
    try:
        return MappingProxyType(get_asymmetric_only_jwt_decode_handler(token))
    except jwt.PyJWKSetError as error:  # The integrated channels alone can run without keys.
        raise jwt.InvalidTokenError("This site accepts no tokens: JWT_PUBLIC_SIGNING_JWK_SET is empty.") from error


_Name = Annotated[str, msgspec.Meta(max_length=150)]  #: The length of the column.


class _Claims(msgspec.Struct):
    """The claims that this service or Open edX's libraries read. The libraries do not check the types."""

    exp: int | float
    iat: int | float
    iss: str
    preferred_username: _Name | None = None
    username: _Name | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    roles: list[str] = []
    administrator: bool | None = None
    version: Annotated[str, msgspec.Meta(pattern=r"^\d{1,9}\.\d{1,9}\.\d{1,9}$")] = "1.0.0"


_decode_claims: Final = msgspec.json.Decoder(_Claims).decode


def _check_types(token: str | bytes) -> None:
    """Reject a token whose claims have other types, before its signature is verified."""
    _, _, rest = (token.encode() if isinstance(token, str) else token).partition(b".")
    payload, _, _ = rest.partition(b".")
    try:
        _decode_claims(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise jwt.InvalidTokenError(str(error)) from error
