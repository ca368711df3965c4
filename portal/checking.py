# SPDX-License-Identifier: Apache-2.0
"""The check of a document by anybody: what its seal says, what the library says, and the worse of both.

Guarantees: neither half is ever better than what was established; without access to the library the
state of a licence is "not checked", so the headline cannot be "valid". A licence whose embedded metadata
differ from the register is never "valid": one of the two was changed. A check that meets a registered
licence or dossier is a recorded use; an upload that matches nothing is not recorded here.

Page, command line and interface say the same: headline, sentence and both lines come from here alone.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from documents.attachments import read_attachment, read_own_attachment
from documents.errors import UnreadableError
from documents.sandbox import Sandbox
from licenses.copies.checking import CopyChecker
from licenses.copies.terms import CopyCard
from licenses.errors import CodeUnknownError, LicenseDataError
from licenses.metadata import from_xml
from licenses.reading import LicenseReader
from licenses.usage import on_public_check
from licenses.views import PublicCard, PublicCheck
from portal.check_lines import (
    COPY_TITLE,
    LINE_TITLES,
    NOT_A_LICENSE,
    NOT_CHECKED,
    NOT_COMPARED,
    NOT_FOUND,
    REGISTER_DIFFERS,
    Headline,
    Line,
    card_line,
    copy_line,
)
from seals.containers import signed_digests
from seals.models import Sealing
from seals.register import find_known
from seals.trust import TrustList
from seals.verdicts import STATE_TITLES, State, Verdict, reasons
from seals.verification import KnownDocument, verify_pdf
from storage.clock import Clock
from storage.database import Database, UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

LICENSE_METADATA = "metadata.xml"
LICENSE = "licence"
COPY = "copy"
"""The document types of sealings of licences and of copies of them."""
Verify = Callable[[Path, TrustList, KnownDocument | None, dt.datetime], Verdict]


@dataclass(frozen=True)
class SealCheck:
    """Verification of files from outside, as the archive asks it: in a limited child."""

    verify: Verify
    trust: TrustList

    def check(self, path: Path, at: dt.datetime) -> Verdict:
        """Give the verdict of a file in a limited child."""
        return self.verify(path, self.trust, None, at)


_OF_STATE = {
    State.VALID: Headline.VALID,
    State.VALID_WITH_CHANGES: Headline.VALID,
    State.INDETERMINATE: Headline.CANNOT_TELL,
    State.UNSUPPORTED: Headline.CANNOT_TELL,
    State.INVALID: Headline.INVALID,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What every check says: the one large word, why, and the two lines that give it.

    Attributes:
        headline: The worse of the two lines.
        sentence: Why, in Chinese and English.
        file: Seal and bytes; says so when no file was compared.
        license: Status of the licence; says so when the file is none, or when it was not checked.
        copy: Whether the copy may still be relied on; none when it is no copy.
    """

    headline: Headline
    sentence: tuple[str, str]
    file: Line
    license: Line
    copy: Line | None = field(default=None, kw_only=True)

    @property
    def lines(self) -> tuple[tuple[tuple[str, str], Line], ...]:
        """Give the lines, each with its title."""
        both = tuple(zip(LINE_TITLES, (self.file, self.license), strict=True))
        return both if self.copy is None else (*both, (COPY_TITLE, self.copy))


@dataclass(frozen=True, slots=True)
class CheckReport(Answer):
    """The answer for a file.

    Attributes:
        verdict: The seal check in full.
        card: What the library tells of the licence, if it was found.
        promise: Of the recorded use, if there was one.
    """

    verdict: Verdict
    card: PublicCard | None = None
    promise: Promise | None = None


_Answer = TypeVar("_Answer", bound=Answer)


def judge(
    verdict: Verdict, license_line: Line, card: PublicCard | None = None, promise: Promise | None = None
) -> CheckReport:
    """Join the two halves into one report; pure."""
    reason = reasons()[verdict.reasons[0]] if verdict.reasons else None
    zh, en = (reason.zh, reason.en) if reason else STATE_TITLES[verdict.state]
    standing = _OF_STATE[verdict.state]
    file = Line(reason.code if reason else str(verdict.state), standing, zh, en)
    headline = _worse(standing, license_line)
    sentence = _sentence(file, license_line, worse=headline is not standing)
    return CheckReport(headline, sentence, file, license_line, verdict, card, promise)


def judge_card(card: PublicCard) -> Answer:
    """Answer for a licence that was found by its code, when nobody compared a file; pure."""
    line = card_line(card)
    headline = _worse(Headline.CANNOT_TELL, line)
    zh, en = f"证照{line.zh}", f"Licence status: {line.en.lower()}"
    if line.standing is Headline.VALID:
        zh, en = f"证照在库{line.zh}", f"The licence is {line.en.lower()} in the library"
    if headline is Headline.CANNOT_TELL:
        zh, en = f"{zh}；手中文件未比对", f"{en}; the file in your hands was not compared"
    return Answer(headline, (zh, en), NOT_COMPARED, line)


def with_copy(answer: _Answer, copy: CopyCard | None) -> _Answer:
    """Say of an answer about a copy, too, whether the copy is still good; pure."""
    if copy is None:
        return answer
    line = copy_line(copy)
    zh, en = answer.sentence
    return replace(
        answer,
        headline=_worse(answer.headline, line),
        sentence=(f"{zh.rstrip('。')}；{line.zh}", f"{en.rstrip('.')}; {line.en[0].lower()}{line.en[1:]}"),
        copy=line,
    )


def _worse(file: Headline, license_line: Line) -> Headline:
    return max(file, license_line.standing or file, key=list(Headline).index)


def _sentence(file: Line, license_line: Line, *, worse: bool) -> tuple[str, str]:
    """Say what decided: of a file that does not hold, the licence is told only when it is worse still."""
    clause = license_line.clause
    if clause is None or (file.standing is not Headline.VALID and not worse):
        return file.zh, file.en
    if file.standing is Headline.VALID:
        return f"文件真实，{clause[0]}", f"The file is genuine; {clause[1]}"
    return f"{file.zh.rstrip('。')}；{clause[0]}", f"{file.en.rstrip('.')}; {clause[1]}"


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
            return judge(verdict, _unknown(verdict, path, self._sandbox, NOT_FOUND))
        return self._known(identity, verdict, *found, path)

    def close(self) -> None:
        """End the children that wait for files."""
        self._sandbox.close()

    def establish(self, path: Path) -> tuple[Verdict, tuple[Sealing, KnownDocument] | None]:
        """Tell what the seals of a file say, and which use of a seal made it if it is one of ours.

        What is not known byte for byte is parsed in a limited child.
        Nothing is recorded, and the state of a licence is not asked for.
        """
        data = path.read_bytes()
        digests = signed_digests(data)
        with self._database.reading() as uow:
            trust = self._trust(uow)
            found = find_known(uow.session, digests)
        known, now = found[1] if found else None, self._clock.now()
        if known is not None and hashlib.sha256(data).hexdigest() == known.sha256:
            # Byte for byte what this installation sealed: nothing of it comes from a stranger.
            return verify_pdf(data, trust, known, now), found
        return self._verify(path, trust, known, now), found

    def _known(
        self, identity: Identity, verdict: Verdict, sealing: Sealing, known: KnownDocument, path: Path
    ) -> CheckReport:
        public = on_public_check(identity)
        is_license = sealing.document_type in (LICENSE, COPY)
        # Of a file that does not hold nothing is believed, so nothing in it is compared either.
        stated = self._stated(path, known) if is_license and verdict.is_valid else None
        with self._database.writing() as uow:
            try:
                found = (
                    CopyChecker(self._reader).check_file(uow, public, known.sha256, stated)
                    if sealing.document_type == COPY
                    else self._reader.public_check_file(uow, public, known.sha256, stated)
                )
            except CodeUnknownError:
                promise = uow.record(_used(public, sealing, known))
                return judge(verdict, NOT_FOUND if is_license else NOT_A_LICENSE, promise=promise)
        return _judge_found(verdict, found)

    def _stated(self, path: Path, known: KnownDocument) -> Mapping[str, str] | None:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() == known.sha256:
            # As above: what we sealed needs no child.
            return _read(read_own_attachment(data, LICENSE_METADATA))
        return stated_metadata(path, self._sandbox)


def _judge_found(verdict: Verdict, found: PublicCheck) -> CheckReport:
    line = card_line(found.card)
    if found.agrees:
        return with_copy(judge(verdict, line, found.card, found.promise), found.copy)
    # What the register says is in doubt: it is not repeated, and it cannot make the answer better.
    return judge(
        verdict, line if line.standing is Headline.INVALID else REGISTER_DIFFERS, promise=found.promise
    )


def _unknown(verdict: Verdict, path: Path, sandbox: Sandbox, of_license: Line) -> Line:
    """Give the line of a file that the library does not know; what does not hold is not even looked into."""
    if not verdict.is_valid:
        return NOT_CHECKED
    return NOT_A_LICENSE if stated_metadata(path, sandbox) is None else of_license


def stated_metadata(path: Path, sandbox: Sandbox) -> Mapping[str, str] | None:
    """Give what a licence file states about itself (GB/T 36903); ``None`` when it is no licence.

    A file that cannot be read so far, or whose metadata are malformed, states nothing: the answer is empty.
    """
    try:
        return _read(read_attachment(path, LICENSE_METADATA, sandbox))
    except UnreadableError:
        return {}


def _read(data: bytes | None) -> Mapping[str, str] | None:
    try:
        return None if data is None else from_xml(data)
    except LicenseDataError:
        return {}


def check_offline(
    path: Path, trust: TrustList, verify: Verify, sandbox: Sandbox, at: dt.datetime
) -> CheckReport:
    """Check a file without an installation: the status of a licence stays unknown."""
    verdict = verify(path, trust, None, at)
    return judge(verdict, _unknown(verdict, path, sandbox, NOT_CHECKED))


def _used(identity: Identity, sealing: Sealing, known: KnownDocument) -> Act:
    return Act(
        kind=ActKind.VERIFICATION_DONE,
        actor=identity,
        object_type=sealing.document_type,
        object_id=sealing.object_id,
        object_sha256=known.sha256,
        case=sealing.case_id,
    )
