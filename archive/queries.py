# SPDX-License-Identifier: Apache-2.0
"""States of filings and what became of everything received, within what an identity may see.

Lists show no more than the desk needs: holders masked, no content. Opening a dossier or one of its files
needs the basis ``filing`` or ``supervision`` and is itself an act.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from archive.errors import DossierNotFoundError, FilingNotFoundError
from archive.findings import read_finding
from archive.holds import standing_holds
from archive.models import (
    IN_PROGRESS,
    REPEATABLE,
    Dossier,
    DossierMember,
    Filing,
    FilingMaterial,
    FilingState,
    MaterialOutcome,
)
from archive.names import sent_names, titles
from archive.narrowing import ALL, EVERYTHING, Narrowing, list_condition
from archive.numbering import normalise
from archive.permissions import dossiers_visible_to, filings_visible_to
from archive.sealing import filed_of, members_of
from archive.stepping import StepOfCase, progress_of, unfinished_steps
from archive.tracing import pages_read_this_hour
from archive.views import (
    AttemptView,
    CaseView,
    Counts,
    DossierView,
    FilingDetail,
    MaterialView,
    Waiting,
    WorkPage,
    WorkRow,
    has_pages,
)
from cases.holders import HolderService, MaskedHolder
from cases.models import Case, Holder
from cases.ports import Deadlines, Items
from cases.services import CaseService
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.identity import Basis, Identity
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.kinds import ActKind

UNTOUCHED = "untouched"
"""Outcome of a material whose filing was given back before it was processed; the original is kept."""

_READING_BASES = frozenset({Basis.FILING, Basis.SUPERVISION})
_MOST = 200


class FilingQueries:
    """Answers about filings and dossiers.

    Args:
        cases: Finds cases an identity may see.
        holders: Masks holders.
        items: Knows how many days filing may take.
        deadlines: Counts working days.
    """

    def __init__(
        self, cases: CaseService, holders: HolderService, items: Items, deadlines: Deadlines
    ) -> None:
        self._cases = cases
        self._holders = holders
        self._items = items
        self._deadlines = deadlines

    def case_state(self, uow: UnitOfWork, identity: Identity, source: str, number: str) -> CaseView:
        """Give the state of a case with every attempt and its reasons.

        Raises:
            CaseNotFoundError: There is none, or this identity may not see it.
        """
        found = self._cases.get(uow, identity, source, number)
        filings = uow.session.scalars(
            select(Filing).where(Filing.case_id == found.id).order_by(Filing.attempt)
        ).all()
        waiting = _waiting(uow, filings)
        closing = [filing for filing in filings if filing.supplement is None]
        last = closing[-1] if closing else None
        dossiers = filed_of(uow, found.id)
        dossier = next((one for one in dossiers if one.supplement is None), None)
        license_id = next((one.license_id for one in reversed(filings) if one.license_id), None)
        license_waiting = _first(unfinished_steps(uow, [found.id]), license_id) if license_id else None
        return CaseView(
            case=found,
            holder=self._holder(uow, found.holder_id),
            state=last.state if last else str(found.state),
            due=self._due(found) if dossier is None else None,
            attempts=tuple(_attempt(filing, waiting) for filing in filings),
            license_id=license_id,
            license_waiting=license_waiting,
            dossier_id=dossier.id if dossier else None,
            archival_number=dossier.archival_number if dossier else None,
            supplements=tuple(one for one in dossiers if one.supplement is not None),
        )

    def counts(self, uow: UnitOfWork, identity: Identity, narrowed: Narrowing = EVERYTHING) -> Counts:
        """Count what this identity may see of what is asked for."""
        conditions = [filings_visible_to(identity), *narrowed.conditions()]
        alone = func.sum(case((Filing.original_only > 0, 1), else_=0))
        found = uow.session.execute(
            select(Filing.state, func.count(), alone).where(*conditions).group_by(Filing.state)
        )
        counted: dict[FilingState, tuple[int, int]] = {
            FilingState(state): (number, int(only)) for state, number, only in found
        }
        number = {state: counted.get(state, (0, 0))[0] for state in FilingState}
        return Counts(
            received=sum(number.values()),
            filed=number[FilingState.FILED],
            returned=number[FilingState.RETURNED],
            quarantined=number[FilingState.QUARANTINED],
            in_progress=sum(number[state] for state in IN_PROGRESS),
            original_only=counted.get(FilingState.FILED, (0, 0))[1],
        )

    def worklist(
        self,
        uow: UnitOfWork,
        identity: Identity,
        which: str = ALL,
        *,
        after: str | None = None,
        limit: int = 50,
        narrowed: Narrowing = EVERYTHING,
    ) -> WorkPage:
        """Give one of the archivist's lists, newest first.

        Raises:
            CursorError: ``which`` is no list, or the cursor is not one of ours.
        """
        conditions = [filings_visible_to(identity), list_condition(which), *narrowed.conditions()]
        limit = max(1, min(limit, _MOST))
        total = uow.session.scalar(select(func.count()).select_from(Filing).where(*conditions)) or 0
        query = (
            select(Filing, Case)
            .join(Case, Case.id == Filing.case_id)
            .where(*conditions, *([_before(*read_cursor(after))] if after else []))
            .order_by(Filing.received_at.desc(), Filing.id.desc())
            .limit(limit + 1)
        )
        found = [(filing, owner) for filing, owner in uow.session.execute(query)]
        shown = found[:limit]
        waiting = _waiting(uow, [filing for filing, _ in shown])
        rows = tuple(self._row(uow, filing, owner, waiting) for filing, owner in shown)
        last = shown[-1][0] if len(found) > limit else None
        cursor = write_cursor(last.received_at, last.id) if last else None
        return WorkPage(rows, total, cursor)

    def selected(self, uow: UnitOfWork, identity: Identity, ids: Collection[str]) -> Sequence[WorkRow]:
        """Give the rows of some filings, newest first.

        Raises:
            FilingNotFoundError: One of them does not exist, or this identity may not see it.
        """
        query = (
            select(Filing, Case)
            .join(Case, Case.id == Filing.case_id)
            .where(Filing.id.in_(ids), filings_visible_to(identity))
            .order_by(Filing.received_at.desc(), Filing.id.desc())
        )
        found = [(filing, owner) for filing, owner in uow.session.execute(query)]
        if len(found) != len(set(ids)):
            raise FilingNotFoundError
        waiting = _waiting(uow, [filing for filing, _ in found])
        return [self._row(uow, filing, owner, waiting) for filing, owner in found]

    def filing(self, uow: UnitOfWork, identity: Identity, filing_id: str) -> FilingDetail:
        """Give a filing with its materials.

        Raises:
            FilingNotFoundError: There is none, or this identity may not see it.
        """
        filing = uow.session.scalar(
            select(Filing).where(Filing.id == filing_id, filings_visible_to(identity))
        )
        if filing is None:
            raise FilingNotFoundError
        materials = _materials(uow, filing.id)
        item = self._items.get(filing.item_code, filing.item_edition)
        named = zip(materials, titles(item, [one.code for one in materials]), strict=True)
        return FilingDetail(
            _attempt(filing, _waiting(uow, [filing])),
            tuple(
                MaterialView(one, _outcome(filing, one), title, sent_names(uow, one)) for one, title in named
            ),
        )

    def original_only(self, uow: UnitOfWork, identity: Identity) -> Sequence[FilingMaterial]:
        """Give every material of filed dossiers that stands as the original alone, with its reason."""
        return uow.session.scalars(
            select(FilingMaterial)
            .join(Filing, Filing.id == FilingMaterial.filing_id)
            .where(
                filings_visible_to(identity),
                Filing.state == str(FilingState.FILED),
                FilingMaterial.outcome == str(MaterialOutcome.ORIGINAL_ONLY),
            )
            .order_by(Filing.received_at, FilingMaterial.position)
        ).all()

    def dossier(self, uow: UnitOfWork, identity: Identity, key: str) -> DossierView:
        """Open a dossier by its id or its archival number; recorded, so it needs a writing unit of work.

        Raises:
            DossierNotFoundError: Unknown, or not to be seen on this basis; the caller records it.
        """
        dossier = self._readable(uow, identity, key)
        look = self._note(uow, identity, dossier, dossier.manifest_sha256)
        owner = uow.session.get_one(Case, dossier.case_id)
        members = tuple(members_of(uow, dossier.id))
        sent = {one.id: sent_names(uow, one) for one in _materials(uow, dossier.filing_id)}
        holds = tuple(standing_holds(uow, dossier.id))
        family = tuple(one for one in filed_of(uow, owner.id) if one.id != dossier.id)
        holder = self._holder(uow, dossier.holder_id)
        return DossierView(dossier, owner, holder, members, sent, holds, look, family)

    def member(self, uow: UnitOfWork, identity: Identity, dossier_id: str, member_id: str) -> DossierMember:
        """Give one file of a dossier for reading it from the object store; recorded like :meth:`dossier`.

        Raises:
            DossierNotFoundError: As :meth:`dossier`, or the dossier has no such member.
        """
        dossier, member = self._member(uow, identity, dossier_id, member_id)
        self._note(uow, identity, dossier, member.sha256)
        return member

    def pages(
        self, uow: UnitOfWork, identity: Identity, dossier_id: str, member_id: str
    ) -> tuple[Dossier, DossierMember]:
        """Give a dossier and that PDF/A file of it (``archive.views.has_pages``) whose pages are to be shown.

        Reading pages is an act of the case, one for each person, dossier and hour of the clock: a dossier is
        many pages, and a record of each would hide the rest. Web processes on several machines may record
        one more at the turn of the hour, never none.

        Raises:
            DossierNotFoundError: As :meth:`member`, or the file has no pages to be shown.
        """
        dossier, member = self._member(uow, identity, dossier_id, member_id)
        if not has_pages(member):
            raise DossierNotFoundError(_refusal(identity, dossier))
        if not pages_read_this_hour(uow, identity, dossier):
            self._note(uow, identity, dossier, dossier.manifest_sha256, ActKind.DOSSIER_PAGES_READ)
        return dossier, member

    def pages_again(
        self, uow: UnitOfWork, identity: Identity, dossier_id: str, member_id: str
    ) -> tuple[Dossier, DossierMember] | None:
        """Give the same while this hour's act stands, so that nothing is written; else nothing.

        Raises:
            DossierNotFoundError: As :meth:`member`.
        """
        dossier, member = self._member(uow, identity, dossier_id, member_id)
        known = has_pages(member) and pages_read_this_hour(uow, identity, dossier)
        return (dossier, member) if known else None

    def _member(
        self, uow: UnitOfWork, identity: Identity, dossier_id: str, member_id: str
    ) -> tuple[Dossier, DossierMember]:
        dossier = self._readable(uow, identity, dossier_id)
        member = uow.session.get(DossierMember, member_id)
        if member is None or member.dossier_id != dossier.id:
            raise DossierNotFoundError(_refusal(identity, dossier))
        return dossier, member

    def _readable(self, uow: UnitOfWork, identity: Identity, key: str) -> Dossier:
        condition = or_(Dossier.id == key, Dossier.archival_number == normalise(key))
        dossier = uow.session.scalar(select(Dossier).where(condition, Dossier.filed_at.is_not(None)))
        based = identity.basis is not None and identity.basis.kind in _READING_BASES
        visible = dossier is not None and uow.session.scalar(
            select(Dossier.id).where(Dossier.id == dossier.id, dossiers_visible_to(identity))
        )
        if dossier is None or not visible or not based:
            raise DossierNotFoundError(_refusal(identity, dossier))
        return dossier

    @staticmethod
    def _note(
        uow: UnitOfWork,
        identity: Identity,
        dossier: Dossier,
        sha256: str | None,
        kind: ActKind = ActKind.DOSSIER_READ,
    ) -> Promise:
        return uow.record(
            Act(
                kind=kind,
                actor=identity,
                object_type="dossier",
                object_id=dossier.id,
                object_sha256=sha256,
                case=dossier.case_id,
                subject=dossier.holder_id,
            )
        )

    def _holder(self, uow: UnitOfWork, holder_id: str) -> MaskedHolder:
        return self._holders.masked(uow, uow.session.get_one(Holder, holder_id))

    def _due(self, found: Case) -> dt.date | None:
        if found.closed_at is None:
            return None
        item = self._items.get(found.item_code, found.item_edition)
        return self._deadlines.filing_due(found.closed_at, item.filing_days)

    def _row(self, uow: UnitOfWork, filing: Filing, owner: Case, waiting: Mapping[str, Waiting]) -> WorkRow:
        dossier = uow.session.get(Dossier, filing.dossier_id) if filing.dossier_id else None
        filed = dossier if dossier is not None and dossier.filed_at is not None else None
        return WorkRow(
            filing=_attempt(filing, waiting),
            case_id=owner.id,
            source=owner.source,
            number=owner.number,
            item_code=owner.item_code,
            item_edition=owner.item_edition,
            organisation=filing.organisation,
            holder=self._holder(uow, owner.holder_id),
            dossier_id=filed.id if filed else None,
            archival_number=filed.archival_number if filed else None,
        )


def _refusal(identity: Identity, dossier: Dossier | None) -> Act:
    return Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=identity,
        object_type="dossier",
        object_id=dossier.id if dossier else "unknown",
        outcome=Outcome.REFUSED,
        case=dossier.case_id if dossier else None,
        subject=dossier.holder_id if dossier else "system",
    )


def _attempt(filing: Filing, waiting: Mapping[str, Waiting]) -> AttemptView:
    state, wait = FilingState(filing.state), waiting.get(filing.id)
    return AttemptView(
        id=filing.id,
        attempt=filing.attempt,
        state=state,
        set_sha256=filing.set_sha256,
        received_at=filing.received_at,
        decided_at=filing.decided_at,
        findings=tuple(read_finding(one) for one in filing.findings),
        original_only=filing.original_only,
        waiting=wait,
        progress=progress_of(state, wait.step if wait else None),
        supplement=filing.supplement,
    )


def _materials(uow: UnitOfWork, filing_id: str) -> Sequence[FilingMaterial]:
    return uow.session.scalars(
        select(FilingMaterial).where(FilingMaterial.filing_id == filing_id).order_by(FilingMaterial.position)
    ).all()


def _outcome(filing: Filing, material: FilingMaterial) -> str:
    given_back = FilingState(filing.state) in REPEATABLE
    return UNTOUCHED if given_back and material.outcome == MaterialOutcome.RECEIVED else material.outcome


def _waiting(uow: UnitOfWork, filings: Sequence[Filing]) -> dict[str, Waiting]:
    """Give what each unfinished filing waits for: a step of its own, or the making of its licence."""
    unfinished = [filing for filing in filings if filing.state in IN_PROGRESS]
    steps = unfinished_steps(uow, {filing.case_id for filing in unfinished})
    found = ((filing.id, _first(steps, filing.id, filing.license_id)) for filing in unfinished)
    return {filing_id: wait for filing_id, wait in found if wait is not None}


def _first(steps: Sequence[StepOfCase], *subjects: str | None) -> Waiting | None:
    """Give the step of these subjects that needs somebody most."""
    step = next((one for one in steps if one.subject in subjects), None)
    return Waiting(step.kind, step.state, step.problem, step.since) if step else None


def _before(received_at: dt.datetime, filing_id: str) -> ColumnElement[bool]:
    return or_(
        Filing.received_at < received_at, and_(Filing.received_at == received_at, Filing.id < filing_id)
    )
