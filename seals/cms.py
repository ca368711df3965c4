# SPDX-License-Identifier: Apache-2.0
"""Build CMS signatures (RFC 5652) with one SignerInfo and SHA-256, as CAdES and RFC 3161 want them.

The signed attributes are content type, message digest, signing certificate v2 (RFC 5035) and
algorithm protection (RFC 6211); a detached signature over data also states the signing time, which
PAdES forbids. The only unsigned attribute is a signature time stamp, given by the caller.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from seals import der
from seals.keys import KeyStore

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
_RSA_SHA256 = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL)
_ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_CONTENT_TYPE = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = der.oid("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE_V2 = der.oid("1.2.840.113549.1.9.16.2.47")
_ALGORITHM_PROTECTION = der.oid("1.2.840.113549.1.9.52")
_SIGNATURE_TIME_STAMP = der.oid("1.2.840.113549.1.9.16.2.14")


@dataclass(frozen=True, slots=True)
class Signatory:
    """A certificate with the key behind it; what never changes is encoded once.

    Attributes:
        certificate: DER of the signer's certificate.
        chain: DER of intermediate certificates, without the anchor.
        key: Reference of the key in the key store.
        keys: The key store.
        sid: IssuerAndSerialNumber in DER.
        algorithm: AlgorithmIdentifier of the signature in DER.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    key: str
    keys: KeyStore
    sid: bytes
    algorithm: bytes

    @classmethod
    def of(cls, certificate: bytes, key: str, keys: KeyStore, chain: tuple[bytes, ...] = ()) -> "Signatory":
        """Make a signatory from a DER certificate; raises ``ValueError`` when certificate and key differ."""
        public = x509.load_der_x509_certificate(certificate).public_key()
        spki = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if spki != keys.public_key(key):
            raise ValueError("certificate and key do not belong together")
        sid, algorithm = algorithm_of(certificate)
        return cls(certificate, chain, key, keys, sid, algorithm)


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der.sequence(kind, der.set_of(value))


def _signed_attributes(
    signatory: Signatory, content_type: str, digest: bytes, signing_time: dt.datetime | None
) -> tuple[bytes, ...]:
    certificate_id = der.sequence(der.octets(hashlib.sha256(signatory.certificate).digest()))
    protection = der.sequence(_SHA256, der.context(1, signatory.algorithm[2:]))
    attributes = [
        _attribute(_CONTENT_TYPE, der.oid(content_type)),
        _attribute(_MESSAGE_DIGEST, der.octets(digest)),
        _attribute(_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(certificate_id))),
        _attribute(_ALGORITHM_PROTECTION, protection),
    ]
    if signing_time is not None:
        attributes.append(_attribute(_SIGNING_TIME, der.utc_time(signing_time)))
    return tuple(attributes)


def sign(
    signatory: Signatory,
    *,
    digest: bytes,
    content_type: str = DATA,
    content: bytes | None = None,
    signing_time: dt.datetime | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Give a CMS ContentInfo in DER.

    Args:
        signatory: Who signs.
        digest: SHA-256 of the content.
        content_type: OID of the content.
        content: The content to carry along; ``None`` makes the signature detached.
        signing_time: Stated signing time, if wanted.
        stamp: Takes the SHA-256 of the signature value, gives a *verified* time-stamp token.

    Raises:
        KeyUnavailableError: The key cannot be used.
        TokenRefusedError: The time-stamp token does not hold.
    """
    attributes = _signed_attributes(signatory, content_type, digest, signing_time)
    signature = signatory.keys.sign(signatory.key, der.set_of(*attributes))
    token = None if stamp is None else stamp(hashlib.sha256(signature).digest())
    return assemble(
        Parts(
            content_type=content_type,
            content=content,
            certificates=(signatory.certificate, *signatory.chain),
            sid=signatory.sid,
            algorithm=signatory.algorithm,
            attributes=b"".join(sorted(attributes)),
            signature=signature,
            token=token,
        )
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What a signature of ours consists of; everything else in its encoding is fixed.

    Attributes:
        content_type: OID of the content.
        content: Content carried along, if any.
        certificates: DER of the certificates carried along.
        sid: IssuerAndSerialNumber in DER.
        algorithm: AlgorithmIdentifier of the signature in DER.
        attributes: The signed attributes in DER order, joined.
        signature: The signature value.
        token: The signature time stamp, if any.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    sid: bytes
    algorithm: bytes
    attributes: bytes
    signature: bytes
    token: bytes | None


def assemble(parts: Parts) -> bytes:
    """Give the one encoding of a signature of ours; two different encodings never mean the same."""
    unsigned = b""
    if parts.token is not None:
        unsigned = der.context(1, _attribute(_SIGNATURE_TIME_STAMP, parts.token))
    signer_info = der.sequence(
        der.integer(1),
        parts.sid,
        _SHA256,
        der.context(0, parts.attributes),
        parts.algorithm,
        der.octets(parts.signature),
        unsigned,
    )
    encapsulated = b"" if parts.content is None else der.context(0, der.octets(parts.content))
    signed_data = der.sequence(
        der.integer(1 if parts.content_type == DATA else 3),
        der.set_of(_SHA256),
        der.sequence(der.oid(parts.content_type), encapsulated),
        der.context(0, *sorted(parts.certificates)),
        der.set_of(signer_info),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.context(0, signed_data))


def algorithm_of(certificate: bytes) -> tuple[bytes, bytes]:
    """Give sid and signature algorithm that a signature of ours under this certificate states."""
    parsed = x509.load_der_x509_certificate(certificate)
    sid = der.sequence(parsed.issuer.public_bytes(), der.integer(parsed.serial_number))
    return sid, _RSA_SHA256 if isinstance(parsed.public_key(), rsa.RSAPublicKey) else _ECDSA_SHA256
