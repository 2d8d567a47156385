"""SAML 2.0 assertions that an LMS exchanges for a token (RFC 7522), signed with our own key. signxml does the signing.

https://www.rfc-editor.org/rfc/rfc7522 says what must be in one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from pydantic import AfterValidator, SecretStr
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from enterprise_catalog.integrated_channels.channels.text import instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"  #: Of the request that hands an assertion in.

#: As SAP's own tool makes them unless told otherwise (KBA 3031657).
LIFETIME: Final = timedelta(minutes=10)
#: How far the LMS's clock may be behind ours.
CLOCK_SKEW: Final = timedelta(minutes=5)

_SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
_XMLDSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105  (a name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an assertion says."""

    issuer: str
    user_id: str  #: Whom we act for.
    audience: str
    recipient: str  #: The URL that the assertion is sent to.
    attributes: Mapping[str, str]


def signed_assertion(claims: Claims, *, private_key: str, now: datetime) -> bytes:
    """Return an assertion that is good for ten minutes, as XML, signed with RSA and SHA-256.

    Args:
        private_key: RSA, as PEM, without a passphrase.
    """
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(_unsigned(claims, now=now), key=private_key.encode())
    return etree.tostring(signed, encoding="utf-8")


def is_signing_key(pem: str) -> bool:
    """Return whether ``pem`` is what :func:`signed_assertion` signs with."""
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError):  # TypeError: it has a passphrase.
        return False


def _require_signing_key(secret: SecretStr) -> SecretStr:
    if not is_signing_key(secret.get_secret_value()):
        raise ValueError("an RSA key as PEM, without a passphrase, is needed")
    return secret


#: A field of credentials that holds such a key.
SigningKey = Annotated[SecretStr, AfterValidator(_require_signing_key)]


def _unsigned(claims: Claims, *, now: datetime) -> etree._Element:
    issued, expires = instant(now), instant(now + LIFETIME)
    name = f"_{uuid.uuid4()}"
    namespaces = {"saml2": _SAML, "ds": _XMLDSIG}
    attributes = {"ID": name, "Version": "2.0", "IssueInstant": issued}
    assertion = etree.Element(f"{{{_SAML}}}Assertion", attributes, nsmap=namespaces)
    _add(assertion, "Issuer", claims.issuer)
    # signxml puts the signature here, where the schema wants it.
    etree.SubElement(assertion, f"{{{_XMLDSIG}}}Signature", {"Id": "placeholder"})
    subject = _add(assertion, "Subject")
    _add(subject, "NameID", claims.user_id, Format=_UNSPECIFIED)
    confirmation = _add(subject, "SubjectConfirmation", Method=_BEARER)
    _add(confirmation, "SubjectConfirmationData", NotOnOrAfter=expires, Recipient=claims.recipient)
    conditions = _add(assertion, "Conditions", NotBefore=instant(now - CLOCK_SKEW), NotOnOrAfter=expires)
    _add(_add(conditions, "AudienceRestriction"), "Audience", claims.audience)
    statement = _add(assertion, "AuthnStatement", AuthnInstant=issued, SessionIndex=name)
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", _PASSWORD)
    told = _add(assertion, "AttributeStatement")
    for attribute, value in claims.attributes.items():
        _add(_add(told, "Attribute", Name=attribute), "AttributeValue", value)
    return assertion


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, f"{{{_SAML}}}{tag}", attributes)
    child.text = text
    return child
