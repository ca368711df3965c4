# SPDX-License-Identifier: Apache-2.0
"""Objections 异议: holders contest a use of what is held of them, or a licence; a department answers in time.

Guarantees: only holders object, and only to what is their own; each objection, each reading of its words by
an official and each answer is an act in the transaction that makes it; an answer is given once, by the
department concerned, never by who made the use, and stands with its sentence where the holder sees it. The
clock counts working days (``data/objections.json``); what is overdue is computed, never stored.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import ColumnElement, Select, func, literal, select, true, tuple_

from cases.organisations import covers, reached
from licenses.contesting import (
    LONGEST,
    About,
    DisputeRemedyError,
    Listing,
    ObjectionPage,
    ObjectionState,
    ObjectionView,
    ReadObjection,
    SpokenObjection,
    Subject,
    act_of,
    made_by,
    objections_to,
    plain_words,
    responsible_for,
    spoken_of,
    standing,
    subject_of,
    view_of,
)
from licenses.deadlines import answer_days
from licenses.errors import (
    ObjectionAnsweredError,
    ObjectionOwnUseError,
    ObjectionStandsError,
    ObjectionSubjectError,
    ObjectionUnknownError,
)
from licenses.looks import concerns, held_together, holds
from licenses.models import LicenseUsage, Objection
from licenses.ports import WorkingDays
from licenses.visibility import Visibility
from storage.base import Instant
from storage.clock import legal_date
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Promise
from storage.ledger.kinds import ActKind

__all__ = [
    "LONGEST",
    "READERS",
    "WATCHERS",
    "About",
    "Listing",
    "ObjectionPage",
    "ObjectionService",
    "ObjectionState",
    "ReadObjection",
    "SpokenObjection",
    "standing",
]
ROWS: Final = 50
"""Objections on one page of a list."""
_MOST_OWN: Final = 100
_HANDLERS: Final = (Role.ARCHIVIST, Role.LICENSE_MANAGER)
READERS: Final = (*_HANDLERS, Role.SUPERVISOR)
"""Who may read what a holder says."""
WATCHERS: Final = (*READERS, Role.AUDIT_ADMIN)
"""Who sees which objections there are, and how far they are."""


class ObjectionService:
    """Takes objections, shows them, and takes their answers.

    Args:
        calendar: Counts working days.
        days: How many a department has; the data say by default.
        rules: Which uses a holder sees, and may so object to; the shipped rules when ``None``.
    """

    def __init__(
        self, calendar: WorkingDays, days: int | None = None, rules: Visibility | None = None
    ) -> None:
        self._calendar = calendar
        self._rules = rules
        self._days = days or answer_days()

    def due_on(self, opened_at: dt.datetime) -> dt.date:
        """Give the last legal date (inclusive) on which an objection opened then is answered in time."""
        return self._calendar.add_working_days(legal_date(opened_at), self._days)

    def answering(self, uow: UnitOfWork, identity: Identity, about: About, object_id: str) -> str:
        """Give the code of the organisation that would answer an objection of this holder.

        Of a licence that several hold together each objects alone.

        Raises:
            NotPermittedError: The caller is no holder.
            ObjectionSubjectError: It is nothing of the caller's own.
            ObjectionStandsError: One of the caller's waits for its answer.
        """
        identity.demand(Role.HOLDER)
        if about is About.DISPUTE:
            raise ObjectionSubjectError
        subject = subject_of(uow, about, object_id)
        if not _is_own(uow, identity.id, about, subject, self._rules):
            raise ObjectionSubjectError
        mine = (row for row in objections_to(uow, about, object_id) if row.holder_id == identity.id)
        if any(row.state == ObjectionState.OPEN for row in mine):
            raise ObjectionStandsError
        return responsible_for(subject)

    def open(
        self, uow: UnitOfWork, identity: Identity, about: About, object_id: str, words: str
    ) -> Objection:
        """Take an objection.

        Raises:
            NotPermittedError, ObjectionSubjectError, ObjectionStandsError: As :meth:`answering`.
            ObjectionWordsError: Nothing is said, or too much.
        """
        organisation = self.answering(uow, identity, about, object_id)
        subject, now = subject_of(uow, about, object_id), uow.clock.now()
        row = Objection(
            id=uow.ids.new_id(),
            holder_id=identity.id,
            about=about,
            object_id=object_id,
            position=1 + len(objections_to(uow, about, object_id)),
            organisation=organisation,
            case_id=subject.case.id if subject.case is not None else None,
            words_cipher=uow.secrets.encrypt(identity.id, plain_words(words).encode()),
            opened_at=now,
            due_on=self.due_on(now),
            state=ObjectionState.OPEN,
        )
        uow.session.add(row)
        uow.session.flush()
        uow.record(act_of(ActKind.OBJECTION_OPENED, identity, row, rows=[row], reasons=[f"about-{about}"]))
        return row

    def own(self, uow: UnitOfWork, identity: Identity) -> Sequence[SpokenObjection]:
        """Give the caller's own objections, newest first; the caller records the look.

        Raises:
            NotPermittedError: The caller is no holder.
        """
        identity.demand(Role.HOLDER)
        query = select(Objection).where(Objection.holder_id == identity.id, Objection.raised_by.is_(None))
        newest = query.order_by(Objection.opened_at.desc(), Objection.id.desc()).limit(_MOST_OWN)
        return [spoken_of(uow, row) for row in uow.session.scalars(newest)]

    def beside(self, uow: UnitOfWork, identity: Identity) -> Sequence[ObjectionView]:
        """Give what others object to of the licences that the caller holds together with them, newest first.

        What they say and are answered is theirs: only what it is about, days and states are told.

        Raises:
            NotPermittedError: The caller is no holder.
        """
        identity.demand(Role.HOLDER)
        together = held_together(uow, identity.id)
        if not together:
            return []
        used = select(LicenseUsage.id).where(LicenseUsage.license_id.in_(together))
        concerned = ((Objection.about == str(About.LICENCE)) & Objection.object_id.in_(together)) | (
            (Objection.about == str(About.USE)) & Objection.object_id.in_(used)
        )
        query = select(Objection).where(concerned, Objection.holder_id != identity.id)
        newest = query.order_by(Objection.opened_at.desc(), Objection.id.desc()).limit(_MOST_OWN)
        today = legal_date(uow.clock.now())
        return [view_of(row, today) for row in uow.session.scalars(newest)]

    def listed(
        self, uow: UnitOfWork, identity: Identity, listing: Listing, after: str | None = None
    ) -> ObjectionPage:
        """Give the objections that an official sees, without what was said: what waits longest comes first.

        Raises:
            NotPermittedError: The caller has none of :data:`WATCHERS`' roles.
            CursorError: No page gave ``after``.
        """
        identity.demand(*WATCHERS)
        seen = true() if identity.has(Role.AUDIT_ADMIN) else reached(Objection.organisation, identity)
        today = legal_date(uow.clock.now())
        counts = {one: _count(uow, seen & _is(one, today)) for one in Listing}
        query = _placed(select(Objection).where(seen, _is(listing, today)), listing, after)
        found = uow.session.scalars(query.limit(ROWS + 1)).all()
        last = found[ROWS - 1] if len(found) > ROWS else None
        cursor = write_cursor(last.opened_at, last.id) if last is not None else None
        return ObjectionPage([view_of(row, today) for row in found[:ROWS]], counts, cursor)

    def overdue(self, uow: UnitOfWork, identity: Identity) -> int:
        """Count the objections that an official sees and that wait past their last day."""
        identity.demand(*WATCHERS)
        seen = true() if identity.has(Role.AUDIT_ADMIN) else reached(Objection.organisation, identity)
        return _count(uow, seen & _is(Listing.OVERDUE, legal_date(uow.clock.now())))

    def read(self, uow: UnitOfWork, identity: Identity, objection_id: str) -> ReadObjection:
        """Give an objection with what was said; the reading is recorded.

        Raises:
            ObjectionUnknownError: Unknown, or none that the caller may read.
        """
        row = _readable(uow, identity, objection_id)
        subject = subject_of(uow, About(row.about), row.object_id)
        uow.record(act_of(ActKind.OBJECTION_READ, identity, row))
        may_answer = row.state == ObjectionState.OPEN and _answers(identity, row)
        may_answer = may_answer and not made_by(identity, subject.use)
        spoken = spoken_of(uow, row)
        if row.contact_cipher and _answers(identity, row):
            spoken = replace(spoken, contact=uow.secrets.decrypt(row.contact_cipher).decode())
        return ReadObjection(spoken, subject.use, subject.license, subject.case, may_answer)

    def answer(
        self, uow: UnitOfWork, identity: Identity, objection_id: str, words: str, *, upheld: bool
    ) -> Promise:
        """Answer an objection; the holder sees the sentence.

        Raises:
            ObjectionUnknownError: Unknown, or none that the caller may answer.
            ObjectionAnsweredError: It was answered.
            ObjectionOwnUseError: The caller made the use that it is about.
            ObjectionWordsError: Nothing is said, or too much.
        """
        row = _readable(uow, identity, objection_id)
        if not _answers(identity, row):
            raise ObjectionUnknownError
        if row.state != ObjectionState.OPEN:
            raise ObjectionAnsweredError
        if row.about == About.DISPUTE and upheld and row.remedy is None:
            raise DisputeRemedyError
        if row.raised_by == identity.id or made_by(
            identity, subject_of(uow, About(row.about), row.object_id).use
        ):
            raise ObjectionOwnUseError
        row.answer_cipher = uow.secrets.encrypt(row.holder_id, plain_words(words).encode())
        row.state = ObjectionState.UPHELD if upheld else ObjectionState.DECLINED
        row.answered_by, row.answered_at = identity.id, uow.clock.now()
        uow.session.flush()
        reasons = [f"objection-{row.state}"]
        return uow.record(act_of(ActKind.OBJECTION_ANSWERED, identity, row, rows=[row], reasons=reasons))


def _is_own(
    uow: UnitOfWork, holder_id: str, about: About, subject: Subject, rules: Visibility | None
) -> bool:
    """Tell whether a use or an issued licence is a holder's own, or of a licence held together."""
    if about is About.USE:
        return subject.use is not None and concerns(uow, holder_id, subject.use, rules)
    license_ = subject.license
    return license_ is not None and license_.issued_at is not None and holds(uow, holder_id, license_)


def _readable(uow: UnitOfWork, identity: Identity, objection_id: str) -> Objection:
    row = uow.session.get(Objection, objection_id)
    if row is None or not identity.has(*READERS) or not covers(identity, row.organisation):
        raise ObjectionUnknownError
    return row


def _answers(identity: Identity, row: Objection) -> bool:
    """Tell whether somebody answers for the organisation; supervision does for itself alone."""
    if identity.has(*_HANDLERS):
        return covers(identity, row.organisation)
    return identity.has(Role.SUPERVISOR) and identity.organisation == row.organisation


def _is(listing: Listing, today: dt.date) -> ColumnElement[bool]:
    waits = Objection.state == str(ObjectionState.OPEN)
    match listing:
        case Listing.OPEN:
            return waits
        case Listing.OVERDUE:
            return waits & (Objection.due_on < today)
    return ~waits


def _placed(query: Select[Objection], listing: Listing, after: str | None) -> Select[Objection]:
    place = tuple_(Objection.opened_at, Objection.id)
    oldest = listing is not Listing.ANSWERED
    if after is not None:
        at, row_id = read_cursor(after)
        here = tuple_(literal(at, Instant), literal(row_id))
        query = query.where(place > here if oldest else place < here)
    if oldest:
        return query.order_by(Objection.opened_at, Objection.id)
    return query.order_by(Objection.opened_at.desc(), Objection.id.desc())


def _count(uow: UnitOfWork, condition: ColumnElement[bool]) -> int:
    return uow.session.scalar(select(func.count()).select_from(Objection).where(condition)) or 0
