# SPDX-License-Identifier: Apache-2.0
"""Look-ups that curiosity may explain: numbers that follow each other, and nothing that followed from them.

Those of one's own file, of relatives and of colleagues are found in :mod:`portal.patterns.acquainted`.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from archive.models import Filing
from archive.unusual import LIMITS, LookUp, Person, Unusual, curious, undecided
from cases.models import Case, Holder
from licenses.models import Decision, License, LicenseUsage
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.identity import Basis
from storage.ledger.kinds import ActKind

MOST: Final = 100_000
"""Look-ups that one look goes through, the newest ones: they are held in memory."""
QUERIES: Final = (
    ActKind.ACCESS_REFUSED,
    ActKind.DOSSIER_PAGES_READ,
    ActKind.DOSSIER_READ,
    ActKind.LICENSE_READ,
    ActKind.PROOF_ANSWERED,
    ActKind.PROOF_REFUSED,
)
"""Acts of who looks at licences and dossiers, asks for proofs or is refused."""
_MOST_CODES: Final = 2_000
"""Codes that one look opens, of persons whom somebody looked up many of."""
_LOOKS: Final = ("ask", "find", "read")
_AT_WORK: Final = (str(Basis.CASE), str(Basis.FILING), str(Basis.SUPERVISION))
_CHECKED: Final = 18
"""Length of codes that end in a check character, which follows no order."""


class Looked(NamedTuple):
    """A look-up, whose holder was looked up, which licence if it was one, and the decision it came to."""

    look_up: LookUp
    holder: str
    license: str | None
    decision: str | None = None


def newest_look_ups(uow: UnitOfWork, since: dt.datetime) -> list[Looked]:
    """Give who looked up whom, and which licence, in order of time; the newest :data:`MOST` at most."""
    newest = (
        select(*_COLUMNS, LicenseUsage.holder_id, LicenseUsage.license_id, LicenseUsage.decision_id)
        .where(_looked(), LicenseUsage.at >= since)
        .order_by(LicenseUsage.at.desc(), LicenseUsage.id.desc())
        .limit(MOST)
    )
    rows = uow.session.execute(newest).all()[::-1]
    return [Looked(_look_up(row[:5]), row.holder_id, row.license_id, row.decision_id) for row in rows]


def once(looked: Iterable[Looked]) -> list[Looked]:
    """Count a question about a holder once, however many requirements it named."""
    found: list[Looked] = []
    seen: set[tuple[str, str]] = set()
    for one in looked:
        question = (one.decision, one.holder) if one.decision is not None else None
        if question not in seen:
            found.append(one)
        if question is not None:
            seen.add(question)
    return found


def curious_look_ups(uow: UnitOfWork, looked: Sequence[Looked]) -> list[Unusual]:
    """Give who looked up persons or licences whose numbers follow each other."""
    many = _of_many(looked)
    of_many = [one for one in looked if person_of(one.look_up) in many]
    holders = _codes(uow, {one.holder for one in of_many})
    licenses = _numbers(uow, {one.license for one in of_many if one.license})
    nothing = ("", None)
    found = curious(_numbered(one.look_up, holders.get(one.holder, nothing)) for one in once(looked))
    of_licenses = ((one.look_up, licenses.get(one.license or "", nothing)) for one in looked)
    return found + curious(_numbered(one, numbered) for one, numbered in of_licenses)


def undecided_look_ups(uow: UnitOfWork, since: dt.datetime, until: dt.datetime) -> list[Unusual]:
    """Give who looked up, between two instants, for cases in which nothing was decided or filed until now."""
    within = and_(_looked(), LicenseUsage.at >= since, LicenseUsage.at < until)
    # What was answered led to something: its decision.
    within &= and_(LicenseUsage.basis == str(Basis.CASE), LicenseUsage.decision_id.is_(None))
    counted = select(LicenseUsage.actor_id, LicenseUsage.operator, func.count()).where(within)
    totals = {
        named(actor, operator): count
        for actor, operator, count in uow.session.execute(
            counted.group_by(LicenseUsage.actor_id, LicenseUsage.operator)
        )
    }
    query = select(*_COLUMNS).where(within, ~_followed()).order_by(LicenseUsage.at, LicenseUsage.id)
    return undecided((_look_up(tuple(row)) for row in uow.session.execute(query.limit(MOST))), totals)


_COLUMNS: Final = (
    LicenseUsage.at,
    LicenseUsage.actor_id,
    LicenseUsage.operator,
    LicenseUsage.organisation,
    LicenseUsage.case_id,
)


def _looked() -> ColumnElement[bool]:
    """Choose look-ups of persons at work: a holder's own and those of strangers are none."""
    return and_(
        LicenseUsage.action.in_(_LOOKS), LicenseUsage.basis.in_(_AT_WORK), LicenseUsage.operator.is_not(None)
    )


def _followed() -> ColumnElement[bool]:
    """Give the condition that after a look-up its case was decided on, closed or filed."""
    same, at = LicenseUsage.case_id, LicenseUsage.at
    return or_(
        exists().where(Decision.case_id == same, Decision.at >= at),
        exists().where(Filing.case_id == same, Filing.received_at > at),
        exists().where(Case.id == same, Case.closed_at > at),
    )


def _look_up(row: Sequence[object]) -> LookUp:
    at, actor, operator, organisation, case = row
    actor, operator = named(str(actor), str(operator))
    assert isinstance(at, dt.datetime)
    return LookUp(at, actor, operator, str(organisation), None if case is None else str(case))


def named(actor: str, operator: str | None) -> Person:
    """Name a person as acts do: the operator apart only where a system named one."""
    return actor, None if operator == actor else operator


def person_of(one: LookUp) -> Person:
    """Give who looked."""
    return one.actor, one.operator


def _of_many(looked: Iterable[Looked]) -> frozenset[Person]:
    """Give the persons who looked up so many others that a walk through numbers is possible."""
    holders: dict[Person, set[str]] = defaultdict(set)
    licenses: dict[Person, set[str]] = defaultdict(set)
    for one in looked:
        holders[person_of(one.look_up)].add(one.holder)
        if one.license is not None:
            licenses[person_of(one.look_up)].add(one.license)
    found = {
        person for each in (holders, licenses) for person, of in each.items() if len(of) >= LIMITS.sequence
    }
    return frozenset(found)


def _codes(uow: UnitOfWork, holders: Iterable[str]) -> Mapping[str, tuple[str, int | None]]:
    """Give series and place of holders' codes, which nobody is shown."""
    return {row.id: (row.scheme, number) for row, number in _opened(uow, sorted(holders)[:_MOST_CODES])}


def _opened(uow: UnitOfWork, holders: Sequence[str]) -> Iterator[tuple[Holder, int | None]]:
    for row in uow.session.scalars(select(Holder).where(Holder.id.in_(holders))):
        try:
            code = uow.secrets.decrypt(row.code_cipher).decode()
        except CunzhengError:
            # Erased: nobody can tell the place of a code that is gone.
            continue
        yield row, _place(code[:-1] if len(code) == _CHECKED else code)


def _numbers(uow: UnitOfWork, licenses: Iterable[str]) -> Mapping[str, tuple[str, int | None]]:
    """Give series and place of licences' numbers: their last digits among those of the same beginning."""
    query = select(License.id, License.type_code, License.number).where(
        License.id.in_(sorted(licenses)[:_MOST_CODES])
    )
    found: dict[str, tuple[str, int | None]] = {}
    for id_, kind, number in uow.session.execute(query):
        beginning = number.rstrip("0123456789")
        found[id_] = (f"{kind} {beginning}", _place(number[len(beginning) :]))
    return found


def _place(code: str) -> int | None:
    if code.isascii() and code.isdigit():
        return int(code)
    return int(code, 36) if code.isascii() and code.isalnum() else None


def _numbered(one: LookUp, numbered: tuple[str, int | None]) -> LookUp:
    return replace(one, series=numbered[0], number=numbered[1])
