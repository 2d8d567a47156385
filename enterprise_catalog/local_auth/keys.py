"""The key that signs this site's tokens, as JSON Web Keys. Does not need Django: the settings call it.

``python -m enterprise_catalog.local_auth.keys`` prints a new key, a value for ``JWT_SIGNING_KEY``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MIN_KEY_BITS: Final = 2_048


def new_signing_key() -> str:
    """Return a new RSA key as JSON text: ``{"private": {JWK}, "public": {JWK}}``, both with the same ``kid``."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=MIN_KEY_BITS)
    kid = secrets.token_hex(8)
    private = {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": kid}
    return json.dumps({"private": private, "public": public_part(private)})


def read_signing_key(text: str) -> dict[str, object]:
    """Return the private key in ``text``. A key without a ``kid`` gets its thumbprint (RFC 7638) as ``kid``.

    Raises:
        ValueError: the text is not a private RSA key of at least 2,048 bits as a JSON Web Key. The message does not
            quote the text.
    """
    try:
        key: dict[str, object] = json.loads(text)
        private = jwt.PyJWK(key, algorithm="RS512").key
    except (ValueError, TypeError, AttributeError, jwt.PyJWTError):
        private = None
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < MIN_KEY_BITS:
        raise ValueError(
            f"must be a private RSA key of {MIN_KEY_BITS:,} bits or more, as a JSON Web Key"
            " (python -m enterprise_catalog.local_auth.keys creates one)"
        )
    return {**key, "kid": key.get("kid") or _thumbprint(key)}


def public_part(private: dict[str, object]) -> dict[str, object]:
    """Return the public key of a private key, with the same ``kid``."""
    public: dict[str, object] = RSAAlgorithm.to_jwk(RSAAlgorithm.from_jwk(private).public_key(), as_dict=True)  # type: ignore[union-attr]  # the key is private
    return {**public, "kid": private["kid"]}


def is_among(private: dict[str, object], key_set: Mapping[str, Iterable[object]]) -> bool:
    """Return True if a JWK set contains the public key of ``private``, under the same ``kid``."""
    wanted = {name: private[name] for name in ("kty", "n", "e", "kid")}
    return any(isinstance(key, dict) and wanted.items() <= key.items() for key in key_set["keys"])


def _thumbprint(key: dict[str, object]) -> str:
    members = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json.loads(new_signing_key())["private"]) + "\n")
