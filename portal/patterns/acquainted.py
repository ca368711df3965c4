# SPDX-License-Identifier: Apache-2.0
"""Look-ups of one's own file, of relatives and of colleagues: of whom a licence or an account tells that.

Only officials of whom an identity document is kept can be found as who they are as holders
(:mod:`portal.accounts.documents`). Ended accounts and erased holders are left out; a name proves nothing.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from sqlalchemy import select

from archive.unusual import LookUp, Pattern, Unusual, close
from cases.models import Holder
from licenses.related import Party, RelatedHolders, Ties
from portal.accounts.documents import Official, officials
from portal.patterns.look_ups import QUERIES, Looked, person_of
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.ledger.models import LedgerAct

_T = TypeVar("_T")
_AT_ONCE: Final = 500
_AFTER: Final = dt.timedelta(minutes=1)
"""How long after a use its act is recorded at the latest: both are of one unit of work."""


def close_look_ups(uow: UnitOfWork, related: RelatedHolders, looked: Sequence[Looked]) -> list[Unusual]:
    """Give who looked up themselves, relatives or colleagues, of look-ups in order of time."""
    everybody = officials(uow)
    by_person = {_who(one): everybody[_who(one)] for one, *_ in looked if _who(one) in everybody}
    of_officials = _holders(uow, everybody)
    pairs = _pairs(looked, by_person)
    ties = related.among(uow, _parties(by_person, of_officials), pairs)
    known = _Acquaintance(everybody, of_officials, ties)
    found = [
        (replace(one, close=ways, relations=known.relations(_who(one), holder)), holder)
        for one, holder, *_ in looked
        if (ways := known.ways(one, holder))
    ]
    standing = _standing(uow, {holder for _, holder in found})
    found = [(one, holder) for one, holder in found if holder in standing]
    totals = Counter(person_of(one) for one, *_ in looked)
    return close(_with_acts(uow, found), totals)


@dataclass(frozen=True, slots=True)
class _Acquaintance:
    """How officials stand to holders.

    Attributes:
        officials: Those with a running account.
        holders: Accounts by the holder that they are.
        ties: Relations that licences prove.
    """

    officials: Mapping[str, Official]
    holders: Mapping[str, Collection[str]]
    ties: Ties

    def ways(self, one: LookUp, holder: str) -> frozenset[Pattern]:
        """Tell how whoever was looked up stands to who looked."""
        who = _who(one)
        if who not in self.officials:
            return frozenset()
        accounts = self.holders.get(holder, ())
        if who in accounts:
            return frozenset({Pattern.OWN_FILE})
        ways = {Pattern.RELATIVE} if self.relations(who, holder) else set()
        offices = self.officials[who].organisations | {one.organisation}
        if any(offices & self.officials[account].organisations for account in accounts):
            ways.add(Pattern.COLLEAGUE)
        return frozenset(ways)

    def relations(self, who: str, holder: str) -> frozenset[str]:
        """Give the relations between somebody and a holder."""
        return self.ties.get((who, holder), frozenset())


def _who(one: LookUp) -> str:
    """Give the account of who looked: the operator whom a system named, or the person."""
    return one.operator or one.actor


def _holders(uow: UnitOfWork, everybody: Mapping[str, Official]) -> Mapping[str, Collection[str]]:
    """Give the accounts of officials by the holder that they are, of those who are one."""
    accounts: defaultdict[tuple[str, bytes], set[str]] = defaultdict(set)
    for account, one in everybody.items():
        if one.document is not None:
            accounts[one.document].add(account)
    found = {}
    for some in _parts(sorted(accounts)):
        query = select(Holder.id, Holder.scheme, Holder.code_hash).where(
            Holder.code_hash.in_([code_hash for _, code_hash in some])
        )
        for id_, scheme, code_hash in uow.session.execute(query):
            if (scheme, code_hash) in accounts:
                found[id_] = accounts[scheme, code_hash]
    return found


def _parts(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _parties(
    by_person: Mapping[str, Official], of_officials: Mapping[str, Collection[str]]
) -> Mapping[str, Party]:
    holders = {account: holder for holder, accounts in of_officials.items() for account in accounts}
    return {
        account: Party(*one.document, holders.get(account))
        for account, one in by_person.items()
        if one.document is not None
    }


def _pairs(looked: Sequence[Looked], by_person: Mapping[str, Official]) -> Mapping[str, Collection[str]]:
    """Give whom each official looked up of whom a document is kept."""
    pairs: defaultdict[str, set[str]] = defaultdict(set)
    for one, holder, *_ in looked:
        official = by_person.get(_who(one))
        if official is not None and official.document is not None:
            pairs[_who(one)].add(holder)
    return pairs


def _standing(uow: UnitOfWork, holders: Collection[str]) -> frozenset[str]:
    """Give the holders that were not erased."""
    found = set()
    for some in _parts(sorted(holders)):
        for row in uow.session.scalars(select(Holder).where(Holder.id.in_(some))):
            try:
                uow.secrets.decrypt(row.code_cipher)
            except CunzhengError:
                continue
            found.add(row.id)
    return frozenset(found)


def _with_acts(uow: UnitOfWork, found: Sequence[tuple[LookUp, str]]) -> Iterator[LookUp]:
    """Name the act of each person's last look-up of each kind, which is what a finding leads to."""
    last = {(person_of(one), way): place for place, (one, _) in enumerate(found) for way in one.close}
    named = set(last.values())
    for place, (one, holder) in enumerate(found):
        unknown = place in named and one.act is None
        yield replace(one, act=_act(uow, one, holder)) if unknown else one


def _act(uow: UnitOfWork, one: LookUp, holder: str) -> str | None:
    query = select(LedgerAct.act_id).where(
        LedgerAct.actor_id == one.actor,
        LedgerAct.kind.in_(QUERIES),
        LedgerAct.subject == holder,
        LedgerAct.recorded_at >= one.at,
        LedgerAct.recorded_at < one.at + _AFTER,
    )
    return uow.session.scalars(query.order_by(LedgerAct.recorded_at, LedgerAct.act_id).limit(1)).first()
