"""Access tokens: each is verified once, then known by its text until it expires.

A request needs its token's claims more than once, and a sync sends the same token with all of its requests. To verify a
signature takes longer than to answer a diff of a thousand items.
"""

from __future__ import annotations

import functools
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from edx_rest_framework_extensions.auth.jwt.decoder import get_asymmetric_only_jwt_decode_handler

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Of a kilobyte or two each.
_REMEMBERED_TOKENS: Final = 1_024


def decode_token(token: str | bytes) -> dict[str, Any]:
    """Return the claims of a valid token, signed with the issuer's private key (``JWT_AUTH["JWT_DECODE_HANDLER"]``).

    What made a token valid once (signature, issuer, audience) makes it so until it expires: none of it can change but
    the accepted keys, with which the process restarts.

    Raises:
        jwt.InvalidTokenError: it is not, or no longer, valid.
    """
    claims = _verified(token)
    if claims["exp"] <= time.time():
        return dict(get_asymmetric_only_jwt_decode_handler(token))  # It knows how to refuse.
    return dict(claims)


@functools.lru_cache(_REMEMBERED_TOKENS)
def _verified(token: str | bytes) -> Mapping[str, Any]:
    return MappingProxyType(get_asymmetric_only_jwt_decode_handler(token))
