# SPDX-License-Identifier: Apache-2.0
"""Relations between holders 主体关系, as licences of the library state them.

A relation is proven by a licence that is valid now, of a trusted level, whose face or list of holders gives
the exact code of the other one. A name alone, a masked one, a code that fails its check or two licences that
contradict each other prove nothing: the relation is then unknown, never guessed.
"""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from cases.errors import HolderCodeError
from cases.holders import HolderService, MaskedHolder
from cases.identifiers import (
    ORGANISATION_SCHEMES,
    RESIDENT_ID,
    USCC,
    HolderCode,
    check_holder_code,
    is_resident_id,
    mask_code,
    mask_person,
)
from cases.models import Holder, HolderKind
from licenses.definition import LicenseType
from licenses.faces import FaceValue
from licenses.holdings import Holdings
from licenses.lifecycle import Standing, StatusTitle, status_titles
from licenses.models import License, LicenseHolder
from licenses.relation_table import RelationBook, RelationKind, RelationTable, Statement
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.secrets import ErasedError

_MASKS = frozenset("*＊×")


class Proof(enum.StrEnum):
    """Whether a relation is established."""

    PROVEN = "PROVEN"
    UNKNOWN = "UNKNOWN"


class Direction(enum.StrEnum):
    """Which way a relation points: from the licence's holder to the other one, or both ways."""

    FROM_HOLDER = "from-holder"
    MUTUAL = "mutual"


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a holder, with the licence that states it.

    Attributes:
        kind: Which relation.
        direction: Which way it points.
        proof: Whether it is established.
        reason: Why it is not: ``name-only``, ``name-masked``, ``code-invalid``, ``licence-not-valid``,
            ``trust-too-low``, ``contradicted``.
        other: The other one, masked.
        other_id: Its row; none where the library knows nothing of it, or where nothing is proven.
        source: The licence that states it.
        source_kind: Its type.
        status: Its status now.
        age_days: Days since it was issued.
    """

    kind: RelationKind
    direction: Direction
    proof: Proof
    reason: str | None
    other: MaskedHolder
    other_id: str | None
    source: License
    source_kind: LicenseType
    status: StatusTitle
    age_days: int


@dataclass(frozen=True, slots=True)
class _Named:
    """The other one as a licence names it."""

    code: HolderCode | None
    name: str
    reason: str | None
    row: Holder | None


_By = tuple[RelationTable, Statement]
"""By which table, and which of its statements."""


class Relations:
    """Finds relations of holders.

    Args:
        holdings: What the library holds.
        holders: Finds and masks holders.
        book: What states relations; what came with the product where it is not given.
    """

    def __init__(self, holdings: Holdings, holders: HolderService, book: RelationBook | None = None) -> None:
        self._holdings = holdings
        self._holders = holders
        self._book = book or RelationBook.load()

    @property
    def table(self) -> RelationTable:
        """What states relations now."""
        return self._book.newest()

    def of(
        self, uow: UnitOfWork, holder_id: str, relation: str | None = None, at: dt.datetime | None = None
    ) -> list[Relation]:
        """Give the relations that licences of a holder state, those of one kind or all, now or at an instant.

        Who calls has permitted it and records which licences were read: the sources of what it gets.
        """
        then = at or uow.clock.now()
        table = self._book.at(then)
        statements = [one for one in table.statements if relation in {None, one.relation}]
        types = sorted({one.type for one in statements})
        together = select(LicenseHolder.license_id).where(LicenseHolder.holder_id == holder_id)
        query = select(License).where(
            License.type_code.in_(types),
            (License.holder_id == holder_id) | License.id.in_(together),
            License.reserved_at <= then,
        )
        found: list[Relation] = []
        for license_ in uow.session.scalars(query.order_by(License.reserved_at.desc(), License.id)):
            for statement in statements:
                if statement.type == license_.type_code:
                    found += self._stated(uow, holder_id, license_, (table, statement), then)
        return _agreed(found)

    def _stated(
        self, uow: UnitOfWork, holder_id: str, license_: License, by: "_By", at: dt.datetime
    ) -> list[Relation]:
        _, statement = by
        if statement.holders:
            others = self._others(uow, holder_id, license_)
        elif license_.holder_id == holder_id:
            others = self._on_face(uow, license_, statement)
        else:
            others = []
        return [self._relation(uow, license_, by, one, at) for one in others]

    def _others(self, uow: UnitOfWork, holder_id: str, license_: License) -> list[_Named]:
        query = select(LicenseHolder).where(
            LicenseHolder.license_id == license_.id, LicenseHolder.holder_id != holder_id
        )
        found = []
        for row in uow.session.scalars(query.order_by(LicenseHolder.position)):
            holder = uow.session.get_one(Holder, row.holder_id)
            try:
                clear = self._holders.reveal(uow, holder)
            except ErasedError:
                # That there is another one still stands; who it was nobody can tell.
                found.append(_Named(None, "", None, holder))
            else:
                found.append(_Named(HolderCode(clear.scheme, clear.code), clear.name, None, holder))
        return found

    def _on_face(self, uow: UnitOfWork, license_: License, statement: Statement) -> list[_Named]:
        face = self._holdings.face(uow, license_)
        name = _text(face, statement.name)
        code = _text(face, statement.code)
        if not name and not code:
            return []
        if statement.scheme is None or not code:
            masked = not _MASKS.isdisjoint(name)
            return [_Named(None, name, "name-masked" if masked else "name-only", None)]
        try:
            normal = exact_code(statement.scheme, code)
        except HolderCodeError:
            return [_Named(None, name, "code-invalid", None)]
        return [_Named(normal, name, None, self._holders.find(uow, normal.scheme, normal.code))]

    def _relation(
        self, uow: UnitOfWork, license_: License, by: "_By", one: _Named, at: dt.datetime
    ) -> Relation:
        table, statement = by
        status = status_titles()[self._holdings.status(uow, license_, at)]
        reason = one.reason
        if reason is None and status.standing is not Standing.GOOD:
            reason = "licence-not-valid"
        if reason is None and license_.trust not in table.trust:
            reason = "trust-too-low"
        return Relation(
            kind=table.kind(statement.relation),
            direction=Direction.MUTUAL if statement.holders else Direction.FROM_HOLDER,
            proof=Proof.UNKNOWN if reason else Proof.PROVEN,
            reason=reason,
            other=_masked(one),
            other_id=one.row.id if one.row is not None and reason is None else None,
            source=license_,
            source_kind=self._holdings.types.as_issued(license_.type_code, license_.type_version),
            status=status,
            age_days=(legal_date(at) - license_.issued_on).days,
        )


def exact_code(scheme: str, code: str) -> HolderCode:
    """Give a code in its normal form; a sole trader's resident number under 001 is the person's.

    Raises:
        HolderCodeError: The code does not fit its scheme.
    """
    folded = code.strip().upper()
    if scheme == USCC and is_resident_id(folded):
        return check_holder_code(RESIDENT_ID, folded)
    return check_holder_code(scheme, folded)


def _text(face: Mapping[str, FaceValue], name: str | None) -> str:
    value = face.get(name) if name is not None else None
    return value.strip() if isinstance(value, str) else ""


def _masked(one: _Named) -> MaskedHolder:
    scheme, code = one.code or ("", "")
    organisation = scheme in ORGANISATION_SCHEMES
    kind = HolderKind.ORGANISATION if organisation else HolderKind.PERSON
    name = one.name if organisation else mask_person(one.name)
    return MaskedHolder(scheme, mask_code(code) if code else "", name, kind)


def _agreed(found: Sequence[Relation]) -> list[Relation]:
    """Take what is proven twice and differently as unknown where only one can be true."""
    others: dict[str, set[str]] = {}
    for one in found:
        if one.kind.single and one.proof is Proof.PROVEN:
            others.setdefault(one.kind.code, set()).add(one.other_id or one.other.code)
    return [
        _contradicted(one) if one.proof is Proof.PROVEN and len(others.get(one.kind.code, ())) > 1 else one
        for one in found
    ]


def _contradicted(one: Relation) -> Relation:
    return replace(one, proof=Proof.UNKNOWN, reason="contradicted", other_id=None)
