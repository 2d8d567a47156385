"""Access tokens: each is verified once, then known by its text until it expires.

A request needs its token's claims more than once, and a sync sends the same token with all of its requests. To verify a
signature takes longer than to answer a diff of a thousand items.
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

#: Of a kilobyte or two each.
_REMEMBERED_TOKENS: Final = 1_024


def decode_token(token: str | bytes) -> dict[str, Any]:
    """Return the claims of a valid token, signed with the issuer's private key (``JWT_AUTH["JWT_DECODE_HANDLER"]``).

    The claims that this service reads have the types that the Open edX LMS gives them (docs/reference/api.rst).

    What made a token valid once (signature, issuer, audience) makes it so until it expires: none of it can change but
    the accepted keys, with which the process restarts.

    Raises:
        jwt.InvalidTokenError: it is not, or no longer, valid, or a claim has another type.
    """
    claims = _verified(token)
    if claims["exp"] <= time.time():
        return dict(get_asymmetric_only_jwt_decode_handler(token))  # It knows how to refuse.
    return dict(claims)


@functools.lru_cache(_REMEMBERED_TOKENS)
def _verified(token: str | bytes) -> Mapping[str, Any]:
    _check_types(token)
    return MappingProxyType(get_asymmetric_only_jwt_decode_handler(token))


_Name = Annotated[str, msgspec.Meta(max_length=150)]  #: As long as the column is.


class _Claims(msgspec.Struct):
    """The claims that are read, here or by Open edX's libraries, which take the types for granted."""

    exp: int | float
    iat: int | float
    iss: str
    preferred_username: _Name | None = None
    username: _Name | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    roles: list[str] = []
    version: Annotated[str, msgspec.Meta(pattern=r"^\d{1,9}\.\d{1,9}\.\d{1,9}$")] = "1.0.0"


_decode_claims: Final = msgspec.json.Decoder(_Claims).decode


def _check_types(token: str | bytes) -> None:
    """Refuse a token whose claims have other types, before its signature is looked at."""
    _, _, rest = (token.encode() if isinstance(token, str) else token).partition(b".")
    payload, _, _ = rest.partition(b".")
    try:
        _decode_claims(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise jwt.InvalidTokenError(str(error)) from error
