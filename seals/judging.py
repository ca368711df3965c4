# SPDX-License-Identifier: Apache-2.0
"""Judge one signature whose digest already matches: signature, time, issuer, revocation, register.

The result is a list of reason codes; an empty list means that nothing speaks against the signature.
The order of the questions is fixed, so the same file always gives the same reasons.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

from cryptography import x509

from seals.errors import TokenRefusedError
from seals.signatures import SignatureProblemError, SignedObject
from seals.tokens import TokenInfo, verify_token
from seals.trust import Chain, RegisteredSeal, Revocation, TrustList, common_name, load_certificate

_TOLERANCE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found about one signature.

    Attributes:
        problems: Reason codes that speak against it.
        signer: Name in the signer's certificate.
        issuer: Name of its issuer.
        seal: The registered seal, if it is one.
        token: The verified time stamp, if there is a good one.
    """

    problems: tuple[str, ...]
    signer: str
    issuer: str
    seal: RegisteredSeal | None
    token: TokenInfo | None


def judge(signed: SignedObject, trust: TrustList, at: dt.datetime) -> Judgement:
    """Judge a signature over data.

    Args:
        signed: The parsed signature; its message digest was compared with the data by the caller.
        trust: Whom we trust.
        at: When the question is asked.
    """
    problems: list[str] = []
    try:
        signed.check()
    except SignatureProblemError as problem:
        problems.append(problem.code)
    token, token_problem = _token(signed, trust, at)
    if token_problem:
        problems.append(token_problem)
    seal = trust.seal(signed.signer)
    problems += _standing(signed, trust, seal, token.gen_time if token else at, at)
    signer, issuer = _names(signed.signer)
    return Judgement(tuple(dict.fromkeys(problems)), signer, issuer, seal, token)


def _token(signed: SignedObject, trust: TrustList, at: dt.datetime) -> tuple[TokenInfo | None, str]:
    if signed.token is None:
        return None, "no-trusted-time"
    try:
        token = verify_token(signed.token, hashlib.sha256(signed.signature).digest(), trust, now=at)
    except TokenRefusedError as error:
        return None, str(error.facts["reason"])
    return token, token_problem(token, at)


def token_problem(token: TokenInfo, at: dt.datetime) -> str:
    """Give the reason why a verified token does not prove its time today, or an empty text."""
    if token.gen_time > at + _TOLERANCE:
        return "time-in-future"
    if token.expires_at < at:
        return "token-expired"
    if token.revocation is Revocation.REVOKED:
        return "token-revoked"
    return "" if token.revocation is Revocation.GOOD else str(token.revocation)


def _standing(
    signed: SignedObject,
    trust: TrustList,
    seal: RegisteredSeal | None,
    sealed_at: dt.datetime,
    at: dt.datetime,
) -> list[str]:
    standing = trust.standing(signed.signer, extra=signed.certificates, at=sealed_at, now=at)
    if standing.chain is not Chain.TRUSTED:
        return [str(standing.chain)]
    problems = []
    if not _may_seal(signed.signer):
        problems.append("certificate-purpose")
    if standing.revoked_at is not None:
        problems.append("seal-revoked-before" if standing.revoked_at <= sealed_at else "seal-revoked-after")
    elif standing.revocation is not Revocation.GOOD:
        problems.append(str(standing.revocation))
    if trust.has_register and seal is None:
        problems.append("seal-not-registered")
    if seal is not None:
        if seal.state_at(sealed_at) in {"registered", "suspended"}:
            problems.append("seal-not-enabled")
        if not all(trust.knows(certificate) for certificate in signed.certificates):
            problems.append("container-certificates")
        elif not signed.is_ours():
            problems.append("container-encoding")
    return problems


def _may_seal(certificate: bytes) -> bool:
    try:
        usage = load_certificate(certificate).extensions.get_extension_for_class(x509.KeyUsage).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False
    return usage.content_commitment


def _names(certificate: bytes) -> tuple[str, str]:
    try:
        parsed = load_certificate(certificate)
        return common_name(parsed.subject), common_name(parsed.issuer)
    except ValueError:
        return "", ""
