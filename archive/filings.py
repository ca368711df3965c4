# SPDX-License-Identifier: Apache-2.0
"""What the steps of a filing share: loading it, moving it to its next state, returning it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from archive.errors import FilingRefusedError
from archive.findings import Finding
from archive.models import FINAL, Filing, FilingMaterial, FilingState, may_follow
from cases.models import Case
from storage.base import Base
from storage.database import UnitOfWork
from storage.identity import Identity, system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind

ARCHIVE = system_identity("archive")


@dataclass(frozen=True, slots=True)
class FilingFile:
    """A filing with its case and materials, as one step needs it."""

    filing: Filing
    case: Case
    materials: Sequence[FilingMaterial]

    @property
    def actor(self) -> Identity:
        """Give the archive's own identity, acting for the filing's department."""
        return system_identity(ARCHIVE.id, self.filing.organisation)


def load(uow: UnitOfWork, filing_id: str) -> FilingFile:
    """Load a filing for a step; raises ``LookupError`` when a step names none that is there."""
    filing = uow.session.get_one(Filing, filing_id, with_for_update=True)
    materials = uow.session.scalars(
        select(FilingMaterial).where(FilingMaterial.filing_id == filing_id).order_by(FilingMaterial.position)
    ).all()
    return FilingFile(filing, uow.session.get_one(Case, filing.case_id), materials)


def move(uow: UnitOfWork, filing: Filing, state: FilingState) -> None:
    """Take a filing to its next state.

    Raises:
        FilingRefusedError: The state does not follow the present one.
    """
    if not may_follow(FilingState(filing.state), state):
        raise FilingRefusedError(state=filing.state, wanted=str(state))
    filing.state = str(state)
    if state in FINAL:
        filing.decided_at = uow.clock.now()


def act_on(
    file: FilingFile,
    kind: ActKind,
    rows: Sequence[Base],
    *,
    outcome: Outcome = Outcome.DONE,
    reasons: Sequence[str] = (),
    sha256: str | None = None,
    notes: Mapping[str, Json] | None = None,
) -> Act:
    """Make an act of the archive on a filing."""
    return Act(
        kind=kind,
        actor=file.actor,
        object_type="filing",
        object_id=file.filing.id,
        object_sha256=sha256,
        outcome=outcome,
        case=file.case.id,
        subject=file.case.holder_id,
        rows=rows,
        reasons=reasons,
        notes=notes or {},
    )


def give_back(uow: UnitOfWork, file: FilingFile, findings: Sequence[Finding], state: FilingState) -> None:
    """Return or quarantine a filing with its reasons; the originals are kept."""
    filing = file.filing
    filing.findings = [one.as_json() for one in findings]
    move(uow, filing, state)
    kind = ActKind.FILING_RETURNED if state is FilingState.RETURNED else ActKind.FILING_QUARANTINED
    reasons = sorted({one.code for one in findings if not one.warning})
    uow.record(act_on(file, kind, [filing, *file.materials], outcome=Outcome.REFUSED, reasons=reasons))


def text_of(value: Json, name: str) -> str:
    """Give a member of a plan or result that is a text."""
    member = value[name] if isinstance(value, Mapping) else None
    if not isinstance(member, str):
        raise LookupError(name)  # noqa: TRY004 - a plan of ours that lacks a member, not a caller's type
    return member


def parts_of(value: Json, name: str) -> list[dict[str, Json]]:
    """Give a member of a plan or result that is a list of objects."""
    member = value[name] if isinstance(value, Mapping) else None
    if not isinstance(member, list) or not all(isinstance(one, dict) for one in member):
        raise LookupError(name)
    return member


def json_bytes(value: Json) -> bytes:
    """Write JSON for a file of a dossier: sorted, readable, UTF-8, with a line end."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
