"""SAML assertions: claims, lifetime and signature. The signature is verified without the library that creates it."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from enterprise_catalog.integrated_channels.channels.protocols.saml import Claims, is_signing_key, signed_assertion
from tests.sandbox.sap.keys import a_key_pair

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = {"saml2": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}


def an_assertion(**claims: Any) -> bytes:
    """Return an assertion signed with the key of the tests."""
    boring: dict[str, Any] = {
        "issuer": "us",
        "user_id": "someone",
        "audience": "them",
        "recipient": "https://them.example.org/oauth/token",
        "attributes": {"api_key": "key-1"},
    }
    return signed_assertion(Claims(**(boring | claims)), private_key=a_key_pair().private_key, now=NOON)


def texts(xml: bytes, path: str) -> list[str]:
    found: Any = etree.fromstring(xml).xpath(path, namespaces=NAMES)
    return [str(each) for each in found]


def canonical(element: Any) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def check(xml: bytes) -> None:
    """Verify the assertion's signature and digest.

    Raises:
        InvalidSignature: the signature was not made with our key, or the digest does not match the assertion.
    """
    assertion = etree.fromstring(xml)
    signature = assertion.find("ds:Signature", NAMES)
    assert signature is not None
    info = signature.find("ds:SignedInfo", NAMES)
    [reference] = signature.findall("ds:SignedInfo/ds:Reference", NAMES)
    signed = base64.b64decode(signature.findtext("ds:SignatureValue", "", NAMES))
    key = load_pem_x509_certificate(a_key_pair().certificate.encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(signed, canonical(info), PKCS1v15(), SHA256())
    digest = base64.b64decode(reference.findtext("ds:DigestValue", "", NAMES))
    assert reference.get("URI") in ("", f"#{assertion.get('ID')}")
    assertion.remove(signature)
    if digest != hashlib.sha256(canonical(assertion)).digest():
        raise InvalidSignature


def test_the_assertion_names_issuer_subject_and_audience() -> None:
    xml = an_assertion()

    assert texts(xml, "saml2:Issuer/text()") == ["us"]
    assert texts(xml, "saml2:Subject/saml2:NameID/text()") == ["someone"]
    assert texts(xml, "saml2:Conditions/saml2:AudienceRestriction/saml2:Audience/text()") == ["them"]
    assert texts(xml, "//saml2:SubjectConfirmationData/@Recipient") == ["https://them.example.org/oauth/token"]
    assert texts(xml, "//saml2:Attribute[@Name='api_key']/saml2:AttributeValue/text()") == ["key-1"]


def test_it_is_good_for_ten_minutes_and_from_a_little_earlier_on() -> None:
    xml = an_assertion()

    assert texts(xml, "@IssueInstant") == ["2026-03-01T12:00:00Z"]
    assert texts(xml, "saml2:Conditions/@NotBefore") == ["2026-03-01T11:55:00Z"]
    assert texts(xml, "//@NotOnOrAfter") == ["2026-03-01T12:10:00Z"] * 2


def test_the_signature_stands_where_the_schema_wants_it() -> None:
    names = [etree.QName(child).localname for child in etree.fromstring(an_assertion())]

    assert names == ["Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"]


@pytest.mark.parametrize("user_id", ["someone", 'O\'Neil & <Söhne> "漢"', "a\nb"])
def test_the_signature_is_right(user_id: str) -> None:
    check(an_assertion(user_id=user_id))


def test_what_is_changed_afterwards_does_not_fit_the_signature() -> None:
    with pytest.raises(InvalidSignature):
        check(an_assertion().replace(b"someone", b"someone-else"))


def test_no_two_assertions_have_one_id() -> None:
    assert texts(an_assertion(), "@ID") != texts(an_assertion(), "@ID")


def test_only_an_rsa_key_without_a_passphrase_is_one_to_sign_with() -> None:
    pair = a_key_pair()
    other = generate_ec_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    assert is_signing_key(pair.private_key)
    assert [is_signing_key(pem) for pem in (pair.locked_key, other, pair.certificate, "no key", "ä")] == [False] * 5
