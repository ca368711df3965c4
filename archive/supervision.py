# SPDX-License-Identifier: Apache-2.0
"""Supervision 电子监察: who decided what on which evidence, read from the ledger, gaps shown as gaps.

A trace is asked by case number, archival number, licence identifier or decision; it gives every act of the
case in order, and those of its licence wherever they happened. It is made of cores of acts, records of use
and codes: nothing here is decrypted, so a trace is no reading of a licence or of a person's file, and it says
neither name nor code nor face of anybody. What it links to is read, and recorded, on a basis of its own.
A number that means several cases gives a choice of those that the identity may see, never of others.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, false, or_, select, true, union_all
from sqlalchemy.orm import aliased

from archive.models import Dossier, Filing
from archive.numbering import normalise
from archive.stepping import unfinished_steps
from archive.tracing import TracedAct, TracedUse, acts_of, decisions_of, traced, uses_of
from cases.models import Case
from cases.organisations import covers, reached
from cases.ports import Deadlines, Items
from licenses.models import Decision, License
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import NotFoundError
from storage.identity import Identity, Role
from storage.ledger.acts import Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerEntry

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
class Gap:
    """Something that should be in the trace and is not.

    Attributes:
        code: ``intent-without-outcome``, ``closed-not-filed``, ``case-not-announced``, ``not-sequenced``,
            ``license-not-issued``, ``step-stuck``, ``step-waiting`` or ``step-late``.
        act_id: The act it hangs on, if any.
        since: Since when it is missing.
        step: Kind of the step, where one is stuck, waiting or late.
    """

    code: str
    zh: str
    en: str
    act_id: str | None
    since: dt.datetime
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that happened to a case, in order, and what is missing.

    Attributes:
        uses: Uses of licences for this case, refused ones too.
        decisions: Decisions on its proofs.
        late: Whether the case was filed after its deadline, or is not filed and past it.
    """

    case: Case
    dossier: Dossier | None
    license: License | None
    acts: tuple[TracedAct, ...]
    uses: tuple[TracedUse, ...]
    decisions: tuple[Decision, ...]
    gaps: tuple[Gap, ...]
    due: dt.date | None
    late: bool
    supplements: tuple[Dossier, ...] = ()


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
    "step-waiting": ("处理步骤等待条件具备，届时自动继续", "A step waits and goes on by itself"),
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

    def find(
        self, uow: UnitOfWork, identity: Identity, key: str, source: str | None = None
    ) -> Sequence[Case]:
        """Give the cases that a number may mean and that this identity may trace, by source.

        Args:
            uow: An open unit of work.
            identity: Who asks.
            key: Number of the case, archival number, identifier of a licence, or id of a case, dossier,
                licence, decision or act.
            source: Only the case of this source with this number.
        """
        query = select(Case).order_by(Case.source, Case.id)
        if source is None:
            query = query.where(Case.id.in_(_cases_named(key)))
        else:
            query = query.where(Case.number == key, Case.source == source)
        return [case for case in uow.session.scalars(query) if _may_trace(identity, case)]

    def trace(self, uow: UnitOfWork, identity: Identity, case: Case) -> Trace:
        """Give everything that happened to a case.

        Raises:
            TraceNotFoundError: This identity may not trace it.
        """
        if not _may_trace(identity, case):
            raise TraceNotFoundError
        license_ = uow.session.scalar(select(License).where(License.case_id == case.id))
        dossiers = uow.session.scalars(select(Dossier).where(Dossier.case_id == case.id)).all()
        dossier = next((one for one in dossiers if one.supplement is None), None)
        acts = acts_of(uow, case.id, license_)
        due = self._due(case)
        filed_at = dossier.filed_at if dossier else None
        late = due is not None and legal_date(filed_at or uow.clock.now()) > due
        return Trace(
            case=case,
            dossier=dossier,
            license=license_,
            acts=acts,
            uses=uses_of(uow, case.id),
            decisions=decisions_of(uow, case.id),
            gaps=tuple(self._gaps(uow, case, acts, license_, late=late and filed_at is None)),
            due=due,
            late=late,
            supplements=tuple(one for one in dossiers if one.supplement and one.filed_at),
        )

    def late_filings(self, uow: UnitOfWork, identity: Identity) -> Sequence[LateFiling]:
        """Give every visible case that was closed, is not filed and is past its deadline, oldest first."""
        return [LateFiling(case, due, _last_state(uow, case.id)) for case, due in self._late(uow, identity)]

    def late_count(self, uow: UnitOfWork, identity: Identity) -> int:
        """Count them."""
        return sum(1 for _ in self._late(uow, identity))

    def _late(self, uow: UnitOfWork, identity: Identity) -> Iterator[tuple[Case, dt.date]]:
        filed = select(Dossier.id).where(Dossier.case_id == Case.id, Dossier.filed_at.is_not(None)).exists()
        query = select(Case).where(Case.closed_at.is_not(None), ~filed, _traceable_by(identity))
        today = legal_date(uow.clock.now())
        for case in uow.session.scalars(query.order_by(Case.closed_at, Case.id)):
            due = self._due(case)
            if due is not None and due < today:
                yield case, due

    def open_intents(self, uow: UnitOfWork, identity: Identity) -> Sequence[TracedAct]:
        """Give every intent without an outcome that is older than ``INTENT_WITHIN``, for the supervisor."""
        if not identity.has(Role.SUPERVISOR, Role.AUDIT_ADMIN, Role.SYSTEM):
            raise TraceNotFoundError
        outcome = aliased(LedgerAct)
        closed = select(outcome.intent).where(outcome.intent == LedgerAct.act_id).exists()
        query = (
            select(LedgerAct, LedgerEntry.seq)
            .outerjoin(LedgerEntry, LedgerEntry.act_id == LedgerAct.act_id)
            .where(
                LedgerAct.outcome == str(Outcome.INTENDED),
                ~closed,
                LedgerAct.recorded_at < uow.clock.now() - INTENT_WITHIN,
                true() if identity.has(Role.AUDIT_ADMIN) else reached(LedgerAct.organisation, identity),
            )
            .order_by(LedgerAct.recorded_at)
        )
        return [traced(act, seq) for act, seq in uow.session.execute(query)]

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
        yield from _held_steps(uow, case)


def _held_steps(uow: UnitOfWork, case: Case) -> Iterable[Gap]:
    """Name the steps of a case that are stuck, waiting, or late."""
    for step in unfinished_steps(uow, [case.id]):
        if step.state in {"stuck", "waiting"}:
            yield _gap(f"step-{step.state}", step.since, step=step.kind)
        elif uow.clock.now() - step.created_at > STEP_WITHIN:
            yield _gap("step-late", step.created_at, step=step.kind)


def _cases_named(key: str) -> CompoundSelect[tuple[str]]:
    """Give the ids of every case that a key may name, whoever may see them."""
    dossier = or_(Dossier.archival_number == normalise(key), Dossier.id == key)
    license_ = or_(License.identifier == key, License.id == key)
    of_license = (LedgerAct.object_type == "licence") & (LedgerAct.object_id == License.id)
    return union_all(
        select(Case.id).where(or_(Case.number == key, Case.id == key)),
        select(Dossier.case_id).where(dossier),
        select(License.case_id).where(license_),
        select(Decision.case_id).where(Decision.id == key),
        select(LedgerAct.case_id).where(LedgerAct.act_id == key, LedgerAct.case_id.is_not(None)),
        select(License.case_id).join(LedgerAct, of_license).where(LedgerAct.act_id == key),
    )


def _gap(code: str, since: dt.datetime, act_id: str | None = None, step: str | None = None) -> Gap:
    zh, en = _GAPS[code]
    return Gap(code, zh, en, act_id, since, step)


def _may_trace(identity: Identity, case: Case) -> bool:
    if identity.has(Role.AUDIT_ADMIN):
        return True
    return identity.has(Role.SYSTEM, Role.SUPERVISOR, Role.ARCHIVIST) and covers(identity, case.organisation)


def _traceable_by(identity: Identity) -> ColumnElement[bool]:
    """Give :func:`_may_trace` as a condition on :class:`Case` rows."""
    if identity.has(Role.AUDIT_ADMIN):
        return true()
    if identity.has(Role.SYSTEM, Role.SUPERVISOR, Role.ARCHIVIST):
        return reached(Case.organisation, identity)
    return false()


def _last_state(uow: UnitOfWork, case_id: str) -> str | None:
    return uow.session.scalar(
        select(Filing.state).where(Filing.case_id == case_id).order_by(Filing.attempt.desc()).limit(1)
    )
