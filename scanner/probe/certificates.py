"""Read the certificate that a server showed; whose it is and for how long, not whether it can be trusted."""

from __future__ import annotations

import warnings
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from scanner.services import ShownCertificate

CERTIFICATES_KEPT = 256
"""Certificates remembered, 2 KB each: a server shows the same on all its ports, a maker puts one into all."""
CERTIFICATE_LIMIT = 65536
"""Bytes of a certificate that is read; real ones have under 4 KB."""
NAMES_KEPT = 64
"""Names of one certificate; Exchange Online's has about thirty."""
TEXT_LENGTH = 255
"""Characters kept of a name (RFC 1035 2.3.4, and four times what RFC 5280 A.1 allows a common name)."""
_ODD = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType, x509.ExtensionNotFound,
)  # fmt: skip
"""What the library says of certificates that no authority should have made."""
_WITHOUT_HASH = {SignatureAlgorithmOID.ED25519: "ed25519", SignatureAlgorithmOID.ED448: "ed448"}


@lru_cache(CERTIFICATES_KEPT)
def shown(der: bytes) -> ShownCertificate | None:
    """Read a certificate (X.509, DER); None if it is none, and what cannot be read of one is left empty."""
    if len(der) > CERTIFICATE_LIMIT:
        return None
    with warnings.catch_warnings():
        # Serials below one, names that are too long: devices have them, and nobody here can mend them.
        warnings.simplefilter("ignore")
        try:
            return _read(x509.load_der_x509_certificate(der))
        except _ODD:
            return None


def _read(certificate: x509.Certificate) -> ShownCertificate:
    subject, issuer = _name(certificate, "subject"), _name(certificate, "issuer")
    return ShownCertificate(
        subject=_text(subject, NameOID.COMMON_NAME),
        issuer=_text(issuer, NameOID.COMMON_NAME) or _text(issuer, NameOID.ORGANIZATION_NAME),
        names=_alternative_names(certificate),
        not_before=_ns(certificate.not_valid_before_utc),
        not_after=_ns(certificate.not_valid_after_utc),
        key=_key(certificate),
        signature=_signature(certificate),
        self_signed=subject is not None and subject == issuer and _is_signed_by_itself(certificate),
    )


def _ns(when: datetime) -> int:
    return int(when.timestamp()) * 10**9


def _name(certificate: x509.Certificate, whose: str) -> x509.Name | None:
    try:
        return certificate.subject if whose == "subject" else certificate.issuer
    except _ODD:
        return None


def _text(name: x509.Name | None, kind: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(kind) if name else []
    return str(found[0].value)[:TEXT_LENGTH] or None if found else None


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts, addresses = names.get_values_for_type(x509.DNSName), names.get_values_for_type(x509.IPAddress)
    except _ODD:
        return ()
    return tuple(str(name)[:TEXT_LENGTH] for name in (*hosts, *addresses))[:NAMES_KEPT]


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except _ODD:
        return ""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}"
        case dsa.DSAPublicKey():
            return f"DSA {key.key_size}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
    return ""


def _signature(certificate: x509.Certificate) -> str:
    kind = certificate.signature_algorithm_oid
    try:
        digest = certificate.signature_hash_algorithm
    except _ODD:
        digest = None
    return digest.name if digest else _WITHOUT_HASH.get(kind, kind.dotted_string)


def _is_signed_by_itself(certificate: x509.Certificate) -> bool:
    """Check it with its own key; the library checks no SHA-1 or MD5 any more: equal names must do there."""
    try:
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature:
        return False
    except _ODD:
        return True
    return True
