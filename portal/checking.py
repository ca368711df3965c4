# SPDX-License-Identifier: Apache-2.0
"""The check of a document by anybody: what its seal says, what the library says, and the worse of both.

Guarantees: neither half is ever better than what was established; without access to the library the
state of a licence is "not checked", so the headline cannot be "valid". A check that meets a registered
licence or dossier is a recorded use; an upload that matches nothing is not recorded here.
"""

import datetime as dt
import enum
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from documents.attachments import read_attachment
from documents.errors import UnreadableError
from documents.sandbox import Sandbox
from licenses.errors import CodeUnknownError
from licenses.lifecycle import Standing
from licenses.reading import LicenseReader, PublicCard
from seals.containers import signed_digests
from seals.models import Sealing
from seals.register import find_known
from seals.trust import TrustList
from seals.verdicts import STATE_TITLES, State, Verdict, reasons
from seals.verification import KnownDocument
from storage.clock import Clock
from storage.database import Database, UnitOfWork
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID
from storage.identity import AccessBasis, Basis, Identity
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

LICENSE_METADATA = "metadata.json"
Verify = Callable[[Path, TrustList, KnownDocument | None, dt.datetime], Verdict]


class Headline(enum.StrEnum):
    """The one large word of a report, best first."""

    VALID = "valid"
    CANNOT_TELL = "cannot-tell"
    INVALID = "invalid"


HEADLINE_TITLES = {
    Headline.VALID: ("有效", "Valid"),
    Headline.CANNOT_TELL: ("无法判定", "Cannot tell"),
    Headline.INVALID: ("无效", "Invalid"),
}
EXIT_CODES = {
    Headline.VALID: EXIT_DONE,
    Headline.CANNOT_TELL: EXIT_CANNOT_TELL,
    Headline.INVALID: EXIT_INVALID,
}
_OF_STATE = {
    State.VALID: Headline.VALID,
    State.VALID_WITH_CHANGES: Headline.VALID,
    State.INDETERMINATE: Headline.CANNOT_TELL,
    State.UNSUPPORTED: Headline.CANNOT_TELL,
    State.INVALID: Headline.INVALID,
}
OF_STANDING = {
    Standing.GOOD: Headline.VALID,
    Standing.UNKNOWN: Headline.CANNOT_TELL,
    Standing.BAD: Headline.INVALID,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One of the two lines under the headline: how it stands, and the words for it."""

    standing: Headline
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The answer for a file.

    Attributes:
        headline: The worse of the two lines.
        sentence: Why, in Chinese and English.
        file: Seal and bytes.
        license: State of the licence; ``None`` when the file is no licence.
        verdict: The seal check in full.
        card: What the library tells of the licence, if it was found.
        promise: Of the recorded use, if there was one.
    """

    headline: Headline
    sentence: tuple[str, str]
    file: Line
    license: Line | None
    verdict: Verdict
    card: PublicCard | None = None
    promise: Promise | None = None


def judge(verdict: Verdict, license_line: Line | None, card: PublicCard | None = None) -> CheckReport:
    """Join the two halves into one report; pure."""
    reason = reasons()[verdict.reasons[0]] if verdict.reasons else None
    zh, en = STATE_TITLES[verdict.state]
    file = Line(_OF_STATE[verdict.state], reason.zh if reason else zh, reason.en if reason else en)
    order = list(Headline)
    headline = max((line.standing for line in (file, license_line) if line), key=order.index)
    return CheckReport(headline, _sentence(headline, file, license_line), file, license_line, verdict, card)


def _sentence(headline: Headline, file: Line, license_line: Line | None) -> tuple[str, str]:
    if license_line is None or file.standing is not Headline.VALID:
        return file.zh, file.en
    if headline is Headline.VALID:
        return (
            f"文件真实，证照{license_line.zh}",
            f"The file is genuine; the licence is {license_line.en.lower()}",
        )
    if license_line.zh.startswith("证照"):
        return f"文件真实，{license_line.zh}", f"The file is genuine; {license_line.en.lower()}"
    return (
        f"文件真实，证照{license_line.zh}",
        f"The file is genuine; the licence is {license_line.en.lower()}",
    )


NOT_A_LICENSE = Line(Headline.VALID, "本文件不是证照", "This file is no licence")
NOT_CHECKED = Line(Headline.CANNOT_TELL, "证照状态未核验", "The state of the licence was not checked")
NOT_FOUND = Line(
    Headline.CANNOT_TELL, "证照状态未核验：本库无此证照", "Not in this library; its state was not checked"
)


def card_line(card: PublicCard) -> Line:
    """Say how a licence of the library stands."""
    return Line(OF_STANDING[card.status.standing], card.status.zh, card.status.en)


class DocumentCheck:
    """Checks files for persons, systems and strangers.

    Args:
        database: Opens the units of work.
        reader: Tells what strangers may know of a licence.
        verify: Verifies a file in a limited child.
        trust: Gives anchors, revocation lists and the seal register.
        sandbox: Where attachments are read.
        clock: The time.
    """

    def __init__(
        self,
        database: Database,
        reader: LicenseReader,
        verify: Verify,
        trust: Callable[[UnitOfWork], TrustList],
        sandbox: Sandbox,
        clock: Clock,
    ) -> None:
        self._database = database
        self._reader = reader
        self._verify = verify
        self._trust = trust
        self._sandbox = sandbox
        self._clock = clock

    def check(self, identity: Identity, path: Path) -> CheckReport:
        """Check a file; the use is recorded when the file is one of ours.

        Args:
            identity: Who asks; strangers are ``PUBLIC``.
            path: The file, not trusted.
        """
        verdict, found = self.establish(path)
        if found is None:
            # Of a file that does not hold nothing is believed, not even which licence it says it is.
            missing = NOT_FOUND if _OF_STATE[verdict.state] is Headline.VALID else NOT_CHECKED
            line = missing if is_license(path, verdict, self._sandbox) else None
            return judge(verdict, line)
        return self._known(identity, verdict, *found)

    def establish(self, path: Path) -> tuple[Verdict, tuple[Sealing, KnownDocument] | None]:
        """Tell what the seals of a file say, and which use of a seal made it if it is one of ours.

        Nothing is recorded, and the state of a licence is not asked for.
        """
        digests = signed_digests(path.read_bytes())
        with self._database.reading() as uow:
            trust = self._trust(uow)
            found = find_known(uow.session, digests)
        return self._verify(path, trust, found[1] if found else None, self._clock.now()), found

    def _known(
        self, identity: Identity, verdict: Verdict, sealing: Sealing, known: KnownDocument
    ) -> CheckReport:
        public = identity.on(AccessBasis(Basis.PUBLIC_CHECK))
        with self._database.writing() as uow:
            try:
                card = self._reader.public_check_file(uow, public, known.sha256)
            except CodeUnknownError:
                promise = uow.record(_used(public, sealing, known))
                return replace(judge(verdict, None), promise=promise)
            return judge(verdict, card_line(card), card)


def is_license(path: Path, verdict: Verdict, sandbox: Sandbox) -> bool:
    """Tell whether a sealed file carries the metadata of a licence (GB/T 36903)."""
    if not verdict.signatures:
        return False
    try:
        data = read_attachment(path, LICENSE_METADATA, sandbox)
    except UnreadableError:
        return False
    try:
        return data is not None and "certificateID" in json.loads(data)
    except ValueError:
        return False


def check_offline(
    path: Path, trust: TrustList, verify: Verify, sandbox: Sandbox, at: dt.datetime
) -> CheckReport:
    """Check a file without an installation: the state of a licence stays unknown."""
    verdict = verify(path, trust, None, at)
    return judge(verdict, NOT_CHECKED if is_license(path, verdict, sandbox) else None)


def _used(identity: Identity, sealing: Sealing, known: KnownDocument) -> Act:
    return Act(
        kind=ActKind.VERIFICATION_DONE,
        actor=identity,
        object_type=sealing.document_type,
        object_id=sealing.object_id,
        object_sha256=known.sha256,
        case=sealing.case_id,
    )


def report_json(report: CheckReport) -> dict[str, Any]:
    """Give a report as JSON."""
    zh, en = HEADLINE_TITLES[report.headline]
    return {
        "headline": {"code": str(report.headline), "zh": zh, "en": en},
        "sentence": dict(zip(("zh", "en"), report.sentence, strict=True)),
        "file": _line(report.file),
        "licence": _line(report.license) if report.license else None,
        "card": card_json(report.card) if report.card else None,
        "verdict": report.verdict.as_json(),
        "promise": report.promise.as_json() if report.promise else None,
    }


def card_json(card: PublicCard) -> dict[str, Any]:
    """Give what strangers may know of a licence, and no more."""
    return {
        "type": {"code": card.kind.code, "zh": card.kind.zh, "en": card.kind.en},
        "issuer": card.issuer,
        "status": {"code": str(card.status.code), "zh": card.status.zh, "en": card.status.en},
        "valid_from": card.valid_from.isoformat() if card.valid_from else None,
        "valid_until": card.valid_until.isoformat() if card.valid_until else None,
        "holder": card.holder.name,
    }


def _line(line: Line) -> dict[str, str]:
    return {"standing": str(line.standing), "zh": line.zh, "en": line.en}
