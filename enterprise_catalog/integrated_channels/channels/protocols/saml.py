"""SAML 2.0 assertions, which an LMS exchanges for an access token. Signed with our own key by signxml.

RFC 7522 defines the required content: https://www.rfc-editor.org/rfc/rfc7522
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from pydantic import AfterValidator, Field, SecretStr
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from enterprise_catalog.integrated_channels.channels.content.text import instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"  #: Of the token request with an assertion.

#: Default of SAP's own tool (KBA 3031657).
LIFETIME: Final = timedelta(minutes=10)
#: Maximum time that the LMS's clock may lag behind ours.
CLOCK_SKEW: Final = timedelta(minutes=5)

_SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
_XMLDSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The values that an assertion contains."""

    issuer: str
    user_id: str  #: The LMS user that we act as.
    audience: str
    recipient: str  #: The token URL that receives the assertion.
    attributes: Mapping[str, str]


def signed_assertion(claims: Claims, *, private_key: str, now: datetime) -> bytes:
    """Return an XML assertion, valid for 10 minutes, signed with RSA and SHA-256.

    Args:
        private_key: RSA key in PEM format, without a passphrase.
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
    """Return True if ``pem`` is a key for :func:`signed_assertion`: RSA, PEM format, no passphrase."""
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError):  # TypeError: the key has a passphrase.
        return False


def _require_signing_key(secret: SecretStr) -> SecretStr:
    if not is_signing_key(secret.get_secret_value()):
        raise ValueError("an RSA key in PEM format, without a passphrase, is required")
    return secret


#: Credentials field for an RSA signing key.
SigningKey = Annotated[
    SecretStr,
    AfterValidator(_require_signing_key),
    Field(json_schema_extra={"contentMediaType": "application/x-pem-file"}),
]
#: Credentials field for an assertion that was signed elsewhere.
SignedAssertion = Annotated[SecretStr, Field(json_schema_extra={"contentMediaType": "application/xml"})]


def _unsigned(claims: Claims, *, now: datetime) -> etree._Element:
    issued, expires = instant(now), instant(now + LIFETIME)
    name = f"_{uuid.uuid4()}"
    namespaces = {"saml2": _SAML, "ds": _XMLDSIG}
    attributes = {"ID": name, "Version": "2.0", "IssueInstant": issued}
    assertion = etree.Element(f"{{{_SAML}}}Assertion", attributes, nsmap=namespaces)
    _add(assertion, "Issuer", claims.issuer)
    # signxml replaces this placeholder with the signature. The SAML schema requires it at this position.
    etree.SubElement(assertion, f"{{{_XMLDSIG}}}Signature", {"Id": "placeholder"})
    subject = _add(assertion, "Subject")
    _add(subject, "NameID", claims.user_id, Format=_UNSPECIFIED)
    confirmation = _add(subject, "SubjectConfirmation", Method=_BEARER)
    _add(confirmation, "SubjectConfirmationData", NotOnOrAfter=expires, Recipient=claims.recipient)
    conditions = _add(assertion, "Conditions", NotBefore=instant(now - CLOCK_SKEW), NotOnOrAfter=expires)
    _add(_add(conditions, "AudienceRestriction"), "Audience", claims.audience)
    statement = _add(assertion, "AuthnStatement", AuthnInstant=issued, SessionIndex=name)
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", _PASSWORD)
    attribute_statement = _add(assertion, "AttributeStatement")
    for attribute, value in claims.attributes.items():
        _add(_add(attribute_statement, "Attribute", Name=attribute), "AttributeValue", value)
    return assertion


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, f"{{{_SAML}}}{tag}", attributes)
    child.text = text
    return child
