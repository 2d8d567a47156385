"""The key that signs a local site's tokens, as JSON Web Keys. Django is not needed here: settings call this."""

from __future__ import annotations

import json
import secrets

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


def new_signing_key() -> str:
    """Return a new RSA key as JSON text: ``{"private": {JWK}, "public": {JWK}}``, both with the same ``kid``."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    kid = secrets.token_hex(8)
    private = {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": kid}
    public = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid}
    return json.dumps({"private": private, "public": public})
