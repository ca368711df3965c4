# SPDX-License-Identifier: Apache-2.0
"""Finds licences for an open case: of its holder, or of somebody whose relation to the holder is proven.

Only what is valid now is shown unless history is asked for. A relation is followed only where the case's
item names it as one that its handling needs; who is looked at that way sees the use like any other.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import literal, select, tuple_

from cases.holders import HolderService, MaskedHolder
from cases.models import Case, Holder
from licenses.grants.terms import Ceiling
from licenses.lifecycle import Standing
from licenses.looks import asked_as_of, held_by, holds, instant_asked, refused
from licenses.models import License
from licenses.reading import LicenseReader
from licenses.relations import Proof, Relation, Relations
from licenses.views import LicenseView
from storage.base import Instant
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.identity import Identity

MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for.

    Attributes:
        relation: Licences of who stands in this relation to the case's holder; the holder's own without.
        type_code: Only of this type.
        history: Also those that are not valid at that instant.
        at: As of this earlier instant; now when ``None``.
        after: ``next`` of the page before.
    """

    relation: str | None = None
    type_code: str | None = None
    history: bool = False
    at: dt.datetime | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A page of licences.

    Attributes:
        holder: Whose licences they are; none where the relation is not proven.
        relations: What the asked relation rests on.
        licenses: Newest first; a page may be short, or empty, and have a next one.
        next_cursor: Where the next page begins; none on the last one.
    """

    holder: MaskedHolder | None
    relations: Sequence[Relation]
    licenses: Sequence[LicenseView]
    next_cursor: str | None


class LookupService:
    """Finds licences.

    Args:
        reader: Knows the case of a basis, shows licences, records looks.
        relations: Finds relations.
        holders: Masks holders.
    """

    def __init__(self, reader: LicenseReader, relations: Relations, holders: HolderService) -> None:
        self._reader = reader
        self._relations = relations
        self._holders = holders

    def find(self, uow: UnitOfWork, identity: Identity, wanted: Wanted) -> Found:
        """Give a page of licences for the open case that the basis names.

        Raises:
            LicenseHiddenError: The basis names no open case that this identity may use, or its item does
                not follow this relation.
            RelationUnknownError: There is no such relation.
            CursorError: No page gave ``after``.
            InvalidInputError: The instant asked about has not come yet.
        """
        instant_asked(uow, wanted.at)
        case = self._case(uow, identity, wanted.relation)
        types = None if wanted.type_code is None else {wanted.type_code}
        identity = self._reader.granted(uow, identity, Ceiling.FIELDS, types)
        if wanted.relation is None:
            return self._page(uow, identity, case.holder_id, wanted, ())
        relations = self._followed(uow, identity, case, wanted.relation)
        proven = _proven(relations)
        if len(proven) != 1:
            return Found(None, relations, (), None)
        return self._page(uow, identity, proven[0], wanted, relations)

    def read(
        self,
        uow: UnitOfWork,
        identity: Identity,
        identifier: str,
        relation: str,
        at: dt.datetime | None = None,
    ) -> LicenseView:
        """Give a licence of who stands in a relation to the case's holder, with its face.

        Raises:
            LicenseHiddenError: Unknown, or not to be seen on this basis.
            RelationUnknownError: There is no such relation.
            InvalidInputError: The instant asked about has not come yet.
        """
        instant_asked(uow, at)
        case = self._case(uow, identity, relation)
        license_ = uow.session.scalar(select(License).where(License.identifier == identifier))
        types = set() if license_ is None else {license_.type_code}
        identity = self._reader.granted(uow, identity, Ceiling.FIELDS, types)
        proven = _proven(self._followed(uow, identity, case, relation))
        if license_ is None or not any(holds(uow, one, license_) for one in proven):
            raise refused(uow, identity, license_)
        asked = _asked(relation, at)
        self._reader.note(uow, identity, "read", license_.holder_id, [license_], asked=asked)
        return self._reader.view(uow, license_, with_face=True, at=at)

    def relations(self, uow: UnitOfWork, identity: Identity) -> Sequence[Relation]:
        """Give every relation that licences of the case's holder state.

        Raises:
            LicenseHiddenError: The basis names no open case that this identity may use.
        """
        case = self._case(uow, identity, None)
        identity = self._reader.granted(uow, identity, Ceiling.FIELDS, None)
        return self._followed(uow, identity, case, None)

    def follows(self, case: Case, relation: Relation) -> bool:
        """Tell whether the licences of a relation's other side may be listed for a case."""
        proven = relation.proof is Proof.PROVEN and relation.other_id is not None
        return proven and self._relations.table.may_follow(case.item_code, relation.kind.code)

    def _case(self, uow: UnitOfWork, identity: Identity, relation: str | None) -> Case:
        if relation is not None:
            self._relations.table.kind(relation)
        case = self._reader.open_case(uow, identity)
        if case is None:
            raise refused(uow, identity, None)
        if relation is not None and not self._relations.table.may_follow(case.item_code, relation):
            raise refused(uow, identity, None, "relation-not-granted")
        return case

    def _followed(
        self, uow: UnitOfWork, identity: Identity, case: Case, relation: str | None
    ) -> Sequence[Relation]:
        """Give relations of the case's holder, and record which licences told of them."""
        found = self._relations.of(uow, case.holder_id, relation)
        sources = list({one.source.id: one.source for one in found}.values())
        self._reader.note(uow, identity, "find", case.holder_id, sources, asked=_asked(relation or "all"))
        return found

    def _page(
        self,
        uow: UnitOfWork,
        identity: Identity,
        holder_id: str,
        wanted: Wanted,
        relations: Sequence[Relation],
    ) -> Found:
        limit = max(1, min(wanted.limit, MOST))
        query = select(License).where(
            held_by(holder_id), License.reserved_at <= instant_asked(uow, wanted.at)
        )
        if wanted.type_code is not None:
            query = query.where(License.type_code == wanted.type_code)
        if wanted.after is not None:
            at, row_id = read_cursor(wanted.after)
            query = query.where(
                tuple_(License.reserved_at, License.id) < tuple_(literal(at, Instant), literal(row_id))
            )
        newest = query.order_by(License.reserved_at.desc(), License.id.desc())
        rows = uow.session.scalars(newest.limit(limit + 1)).all()
        views = [(row, self._reader.view(uow, row, with_face=False, at=wanted.at)) for row in rows[:limit]]
        # Whether a licence is valid is computed, so it is left out here and not by the query.
        shown = [pair for pair in views if wanted.history or pair[1].status.standing is Standing.GOOD]
        asked = _asked(wanted.relation, wanted.at)
        self._reader.note(uow, identity, "find", holder_id, [row for row, _ in shown], asked=asked)
        last = rows[limit - 1] if len(rows) > limit else None
        return Found(
            self._holders.masked(uow, uow.session.get_one(Holder, holder_id)),
            relations,
            [view for _, view in shown],
            write_cursor(last.reserved_at, last.id) if last is not None else None,
        )


def _proven(relations: Sequence[Relation]) -> list[str]:
    found = [one.other_id for one in relations if one.proof is Proof.PROVEN and one.other_id is not None]
    return sorted(set(found))


def _asked(relation: str | None, at: dt.datetime | None = None) -> str:
    named = f"relation={relation}" if relation is not None else ""
    return " ".join(part for part in (named, asked_as_of(at)) if part)
