# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 time-stamp tokens: the port to an authority, and the check that every token must pass.

A token is never embedded, stored or believed before :func:`verify_token` has checked imprint, nonce
where one was sent, signature, the authority's purpose (``timeStamping`` and nothing else), its chain
to one of our anchors at the token's own time, and revocation.
"""

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from seals import der
from seals.errors import TokenRefusedError
from seals.signatures import (
    SignatureProblemError,
    SignedObject,
    StampedContent,
    digest,
    parse,
    parse_response,
    parse_stamp,
)
from seals.trust import Chain, Revocation, Standing, TrustList, common_name, load_certificate

IMPRINTS = {"sha256": "2.16.840.1.101.3.4.2.1", "sm3": "1.2.156.10197.1.401"}
_CHAIN_REASONS = {
    Chain.UNKNOWN_ISSUER: "token-issuer-unknown",
    Chain.EXPIRED: "token-expired",
    Chain.NOT_YET_VALID: "token-expired",
    Chain.MALFORMED: "token-malformed",
}


class TimestampAuthority(Protocol):
    """An authority that stamps digests."""

    def stamp(self, imprint: bytes, algorithm: str = "sha256", nonce: int | None = None) -> bytes:
        """Give a DER TimeStampToken over an imprint; the caller verifies it.

        Raises:
            TokenRefusedError: The answer's status is not "granted".
        """
        ...


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a verified token says.

    Attributes:
        gen_time: When the digest existed at the latest, UTC.
        serial: The token's serial number.
        policy: The authority's policy OID.
        authority: Name of the authority.
        algorithm: Digest algorithm of the imprint.
        revocation: What is known about the authority's certificate now.
        revoked_at: When it was revoked, if it was (after ``gen_time``, or the token is refused).
        expires_at: End of the authority's certificate.
    """

    gen_time: dt.datetime
    serial: int
    policy: str
    authority: str
    algorithm: str
    revocation: Revocation
    revoked_at: dt.datetime | None
    expires_at: dt.datetime


def request(imprint: bytes, algorithm: str = "sha256", nonce: int | None = None) -> bytes:
    """Give a DER TimeStampReq that asks for the authority's certificate too."""
    return der.sequence(
        der.integer(1),
        der.sequence(der.sequence(der.oid(IMPRINTS[algorithm])), der.octets(imprint)),
        b"" if nonce is None else der.integer(nonce),
        der.tlv(0x01, b"\xff"),
    )


def read_response(response: bytes) -> bytes:
    """Give the token of a DER TimeStampResp, not yet verified.

    Raises:
        TokenRefusedError: Malformed, or the status is not "granted".
    """
    try:
        token = parse_response(response)
    except SignatureProblemError as problem:
        raise TokenRefusedError(reason=problem.code) from problem
    if token is None:
        raise TokenRefusedError(reason="token-status")
    return token


def verify_token(
    token: bytes,
    imprint: bytes,
    trust: TrustList,
    *,
    algorithm: str = "sha256",
    nonce: int | None = None,
    now: dt.datetime | None = None,
) -> TokenInfo:
    """Check a token completely.

    Args:
        token: DER TimeStampToken.
        imprint: The digest that must be stamped.
        trust: Whom we trust.
        algorithm: Digest algorithm of the imprint.
        nonce: The nonce sent, if one was.
        now: When the question is asked, for the freshness of revocation lists; default: the token's time.

    Raises:
        TokenRefusedError: With ``reason`` = ``token-malformed``, ``token-imprint``, ``token-nonce``,
            ``token-signature``, ``token-purpose``, ``token-issuer-unknown``, ``token-expired`` or
            ``token-revoked``.
    """
    try:
        signed = parse(token)
        stamped = _stamped(signed, imprint, algorithm, nonce)
        _check_signature(signed)
        _check_purpose(signed.signer)
    except SignatureProblemError as problem:
        code = problem.code if problem.code.startswith("token-") else "token-malformed"
        raise TokenRefusedError(reason=code) from problem
    instant: dt.datetime = stamped.gen_time
    standing = trust.standing(signed.signer, extra=signed.certificates, at=instant, now=now or instant)
    _check_standing(standing, instant)
    certificate = load_certificate(signed.signer)
    return TokenInfo(
        gen_time=instant,
        serial=stamped.serial,
        policy=stamped.policy,
        authority=common_name(certificate.subject),
        algorithm=algorithm,
        revocation=standing.revocation,
        revoked_at=standing.revoked_at,
        expires_at=certificate.not_valid_after_utc,
    )


def _stamped(signed: SignedObject, imprint: bytes, algorithm: str, nonce: int | None) -> StampedContent:
    if signed.content_type != "tst_info" or signed.content is None:
        raise SignatureProblemError("token-malformed")
    stamped = parse_stamp(signed.content)
    if stamped.imprint_algorithm != algorithm or not hmac.compare_digest(stamped.imprint, imprint):
        raise SignatureProblemError("token-imprint")
    if nonce is not None and stamped.nonce != nonce:
        raise SignatureProblemError("token-nonce")
    return stamped


def _check_signature(signed: SignedObject) -> None:
    content = digest(signed.digest_algorithm, signed.content or b"")
    if not hmac.compare_digest(content, signed.message_digest):
        raise SignatureProblemError("token-signature")
    try:
        signed.check()
    except SignatureProblemError as problem:
        raise SignatureProblemError("token-signature") from problem


def _check_purpose(certificate: bytes) -> None:
    try:
        found = load_certificate(certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise SignatureProblemError("token-purpose") from error
    if not found.critical or list(found.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise SignatureProblemError("token-purpose")


def _check_standing(standing: Standing, instant: dt.datetime) -> None:
    if standing.chain is not Chain.TRUSTED:
        raise TokenRefusedError(reason=_CHAIN_REASONS[standing.chain])
    if standing.revoked_at is not None and standing.revoked_at <= instant:
        raise TokenRefusedError(reason="token-revoked")


class TrustedTokens:
    """The ledger's view of tokens: verify, and give the time.

    Args:
        trust: Whom we trust.
    """

    def __init__(self, trust: TrustList) -> None:
        self._trust = trust

    def verify(self, token: bytes, imprint: bytes) -> dt.datetime:
        """Give the time of a token over a SHA-256 imprint.

        Raises:
            TokenRefusedError: The token does not hold.
        """
        return verify_token(token, imprint, self._trust).gen_time
