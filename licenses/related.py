# SPDX-License-Identifier: Apache-2.0
"""Who of many is related to whom, both ways: by relations that licences prove, and by keyed hashes alone.

A relation leads from a party to a holder when a licence of the party states it, and from a holder to a party
when one of the holder's does. Nobody is shown a licence here: whoever asks learns kinds of relations.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from sqlalchemy import select

from cases.errors import HolderCodeError
from licenses.holdings import Holdings
from licenses.models import License
from licenses.relation_table import Statement
from licenses.relations import Proof, Relations, exact_code
from storage.database import UnitOfWork
from storage.secrets import ErasedError

_AT_ONCE: Final = 500


class Party(NamedTuple):
    """Somebody: by scheme and keyed hash of the code, and by the holder's id where one is known."""

    scheme: str
    code_hash: bytes
    holder_id: str | None


BACK: Final = "of:"
"""Before a kind: it leads from the holder to the party, who is, say, the holder's parent."""
Ties = Mapping[tuple[str, str], frozenset[str]]
"""Kinds of relations by who and to which holder: what the holder is to the party, or :data:`BACK`."""


class RelatedHolders:
    """Finds relations between parties and holders.

    Args:
        relations: Finds relations of one holder.
        holdings: What the library holds.
    """

    def __init__(self, relations: Relations, holdings: Holdings) -> None:
        self._relations = relations
        self._holdings = holdings

    def among(
        self, uow: UnitOfWork, parties: Mapping[str, Party], pairs: Mapping[str, Collection[str]]
    ) -> Ties:
        """Give which parties are related to which of the holders that stand beside them, as of now.

        Args:
            uow: A unit of work.
            parties: Who, by any name.
            pairs: Ids of holders by the name of the party.
        """
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for name, holder, kind in (*self._from(uow, parties, pairs), *self._to(uow, parties, pairs)):
            found[name, holder].add(kind)
        # What leads both ways, as a marriage does, is told once.
        return {pair: frozenset(kinds - {BACK + kind for kind in kinds}) for pair, kinds in found.items()}

    def _from(
        self, uow: UnitOfWork, parties: Mapping[str, Party], pairs: Mapping[str, Collection[str]]
    ) -> Iterator[tuple[str, str, str]]:
        """Give what licences of the parties state."""
        for name, party in parties.items():
            for holder, kind in self._stated(uow, party.holder_id) if party.holder_id else ():
                if holder in pairs.get(name, ()):
                    yield name, holder, kind

    def _stated(self, uow: UnitOfWork, holder_id: str) -> list[tuple[str, str]]:
        try:
            found = self._relations.of(uow, holder_id)
        except ErasedError:
            return []
        return [
            (one.other_id, one.kind.code)
            for one in found
            if one.proof is Proof.PROVEN and one.other_id is not None
        ]

    def _to(
        self, uow: UnitOfWork, parties: Mapping[str, Party], pairs: Mapping[str, Collection[str]]
    ) -> Iterator[tuple[str, str, str]]:
        """Give what licences of the holders state; those held together are the parties' own, too."""
        named: defaultdict[tuple[str, bytes], set[str]] = defaultdict(set)
        for name, party in parties.items():
            named[party.scheme, party.code_hash].add(name)
        stating: defaultdict[str, list[Statement]] = defaultdict(list)
        for one in self._relations.table.statements:
            if one.code is not None:
                stating[one.type].append(one)
        wanted = sorted({holder for holders in pairs.values() for holder in holders})
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            query = select(License).where(License.holder_id.in_(some), License.type_code.in_(sorted(stating)))
            for license_ in uow.session.scalars(query.order_by(License.id)):
                for one in stating[license_.type_code]:
                    for name in named.get(self._names(uow, license_, one) or ("", b""), ()):
                        if license_.holder_id in pairs.get(name, ()) and self._proven(uow, license_, one):
                            yield name, license_.holder_id, BACK + one.relation

    def _names(self, uow: UnitOfWork, license_: License, statement: Statement) -> tuple[str, bytes] | None:
        """Give whom a licence names, by scheme and keyed hash."""
        try:
            code = self._holdings.face(uow, license_).get(statement.code or "")
        except ErasedError:
            return None
        if not isinstance(code, str) or statement.scheme is None:
            return None
        try:
            normal = exact_code(statement.scheme, code)
        except HolderCodeError:
            return None
        return normal.scheme, uow.secrets.lookup_hash(normal.scheme, normal.code)

    def _proven(self, uow: UnitOfWork, license_: License, statement: Statement) -> bool:
        """Tell whether what a licence states is proven: not where it is not valid, or contradicted."""
        try:
            found = self._relations.of(uow, license_.holder_id, statement.relation)
        except ErasedError:
            return False
        return any(one.source.id == license_.id and one.proof is Proof.PROVEN for one in found)
