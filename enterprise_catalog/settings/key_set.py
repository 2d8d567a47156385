"""Checks the JSON Web Key Set that verifies tokens. PyJWT skips unusable keys; this module rejects them at start."""

from __future__ import annotations

import json
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from enterprise_catalog.local_auth.keys import MIN_KEY_BITS

#: edx-drf-extensions accepts both, regardless of the key's ``alg``.
_ALGORITHMS: Final = ("RS256", "RS512")
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def parse_key_set(text: str) -> dict[str, object]:
    """Return the key set in ``text``: ``{"keys": [JWK, …]}``, each an RSA public key (RFC 7517).

    Raises:
        ValueError: contains the position of the first unusable key, from 1. The message quotes no key.
    """
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
        raise ValueError('must be a JSON Web Key Set, {"keys": […]}')  # noqa: TRY004  (pydantic does not accept TypeError)
    for position, key in enumerate(keys["keys"], start=1):
        if problem := _problem_of(key):
            raise ValueError(f"key {position} {problem}")
    return keys


def _problem_of(key: object) -> str | None:
    """Return the problem with a key, or ``None``."""
    if not isinstance(key, dict):
        return "must be a JSON object"
    problems = {
        "is a symmetric key; only RSA public keys are accepted": key.get("kty") == "oct",
        'must have "kty": "RSA"': key.get("kty") != "RSA",
        "is a private key; use the public key, with n and e only": not _PRIVATE_MEMBERS.isdisjoint(key),
        'must have "use": "sig" or no "use"': key.get("use", "sig") != "sig",
        f'must have "alg": {" or ".join(_ALGORITHMS)}, or no "alg"': key.get("alg", _ALGORITHMS[0]) not in _ALGORITHMS,
    }
    return next((problem for problem, is_so in problems.items() if is_so), None) or _problem_of_numbers(key)


def _problem_of_numbers(key: dict[str, object]) -> str | None:
    try:
        public = jwt.PyJWK(key, algorithm=_ALGORITHMS[0]).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
        # The libraries' own messages quote the key.
        return "is not an RSA public key: n and e must be numbers in base64url"
    if not isinstance(public, RSAPublicKey) or public.key_size < MIN_KEY_BITS:
        return f"must have at least {MIN_KEY_BITS:,} bits"
    return None
