# SPDX-License-Identifier: Apache-2.0
"""What holders see of themselves: their licences, who used what the library holds of them, their objections.

Only ever the records of whoever looks: no number or code is taken from outside, and an id that is not the
holder's own is unknown. Of a licence that several hold together each sees all that is done with it, and of
the others nothing but a masked name. Every look is an act; it is no use of a licence, so that a holder's own
looks do not fill the list of what others did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import literal, select, tuple_

from cases.holders import HolderService, MaskedHolder
from cases.models import Case, Holder
from licenses.contesting import ObjectionView
from licenses.copies.terms import copy_terms
from licenses.decisions import ProofService
from licenses.definition import LicenseType
from licenses.errors import ObjectionSubjectError
from licenses.holdings import Holdings
from licenses.looks import concerns, for_somebody_else, uses_of
from licenses.models import Decision, License, LicenseUsage
from licenses.objections import About, ObjectionService, SpokenObjection
from licenses.reading import LicenseReader
from licenses.rule_definition import Requirement
from licenses.views import LicenseView
from licenses.visibility import Part, Visibility, visibility, without
from storage.base import Instant
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT

_Row = TypeVar("_Row", Case, Decision, Holder, License, LicenseUsage)
ROWS: Final = 30
"""Uses on one page."""


@dataclass(frozen=True, slots=True)
class OwnUse:
    """One use of a holder's data, as the holder sees it.

    Attributes:
        row: When, which office, on which basis, with which result.
        case: The case it was for; none for a use without one. Of another holder's only the matter is told.
        own_case: Whether that is a case of whoever looks.
        myself: Whether whoever looks made the use.
        by: The other holder of the licence who made it, masked; none when it was somebody else.
        masked: What of it a rule of law withholds; the row then lacks it, too.
        requirement: What was asked; none when nothing in particular was.
        kind: Type of the licence concerned; none when the use met none.
    """

    row: LicenseUsage
    case: Case | None
    requirement: Requirement | None
    kind: LicenseType | None
    own_case: bool
    myself: bool
    by: MaskedHolder | None = None
    masked: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True)
class OwnObjection:
    """An own objection, with the use or the licence that it is about."""

    spoken: SpokenObjection
    use: OwnUse | None
    licence: LicenseView | None


@dataclass(frozen=True, slots=True)
class OthersObjection:
    """An objection of another holder of the same licence: days and state, never what was said."""

    view: ObjectionView
    use: OwnUse | None
    licence: LicenseView | None


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """What one look shows.

    Attributes:
        holder: Whose records these are, masked; none when nothing is held of whoever looks.
        licences: Every issued licence, whatever its state.
        uses: One page of uses, newest first.
        objections: The own objections, newest first.
        beside: Objections of others who hold a licence together with whoever looks, newest first.
        next_cursor: Where the next page begins; ``None`` on the last one.
        promise: Of the recorded look.
    """

    holder: MaskedHolder | None
    licences: Sequence[LicenseView]
    uses: Sequence[OwnUse]
    objections: Sequence[OwnObjection]
    beside: Sequence[OthersObjection]
    next_cursor: str | None
    promise: Promise

    def objection(self, about: str, object_id: str) -> OwnObjection | None:
        """Give the newest objection to a use or a licence."""
        named = (about, object_id)
        fitting = (one for one in self.objections if named == _about(one.spoken))
        return next(fitting, None)


class OwnRecordsService:
    """Shows holders their own records.

    Args:
        reader: Shows licences.
        proofs: Knows what was asked.
        holdings: Knows the licence types.
        holders: Masks holders.
        objections: Takes objections.
        rules: What holders see of uses, and when; the shipped rules when ``None``.
    """

    def __init__(
        self,
        reader: LicenseReader,
        proofs: ProofService,
        holdings: Holdings,
        holders: HolderService,
        objections: ObjectionService,
        rules: Visibility | None = None,
    ) -> None:
        self._rules = rules or visibility()
        self._reader = reader
        self._proofs = proofs
        self._holdings = holdings
        self._holders = holders
        self._objections = objections

    def look(self, uow: UnitOfWork, identity: Identity, after: str | None = None) -> OwnRecords:
        """Give the records of the holder who looks.

        Args:
            uow: A writing unit of work.
            identity: The holder.
            after: Where the page of uses begins.

        Raises:
            NotPermittedError: Whoever looks is no holder.
            CursorError: No page gave ``after``.
        """
        identity.demand(Role.HOLDER)
        holder = uow.session.get(Holder, identity.id)
        licences = self._reader.own(uow, identity)
        rows, cursor = self._uses(uow, identity.id, after)
        promise = _looked(uow, identity, holder)
        masked = self._holders.masked(uow, holder) if holder is not None else None
        objections = self._objected(uow, identity.id, self._objections.own(uow, identity), licences)
        beside = self._beside(uow, identity, licences)
        told = self._told(uow, identity.id, rows)
        return OwnRecords(masked, licences, told, objections, beside, cursor, promise)

    def looked(self, uow: UnitOfWork, identity: Identity, purpose: str | None = None) -> Promise:
        """Record a look of the holder at own records that the caller shows.

        Args:
            uow: A writing unit of work.
            identity: The holder.
            purpose: What the holder looks for, one of the published purposes of holders, if it is stated.

        Raises:
            NotPermittedError: Whoever looks is no holder.
            InvalidInputError: The purpose is not published.
        """
        identity.demand(Role.HOLDER)
        if purpose is not None:
            if copy_terms().purpose(Basis.HOLDER, purpose) is None:
                raise InvalidInputError(field="purpose", rule="published")
            identity = identity.on(AccessBasis(Basis.HOLDER, purpose=purpose))
        return _looked(uow, identity, uow.session.get(Holder, identity.id))

    def subject(
        self, uow: UnitOfWork, identity: Identity, about: About, object_id: str
    ) -> OwnUse | LicenseView:
        """Give the own use or licence that somebody may object to; the look is recorded.

        Args:
            uow: A writing unit of work.
            identity: The holder.
            about: Whether the id is a use's or a licence's.
            object_id: Its id, as the caller was shown it.

        Raises:
            NotPermittedError: Whoever looks is no holder.
            ObjectionSubjectError: It is nothing of the holder's own.
        """
        identity.demand(Role.HOLDER)
        _looked(uow, identity, uow.session.get(Holder, identity.id))
        if about is About.LICENCE:
            own = (one for one in self._reader.own(uow, identity) if one.id == object_id)
            if (licence := next(own, None)) is None:
                raise ObjectionSubjectError
            return licence
        row = uow.session.get(LicenseUsage, object_id)
        if row is None or not concerns(uow, identity.id, row, self._rules):
            raise ObjectionSubjectError
        return self._told(uow, identity.id, [row])[0]

    def _objected(
        self,
        uow: UnitOfWork,
        holder_id: str,
        spoken: Sequence[SpokenObjection],
        licences: Sequence[LicenseView],
    ) -> Sequence[OwnObjection]:
        uses = self._contested(uow, holder_id, [one.view for one in spoken])
        owned = {one.id: one for one in licences}
        return [
            OwnObjection(one, uses.get(one.view.row.object_id), owned.get(one.view.row.object_id))
            for one in spoken
        ]

    def _beside(
        self, uow: UnitOfWork, identity: Identity, licences: Sequence[LicenseView]
    ) -> Sequence[OthersObjection]:
        views = self._objections.beside(uow, identity)
        uses = self._contested(uow, identity.id, views)
        owned = {one.id: one for one in licences}
        # An objection to a use that is not shown yet would tell of it.
        return [
            OthersObjection(view, uses.get(view.row.object_id), owned.get(view.row.object_id))
            for view in views
            if view.row.about != About.USE or view.row.object_id in uses
        ]

    def _contested(
        self, uow: UnitOfWork, holder_id: str, views: Sequence[ObjectionView]
    ) -> Mapping[str, OwnUse]:
        """Give the uses that objections are about, by id."""
        ids = [view.row.object_id for view in views if view.row.about == About.USE]
        visible = LicenseUsage.id.in_(ids) & uses_of(uow, holder_id, self._rules)
        found = uow.session.scalars(select(LicenseUsage).where(visible)).all()
        return {one.row.id: one for one in self._told(uow, holder_id, found)}

    def _uses(
        self, uow: UnitOfWork, holder_id: str, after: str | None
    ) -> tuple[Sequence[LicenseUsage], str | None]:
        query = select(LicenseUsage).where(uses_of(uow, holder_id, self._rules))
        if after is not None:
            at, row_id = read_cursor(after)
            place = tuple_(LicenseUsage.at, LicenseUsage.id)
            query = query.where(place < tuple_(literal(at, Instant), literal(row_id)))
        newest = query.order_by(LicenseUsage.at.desc(), LicenseUsage.id.desc())
        found = uow.session.scalars(newest.limit(ROWS + 1)).all()
        last = found[ROWS - 1] if len(found) > ROWS else None
        return found[:ROWS], write_cursor(last.at, last.id) if last is not None else None

    def _told(self, uow: UnitOfWork, holder_id: str, rows: Sequence[LicenseUsage]) -> Sequence[OwnUse]:
        masked = {row.id: self._masked(uow, holder_id, row) for row in rows}
        rows = [without(row, masked[row.id]) for row in rows]
        cases = _by_id(uow, Case, [row.case_id for row in rows])
        others = _by_id(uow, Holder, [row.actor_id for row in rows if row.actor_id != holder_id])
        decisions = _by_id(uow, Decision, [row.decision_id for row in rows])
        licenses = _by_id(uow, License, [row.license_id for row in rows])
        return [
            OwnUse(
                row,
                case := cases.get(row.case_id or ""),
                self._requirement(decisions.get(row.decision_id or ""), row),
                self._kind(licenses.get(row.license_id or "")),
                own_case=case is not None and case.holder_id == holder_id,
                myself=row.actor_id == holder_id,
                by=self._holders.masked(uow, others[row.actor_id]) if row.actor_id in others else None,
                masked=masked[row.id],
            )
            for row in rows
        ]

    def _masked(self, uow: UnitOfWork, holder_id: str, row: LicenseUsage) -> frozenset[Part]:
        if row.actor_id == holder_id:
            return frozenset()
        return self._rules.masked(row, relative=for_somebody_else(uow, holder_id, row))

    def _requirement(self, decision: Decision | None, row: LicenseUsage) -> Requirement | None:
        if decision is None:
            return None
        return self._proofs.requirements(decision).get(row.asked.partition(" ")[0])

    def _kind(self, license_: License | None) -> LicenseType | None:
        if license_ is None:
            return None
        return self._holdings.types.as_issued(license_.type_code, license_.type_version)


def _about(spoken: SpokenObjection) -> tuple[str, str]:
    return spoken.view.row.about, spoken.view.row.object_id


def _looked(uow: UnitOfWork, identity: Identity, holder: Holder | None) -> Promise:
    return uow.record(
        Act(
            kind=ActKind.HOLDER_LOOKED,
            actor=identity,
            object_type="holder",
            object_id=identity.id,
            subject=identity.id if holder is not None else SYSTEM_SUBJECT,
        )
    )


def _by_id(uow: UnitOfWork, table: type[_Row], ids: Sequence[str | None]) -> Mapping[str, _Row]:
    wanted = {one for one in ids if one is not None}
    return {row.id: row for row in uow.session.scalars(select(table).where(table.id.in_(wanted)))}
