# SPDX-License-Identifier: Apache-2.0
"""Verify sealed PDFs and detached seals: pure functions over bytes, a trust list and an instant.

Guarantees: an exception never ends in "valid"; a changed byte in a protected range never ends in
"valid"; where the installation knows the file (``KnownDocument``), any other difference is named and
is never "valid"; trailing white space keeps the untouched file's verdict. Refuses to guess: unsigned
files and unknown issuers are "indeterminate".
"""

import datetime as dt
import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyhanko.pdf_utils.misc import PdfReadError

from seals.changes import Field, Structure
from seals.containers import Container, find, only_white_space_after
from seals.errors import TokenRefusedError
from seals.judging import Judgement, judge, token_problem
from seals.signatures import SignatureProblemError, SignedObject, digest, parse, parse_stamp
from seals.tokens import verify_token
from seals.trust import TrustList, fingerprint
from seals.verdicts import SignatureReport, State, Verdict, reasons, worst

_log = logging.getLogger(__name__)
_SUBFILTERS = frozenset({"/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"})


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A file that this installation stores, found by the digest of its protected ranges.

    Attributes:
        sha256: Digest of the whole stored file, hex.
    """

    sha256: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What one verification works on."""

    data: bytes
    trust: TrustList
    known: KnownDocument | None
    at: dt.datetime
    sha256: str

    def verdict(self, codes: Sequence[str], reports: Sequence[SignatureReport] = ()) -> Verdict:
        state = worst([reasons()[code].state for code in codes] + [report.state for report in reports])
        ordered = sorted(dict.fromkeys(codes), key=lambda code: -list(State).index(reasons()[code].state))
        return Verdict(state, tuple(ordered), tuple(reports), self.sha256, len(self.data), self.at)


def verify_pdf(data: bytes, trust: TrustList, known: KnownDocument | None, at: dt.datetime) -> Verdict:
    """Verify a PDF.

    Args:
        data: The whole file.
        trust: Whom we trust.
        known: What the installation stores under the digest of the same protected ranges, if anything.
        at: When the question is asked, UTC.
    """
    case = _Case(data, trust, known, at, hashlib.sha256(data).hexdigest())
    try:
        return _verify(case)
    except (MemoryError, RecursionError):
        return case.verdict(["limits"])
    except Exception as error:  # noqa: BLE001 - hostile input raises anything; it must never be "valid"
        _log.info("unreadable upload: %s", type(error).__name__)
        return case.verdict(["malformed"])


def verify_detached(
    data: bytes, signature: bytes, trust: TrustList, at: dt.datetime, known: KnownDocument | None = None
) -> Verdict:
    """Verify a detached CMS seal (``.p7s``) over data; ``sha256`` and ``size`` are those of the data.

    ``known``, where given, is the stored signature file; any other signature bytes are invalid.
    """
    case = _Case(data, trust, known, at, hashlib.sha256(data).hexdigest())
    try:
        signed = parse(signature)
        if not hmac.compare_digest(digest(signed.digest_algorithm, data), signed.message_digest):
            return case.verdict(["changed-in-signed-range"])
        found = judge(signed, trust, at)
    except SignatureProblemError as problem:
        return case.verdict([problem.code])
    except Exception as error:  # noqa: BLE001 - hostile input raises anything; it must never be "valid"
        _log.info("unreadable signature: %s", type(error).__name__)
        return case.verdict(["cms-malformed"])
    codes = list(found.problems)
    if known is not None and known.sha256 != hashlib.sha256(signature).hexdigest():
        codes.append("differs-from-stored")
    report = _report("", "detached", signed, found, codes)
    report = replace(report, signed_sha256=case.sha256, signed_bytes=len(data), covers_whole_file=True)
    return case.verdict(report.reasons, [report])


def _verify(case: _Case) -> Verdict:
    containers = find(case.data)
    parsed = [_open(case, container) for container in containers]
    broken = [code for _, code in parsed if code and reasons()[code].state is State.INVALID]
    if broken:
        return case.verdict(
            broken, [_early(container, code) for container, (_, code) in zip(containers, parsed, strict=True)]
        )
    end = max((container.end for container in containers), default=len(case.data))
    trailing = end < len(case.data) and only_white_space_after(case.data, end)
    structure, loose = _structure(case.data[:end] if trailing else case.data, containers)
    if structure.encrypted:
        return case.verdict(["encrypted"])
    if not containers:
        return case.verdict(["signature-hollow" if structure.fields() else "no-seal"])
    fields = {field.byte_range: field for field in structure.fields()}
    if set(fields) != {container.byte_range for container in containers}:
        return case.verdict(["signature-structure"])
    reports = [
        _examine(case, container, signed, code, fields[container.byte_range], structure)
        for container, (signed, code) in zip(containers, parsed, strict=True)
    ]
    codes = [code for report in reports for code in report.reasons]
    codes += ["structure-loose"] * loose + ["trailing-white-space"] * trailing
    return case.verdict(codes + _compare(case, end if trailing else len(case.data)), reports)


def _compare(case: _Case, end: int) -> list[str]:
    if case.known is None:
        return []
    same = hashlib.sha256(case.data[:end]).hexdigest() == case.known.sha256
    return ["identical-to-stored" if same else "differs-from-stored"]


def _structure(data: bytes, containers: Sequence[Container]) -> tuple[Structure, bool]:
    try:
        return Structure(data, containers), False
    except PdfReadError:
        return Structure(data, containers, strict=False), True


def _open(case: _Case, container: Container) -> tuple[SignedObject | None, str]:
    """Read a container and compare its digest; give the object and a reason code, empty when it matches."""
    if not container.cms:
        return None, container.problem or "cms-malformed"
    try:
        signed = parse(container.cms)
        if signed.content_type == "tst_info":
            stamped = parse_stamp(signed.content or b"")
            algorithm, expected = stamped.imprint_algorithm, stamped.imprint
        else:
            algorithm, expected = signed.digest_algorithm, signed.message_digest
        digest(algorithm, b"")
    except SignatureProblemError as problem:
        return None, container.problem or problem.code
    if not hmac.compare_digest(container.digest(case.data, algorithm), expected):
        return signed, "changed-in-signed-range"
    return signed, container.problem


def _early(container: Container, code: str) -> SignatureReport:
    code = code or "changed-after-sealing"
    return SignatureReport(
        "", "approval", reasons()[code].state, (code,), signed_bytes=container.signed_bytes
    )


def _examine(
    case: _Case,
    container: Container,
    signed: SignedObject | None,
    code: str,
    field: Field,
    structure: Structure,
) -> SignatureReport:
    kind = "timestamp" if field.timestamp else "certification" if field.certifies else "approval"
    whole = only_white_space_after(case.data, container.end)
    later, level = ("", "") if whole else structure.changes_after(field.name)
    codes = [code] if code else []
    if field.subfilter not in _SUBFILTERS:
        codes.append("subfilter-unsupported")
    if later:
        codes.append(later)
    elif level not in {"", "none"}:
        codes.append("later-permitted-changes")
    if signed is None:
        report = SignatureReport(
            field.name, kind, worst(reasons()[item].state for item in codes), tuple(codes)
        )
    elif signed.content_type == "tst_info":
        report = _stamp(case, container, signed, field.name, codes)
    else:
        found = judge(signed, case.trust, case.at)
        report = _report(field.name, kind, signed, found, [*codes, *found.problems])
    return replace(
        report,
        signed_sha256=container.digest(case.data).hex(),
        signed_bytes=container.signed_bytes,
        covers_whole_file=whole,
        changes=level,
    )


def _report(
    name: str, kind: str, signed: SignedObject, found: Judgement, codes: Sequence[str]
) -> SignatureReport:
    token, seal = found.token, found.seal
    every = tuple(codes) if codes else ("seal-holds",)
    return SignatureReport(
        field=name,
        kind=kind,
        state=worst(reasons()[code].state for code in every),
        reasons=every,
        signer=found.signer,
        issuer=found.issuer,
        certificate_sha256=fingerprint(signed.signer),
        seal_id=seal.id if seal else None,
        seal_name=seal.name if seal else None,
        department=seal.department if seal else None,
        sealed_at=token.gen_time if token else None,
        token_serial=str(token.serial) if token else None,
        token_authority=token.authority if token else None,
    )


def _stamp(
    case: _Case, container: Container, signed: SignedObject, name: str, codes: list[str]
) -> SignatureReport:
    """Judge a document time stamp, whose imprint was compared already."""
    stamped = parse_stamp(signed.content or b"")
    try:
        token = verify_token(
            container.cms, stamped.imprint, case.trust, algorithm=stamped.imprint_algorithm, now=case.at
        )
    except TokenRefusedError as error:
        every = (*codes, str(error.facts["reason"]))
        return SignatureReport(name, "timestamp", worst(reasons()[code].state for code in every), every)
    problem = token_problem(token, case.at)
    every = (*codes, *([problem] if problem else [])) or ("stamp-holds",)
    return SignatureReport(
        field=name,
        kind="timestamp",
        state=worst(reasons()[code].state for code in every),
        reasons=every,
        signer=token.authority,
        certificate_sha256=fingerprint(signed.signer),
        sealed_at=token.gen_time,
        token_serial=str(token.serial),
        token_authority=token.authority,
    )
