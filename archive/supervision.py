# SPDX-License-Identifier: Apache-2.0
"""Supervision 电子监察: who decided what on which evidence, read from the ledger, gaps shown as gaps.

A trace is asked by case number, archival number, licence identifier or decision; it gives every act of the
case in order, and those of its licence wherever they happened. Nothing here reads a detail: cores suffice.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from archive.models import Dossier, Filing
from archive.numbering import normalise
from cases.models import Case
from cases.ports import Deadlines, Items
from licenses.models import Decision, License, LicenseUsage
from seals.models import Sealing
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import NotFoundError
from storage.identity import Identity, Role
from storage.ledger.acts import Outcome
from storage.ledger.kinds import TITLES, ActKind
from storage.ledger.models import LedgerAct, LedgerEntry
from storage.steps import StepRow

INTENT_WITHIN = dt.timedelta(minutes=10)
"""How long an intent may stand without an outcome before it counts as a gap."""
STEP_WITHIN = dt.timedelta(minutes=30)
"""How long a step may take from its making before it counts as late."""


class TraceNotFoundError(NotFoundError):
    """Nothing with this number is visible to this identity; unknown and forbidden look alike."""

    code = "trace-not-found"
    title_zh = "没有可追溯的办件"
    title_en = "Nothing to trace under this number"
    remedy_zh = "请核对办件编号、档号、证照标识或结论编号。"
    remedy_en = "Check the case number, archival number, licence identifier or decision id."


@dataclass(frozen=True, slots=True)
class TracedAct:
    """One line of a trace.

    Attributes:
        titles: Name of the kind in Chinese and English.
        actor: Kind, id, organisation, roles, operator: no names.
        basis: Access basis, if one was stated.
        seal_id: The seal, where the act is about its use.
        intent: The intent that this outcome closes.
        seq: Place in the ledger; ``None`` until it is sequenced.
    """

    act_id: str
    kind: str
    titles: tuple[str, str]
    at: dt.datetime
    actor: Mapping[str, str]
    object_type: str
    object_id: str
    object_sha256: str | None
    basis: Mapping[str, str] | None
    outcome: str
    reasons: tuple[str, ...]
    seal_id: str | None
    intent: str | None
    seq: int | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that should be in the trace and is not.

    Attributes:
        code: ``intent-without-outcome``, ``closed-not-filed``, ``case-not-announced``, ``not-sequenced`` or
            ``license-not-issued``.
        act_id: The act it hangs on, if any.
        since: Since when it is missing.
    """

    code: str
    zh: str
    en: str
    act_id: str | None
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that happened to a case, in order, and what is missing.

    Attributes:
        uses: Uses of licences for this case, refused ones too.
        late: Whether the case was filed after its deadline, or is not filed and past it.
    """

    case: Case
    dossier: Dossier | None
    license: License | None
    acts: tuple[TracedAct, ...]
    uses: tuple[LicenseUsage, ...]
    gaps: tuple[Gap, ...]
    due: dt.date | None
    late: bool


@dataclass(frozen=True, slots=True)
class LateFiling:
    """A closed case past its deadline for filing; ``state`` is that of its newest filing, if any."""

    case: Case
    due: dt.date
    state: str | None


_GAPS = {
    "intent-without-outcome": ("有意图记录，无结果记录", "An intent without an outcome"),
    "closed-not-filed": ("已办结，逾期未归档", "Closed and not filed in time"),
    "case-not-announced": ("无办件登记记录", "No act announced the case"),
    "not-sequenced": ("已记录，尚未进入审计链", "Recorded, not yet in the ledger"),
    "step-stuck": ("处理步骤停滞，等待人工", "A step is stuck and waits for a person"),
    "step-late": ("处理步骤迟迟未完成", "A step is late"),
    "license-not-issued": ("已赋码，证照文件未签发", "The licence is reserved and not issued"),
}


class TraceService:
    """Traces cases for supervision, and for departments their own.

    Args:
        items: Knows how many days filing may take.
        deadlines: Counts working days.
    """

    def __init__(self, items: Items, deadlines: Deadlines) -> None:
        self._items = items
        self._deadlines = deadlines

    def trace(self, uow: UnitOfWork, identity: Identity, key: str, source: str | None = None) -> Trace:
        """Trace a case.

        Args:
            uow: A unit of work that reads.
            identity: A supervisor, or an archivist or auditor of the department.
            key: Case number, archival number, licence identifier, decision id, or act id.
            source: Source of the case number, where numbers of several sources could clash.

        Raises:
            TraceNotFoundError: Nothing visible has this number.
        """
        case = self._find(uow, key.strip(), source)
        if case is None or not _may_trace(identity, case):
            raise TraceNotFoundError
        license_ = uow.session.scalar(select(License).where(License.case_id == case.id))
        dossier = uow.session.scalar(select(Dossier).where(Dossier.case_id == case.id))
        acts = _acts(uow, case.id, license_)
        due = self._due(case)
        filed_at = dossier.filed_at if dossier else None
        late = due is not None and legal_date(filed_at or uow.clock.now()) > due
        return Trace(
            case=case,
            dossier=dossier,
            license=license_,
            acts=acts,
            uses=_uses(uow, case.id),
            gaps=tuple(self._gaps(uow, case, acts, license_, late=late and filed_at is None)),
            due=due,
            late=late,
        )

    def late_filings(self, uow: UnitOfWork, identity: Identity) -> Sequence[LateFiling]:
        """Give every visible case that was closed, is not filed and is past its deadline, oldest first."""
        filed = select(Dossier.case_id).where(Dossier.filed_at.is_not(None))
        query = select(Case).where(Case.closed_at.is_not(None), Case.id.not_in(filed))
        today = legal_date(uow.clock.now())
        late = []
        for case in uow.session.scalars(query.order_by(Case.closed_at, Case.id)):
            due = self._due(case)
            if due is not None and due < today and _may_trace(identity, case):
                late.append(LateFiling(case, due, _last_state(uow, case.id)))
        return late

    def open_intents(self, uow: UnitOfWork, identity: Identity) -> Sequence[TracedAct]:
        """Give every intent without an outcome that is older than ``INTENT_WITHIN``, for the supervisor."""
        if not identity.has(Role.SUPERVISOR, Role.AUDIT_ADMIN, Role.SYSTEM):
            raise TraceNotFoundError
        closed = select(LedgerAct.intent).where(LedgerAct.intent.is_not(None))
        query = (
            select(LedgerAct, LedgerEntry.seq)
            .outerjoin(LedgerEntry, LedgerEntry.act_id == LedgerAct.act_id)
            .where(
                LedgerAct.outcome == str(Outcome.INTENDED),
                LedgerAct.act_id.not_in(closed),
                LedgerAct.recorded_at < uow.clock.now() - INTENT_WITHIN,
            )
            .order_by(LedgerAct.recorded_at)
        )
        return [_traced(act, seq, {}) for act, seq in uow.session.execute(query)]

    def refusals(self, uow: UnitOfWork, identity: Identity, since: dt.datetime) -> int:
        """Count refused acts since an instant, for the supervisor's home."""
        if not identity.has(Role.SUPERVISOR, Role.AUDIT_ADMIN, Role.SYSTEM):
            raise TraceNotFoundError
        return (
            uow.session.scalar(
                select(func.count())
                .select_from(LedgerAct)
                .where(LedgerAct.outcome == str(Outcome.REFUSED), LedgerAct.recorded_at >= since)
            )
            or 0
        )

    def _find(self, uow: UnitOfWork, key: str, source: str | None) -> Case | None:
        numbered = select(Case).where(Case.number == key)
        if source is not None:
            numbered = numbered.where(Case.source == source)
        found = uow.session.scalars(numbered.limit(2)).all()
        if len(found) == 1:
            return found[0]
        case_id = uow.session.scalar(
            select(Dossier.case_id).where(or_(Dossier.archival_number == normalise(key), Dossier.id == key))
        )
        case_id = case_id or uow.session.scalar(
            select(License.case_id).where(or_(License.identifier == key, License.id == key))
        )
        case_id = case_id or uow.session.scalar(select(Decision.case_id).where(Decision.id == key))
        case_id = case_id or uow.session.scalar(select(LedgerAct.case_id).where(LedgerAct.act_id == key))
        return uow.session.get(Case, case_id or key)

    def _due(self, case: Case) -> dt.date | None:
        if case.closed_at is None:
            return None
        item = self._items.get(case.item_code, case.item_edition)
        return self._deadlines.filing_due(case.closed_at, item.filing_days)

    def _gaps(
        self,
        uow: UnitOfWork,
        case: Case,
        acts: Sequence[TracedAct],
        license_: License | None,
        *,
        late: bool,
    ) -> Iterable[Gap]:
        now = uow.clock.now()
        if not any(act.kind == ActKind.CASE_ANNOUNCED for act in acts):
            yield _gap("case-not-announced", case.announced_at)
        closed = {act.intent for act in acts if act.intent}
        for act in acts:
            open_since = act.outcome == Outcome.INTENDED and act.act_id not in closed
            if open_since and now - act.at > INTENT_WITHIN:
                yield _gap("intent-without-outcome", act.at, act.act_id)
            if act.seq is None and now - act.at > INTENT_WITHIN:
                yield _gap("not-sequenced", act.at, act.act_id)
        if license_ is not None and license_.issued_at is None and now - license_.reserved_at > INTENT_WITHIN:
            yield _gap("license-not-issued", license_.reserved_at)
        if late and case.closed_at is not None:
            yield _gap("closed-not-filed", case.closed_at)
        yield from _waiting_steps(uow, case, license_)


def _waiting_steps(uow: UnitOfWork, case: Case, license_: License | None) -> Iterable[Gap]:
    """Name the steps of a case's filings and licence that are stuck, or late."""
    subjects = [*uow.session.scalars(select(Filing.id).where(Filing.case_id == case.id))]
    if license_ is not None:
        subjects.append(license_.id)
    waiting = select(StepRow).where(StepRow.subject.in_(subjects), StepRow.state != "done")
    for step in uow.session.scalars(waiting.order_by(StepRow.created_at)):
        if step.state == "stuck":
            yield _gap("step-stuck", step.created_at)
        elif uow.clock.now() - step.created_at > STEP_WITHIN:
            yield _gap("step-late", step.created_at)


def _gap(code: str, since: dt.datetime, act_id: str | None = None) -> Gap:
    zh, en = _GAPS[code]
    return Gap(code, zh, en, act_id, since)


def _may_trace(identity: Identity, case: Case) -> bool:
    if identity.has(Role.SUPERVISOR, Role.AUDIT_ADMIN, Role.SYSTEM):
        return True
    return identity.has(Role.ARCHIVIST) and identity.organisation == case.organisation


def _acts(uow: UnitOfWork, case_id: str, license_: License | None) -> tuple[TracedAct, ...]:
    condition = LedgerAct.case_id == case_id
    if license_ is not None:
        of_license = (LedgerAct.object_type == "licence") & (LedgerAct.object_id == license_.id)
        condition = or_(condition, of_license)
    found = [
        (act, seq)
        for act, seq in uow.session.execute(
            select(LedgerAct, LedgerEntry.seq)
            .outerjoin(LedgerEntry, LedgerEntry.act_id == LedgerAct.act_id)
            .where(condition)
        )
    ]
    # The ledger's order decides; what is not in it yet comes last, by the time of its recording.
    found.sort(key=lambda pair: (pair[1] is None, pair[1] or 0, pair[0].recorded_at, pair[0].act_id))
    sealings = [act.object_id for act, _ in found if act.object_type == "sealing"]
    rows = uow.session.execute(select(Sealing).where(Sealing.id.in_(sealings))).scalars()
    seals = {sealing.id: sealing.seal_id for sealing in rows}
    return tuple(_traced(act, seq, seals) for act, seq in found)


def _uses(uow: UnitOfWork, case_id: str) -> tuple[LicenseUsage, ...]:
    query = select(LicenseUsage).where(LicenseUsage.case_id == case_id)
    return tuple(uow.session.scalars(query.order_by(LicenseUsage.at, LicenseUsage.id)))


def _traced(act: LedgerAct, seq: int | None, seals: Mapping[str, str | None]) -> TracedAct:
    core = json.loads(act.core)
    return TracedAct(
        act_id=act.act_id,
        kind=act.kind,
        titles=TITLES[ActKind(act.kind)],
        at=act.recorded_at,
        actor=core["actor"],
        object_type=act.object_type,
        object_id=act.object_id,
        object_sha256=core["object"].get("sha256"),
        basis=core["basis"],
        outcome=act.outcome,
        reasons=tuple(core["reasons"]),
        seal_id=seals.get(act.object_id),
        intent=act.intent,
        seq=seq,
    )


def _last_state(uow: UnitOfWork, case_id: str) -> str | None:
    return uow.session.scalar(
        select(Filing.state).where(Filing.case_id == case_id).order_by(Filing.attempt.desc()).limit(1)
    )
