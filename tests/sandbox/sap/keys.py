"""Key pairs for SAML assertions, generated for each test run.

We sign with the private key; the customer registers the certificate.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA private key and its certificate, both as PEM."""

    private_key: str
    locked_key: str  #: The private key, encrypted with a passphrase.
    certificate: str


@functools.cache
def a_key_pair(name: str = "sandbox") -> KeyPair:
    """Return a new key pair, valid for one day; cached by name."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain, locked = (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
        for encryption in (NoEncryption(), BestAvailableEncryption(b"passphrase"))
    )
    return KeyPair(plain, locked, certificate.public_bytes(Encoding.PEM).decode())
