# SPDX-License-Identifier: Apache-2.0
"""Read one CMS signature and check what cryptography alone can check.

Guarantees of ``SignedObject.check``: exactly one SignerInfo, its certificate is inside, content type,
message digest, signing-certificate and algorithm-protection attributes agree, and the signature holds
under that certificate. Whether the certificate deserves trust is the question of :mod:`seals.trust`.
"""

import hashlib
import hmac
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from asn1crypto import algos, cms, core, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from seals import cms as cms_writer

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_WEAK = frozenset({"md2", "md5", "sha1"})
_GM_PREFIX = "1.2.156."
_Node = Any  # asn1crypto publishes no types; a node of its trees


class SignatureProblemError(Exception):
    """Why a CMS object is not accepted; never leaves this room.

    Args:
        code: A reason code of ``data/reasons.json``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def _reading(code: str) -> Generator[None]:
    """Turn what asn1crypto raises, which reads lazily, into a named problem."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise SignatureProblemError(code) from error


@dataclass(frozen=True, slots=True)
class SignedObject:
    """A parsed CMS SignedData with one SignerInfo.

    Attributes:
        signer: DER of the signer's certificate.
        certificates: DER of every certificate carried along, the signer's included.
        content_type: ``data`` or ``tst_info`` or what else it declares.
        content: The content carried along, if any.
        digest_algorithm: Name of the digest over the content.
        message_digest: The digest that the signer signed.
        signature: The signature value.
        token: DER of the signature time stamp, if there is one.
        encoded: The whole object as it was given.
    """

    signer: bytes
    certificates: tuple[bytes, ...]
    content_type: str
    content: bytes | None
    digest_algorithm: str
    message_digest: bytes
    signature: bytes
    token: bytes | None
    encoded: bytes
    _info: _Node
    _signed: bytes

    def check(self) -> None:
        """Check attributes and signature.

        Raises:
            SignatureProblemError: With the code of the first rule that fails.
        """
        with _reading("cms-malformed"):
            attributes = _attributes(self._info["signed_attrs"])
            if attributes.get("content_type", [""])[0] != self.content_type:
                raise SignatureProblemError("cms-content-type")
            _check_certificate_binding(attributes, self.signer)
            _check_protection(self._info)
            _check_signature(self._info["signature_algorithm"], self.digest_algorithm, self, self._signed)

    def is_ours(self) -> bool:
        """Tell whether every byte is as our own encoder would have written it (PDF and detached seals)."""
        sid, algorithm = cms_writer.algorithm_of(self.signer)
        length = 2 if self._signed[1] < 0x80 else 2 + (self._signed[1] & 0x7F)
        parts = cms_writer.Parts(
            content_type=cms_writer.DATA,
            content=None,
            certificates=self.certificates,
            sid=sid,
            algorithm=algorithm,
            attributes=self._signed[length:],
            signature=self.signature,
            token=self.token,
        )
        return cms_writer.assemble(parts) == self.encoded


def digest(algorithm: str, data: bytes) -> bytes:
    """Give a digest of data.

    Raises:
        SignatureProblemError: The algorithm is weak or not offered.
    """
    if algorithm in _WEAK:
        raise SignatureProblemError("digest-weak")
    if algorithm not in {*_HASHES, "sm3"}:
        raise SignatureProblemError("algorithm-unsupported")
    try:
        return hashlib.new(algorithm, data).digest()
    except ValueError as error:
        raise SignatureProblemError("algorithm-unsupported") from error


def parse(data: bytes) -> SignedObject:
    """Read a ContentInfo in DER.

    Raises:
        SignatureProblemError: It is no SignedData with exactly one SignerInfo and its certificate.
    """
    with _reading("cms-malformed"):
        return _parse(data)


def _parse(data: bytes) -> SignedObject:
    info = cms.ContentInfo.load(data, strict=True)
    kind = info["content_type"]
    if kind.native != "signed_data":
        raise SignatureProblemError("gm-seal" if kind.dotted.startswith(_GM_PREFIX) else "cms-malformed")
    signed = info["content"]
    if len(signed["signer_infos"]) != 1:
        raise SignatureProblemError("cms-signer-count")
    signer_info = signed["signer_infos"][0]
    # Taken before anything looks inside: afterwards asn1crypto would encode it anew. What is signed is
    # the SET OF itself, not the implicit tag it stands under (RFC 5652 5.4).
    signed_attributes = b"\x31" + signer_info["signed_attrs"].dump()[1:]
    certificates = tuple(
        choice.chosen.dump() for choice in signed["certificates"] if choice.name == "certificate"
    )
    attributes = _attributes(signer_info["signed_attrs"])
    encapsulated = signed["encap_content_info"]
    content = encapsulated["content"]
    algorithm = signer_info["digest_algorithm"]["algorithm"]
    if algorithm.dotted.startswith(_GM_PREFIX):
        raise SignatureProblemError("gm-seal")
    return SignedObject(
        signer=_signer(signer_info, signed["certificates"]),
        certificates=certificates,
        content_type=encapsulated["content_type"].native,
        content=None if isinstance(content, core.Void) else bytes(content),
        digest_algorithm=algorithm.native,
        message_digest=attributes["message_digest"][0],
        signature=signer_info["signature"].native,
        token=_token(signer_info),
        encoded=data,
        _info=signer_info,
        _signed=signed_attributes,
    )


def _attributes(attributes: _Node) -> dict[str, list[_Node]]:
    found: dict[str, list[_Node]] = {}
    for attribute in attributes:
        name = attribute["type"].native
        if name in found:
            raise SignatureProblemError("cms-malformed")
        found[name] = [
            value.native if name != "signing_certificate_v2" else value for value in attribute["values"]
        ]
    return found


def _signer(signer_info: _Node, certificates: _Node) -> bytes:
    sid = signer_info["sid"]
    for choice in certificates:
        if choice.name != "certificate":
            continue
        certificate = choice.chosen
        if sid.name == "issuer_and_serial_number":
            same = (
                sid.chosen["serial_number"].native == certificate.serial_number
                and sid.chosen["issuer"].dump() == certificate.issuer.dump()
            )
        else:
            same = sid.chosen.native == certificate.key_identifier
        if same:
            return bytes(certificate.dump())
    raise SignatureProblemError("cms-signer-certificate-missing")


def _token(signer_info: _Node) -> bytes | None:
    unsigned = signer_info["unsigned_attrs"]
    if isinstance(unsigned, core.Void):
        return None
    tokens = [
        bytes(value.dump())
        for attribute in unsigned
        if attribute["type"].native == "signature_time_stamp_token"
        for value in attribute["values"]
    ]
    if len(tokens) > 1:
        raise SignatureProblemError("cms-malformed")
    return tokens[0] if tokens else None


def _check_certificate_binding(attributes: dict[str, list[_Node]], signer: bytes) -> None:
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"][0]["certs"][0]
        bound = digest(first["hash_algorithm"]["algorithm"].native, signer)
        if not hmac.compare_digest(bound, first["cert_hash"].native):
            raise SignatureProblemError("cms-certificate-binding")
    elif "signing_certificate" in attributes:
        bound = hashlib.sha1(signer, usedforsecurity=False).digest()
        if attributes["signing_certificate"][0]["certs"][0]["cert_hash"] != bound:
            raise SignatureProblemError("cms-certificate-binding")


def _check_protection(info: _Node) -> None:
    for attribute in info["signed_attrs"]:
        if attribute["type"].native == "cms_algorithm_protection":
            value = attribute["values"][0]
            same = (
                value["digest_algorithm"]["algorithm"].dotted == info["digest_algorithm"]["algorithm"].dotted
                and value["signature_algorithm"]["algorithm"].dotted
                == info["signature_algorithm"]["algorithm"].dotted
            )
            if not same:
                raise SignatureProblemError("cms-algorithm-protection")


def _check_signature(algorithm: _Node, fallback: str, signed_object: SignedObject, signed: bytes) -> None:
    if algorithm["algorithm"].dotted.startswith(_GM_PREFIX):
        raise SignatureProblemError("gm-seal")
    try:
        _verify(algorithm, fallback, signed_object.signer, signed_object.signature, signed)
    except InvalidSignature as error:
        raise SignatureProblemError("signature-wrong") from error
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        raise SignatureProblemError("algorithm-unsupported") from error


def _verify(algorithm: _Node, fallback: str, signer: bytes, signature: bytes, signed: bytes) -> None:
    public = x509.load_der_x509_certificate(signer).public_key()
    kind = algorithm.signature_algo
    if isinstance(public, ed25519.Ed25519PublicKey) and kind == "ed25519":
        public.verify(signature, signed)
        return
    name = fallback if algorithm["algorithm"].native == "rsassa_pkcs1v15" else algorithm.hash_algo
    if name in _WEAK:
        raise SignatureProblemError("digest-weak")
    chosen = _HASHES[name]()
    if isinstance(public, rsa.RSAPublicKey) and kind in {"rsassa_pkcs1v15", "rsassa_pss"}:
        scheme = padding.PKCS1v15() if kind == "rsassa_pkcs1v15" else _pss(algorithm["parameters"], chosen)
        public.verify(signature, signed, scheme, chosen)
    elif isinstance(public, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        public.verify(signature, signed, ec.ECDSA(chosen))
    else:
        raise SignatureProblemError("algorithm-unsupported")


def _pss(parameters: _Node, chosen: hashes.HashAlgorithm) -> padding.PSS:
    mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
    if mask != chosen.name:
        raise SignatureProblemError("algorithm-unsupported")
    return padding.PSS(padding.MGF1(chosen), parameters["salt_length"].native)


@dataclass(frozen=True, slots=True)
class StampedContent:
    """What a time-stamp token says (RFC 3161 TSTInfo).

    Attributes:
        imprint_algorithm: Digest algorithm of the imprint.
        imprint: The stamped digest.
        gen_time: Time of the stamp, UTC.
        serial: Serial number of the token.
        policy: Policy OID of the authority.
        nonce: The nonce asked for, if any.
    """

    imprint_algorithm: str
    imprint: bytes
    gen_time: _Node
    serial: int
    policy: str
    nonce: int | None


def parse_stamp(content: bytes) -> StampedContent:
    """Read a TSTInfo; raises :class:`SignatureProblemError` when it is none."""
    with _reading("token-malformed"):
        info = tsp.TSTInfo.load(content, strict=True)
        imprint = info["message_imprint"]
        algorithm = imprint["hash_algorithm"]["algorithm"]
        names = {"1.2.156.10197.1.401": "sm3", "1.2.156.10197.1.401.1": "sm3"}
        return StampedContent(
            imprint_algorithm=names.get(algorithm.dotted, algorithm.native),
            imprint=imprint["hashed_message"].native,
            gen_time=info["gen_time"].native,
            serial=info["serial_number"].native,
            policy=info["policy"].dotted,
            nonce=info["nonce"].native,
        )


class _Parts(core.SequenceOf):  # type: ignore[misc]  # its base publishes no types
    """A SEQUENCE taken apart: asn1crypto's own TimeStampResp demands a token even in a rejection."""

    _child_spec = core.Any


def parse_response(response: bytes) -> bytes | None:
    """Give the token of a TimeStampResp, or ``None`` when its status is not "granted"."""
    with _reading("token-malformed"):
        parts = _Parts.load(response, strict=True)
        status = tsp.PKIStatusInfo.load(parts[0].dump(), strict=True)["status"].native
        return bytes(parts[1].dump()) if status in {"granted", "granted_with_mods"} else None


def parse_request(request: bytes) -> tuple[str, bytes, int | None]:
    """Give imprint algorithm (or its OID), imprint and nonce of a TimeStampReq."""
    with _reading("token-malformed"):
        parsed = tsp.TimeStampReq.load(request, strict=True)
        imprint = parsed["message_imprint"]
        algorithm: algos.DigestAlgorithm = imprint["hash_algorithm"]["algorithm"]
        name = {"1.2.156.10197.1.401": "sm3"}.get(algorithm.dotted, algorithm.native)
        return str(name), bytes(imprint["hashed_message"].native), parsed["nonce"].native
