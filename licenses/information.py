# SPDX-License-Identifier: Apache-2.0
"""The information check 信息验证 of a licence: what somebody states of it against the register, at the clock.

Result codes 0 to 6 are those of the sharing interface (GB/T 36906); each comes with reasons. Identifier and
holder together open the register: who states another holder learns what they would learn of a licence that
there is not. Dates are judged by the clock, never by what the caller states. Each check that meets a
licence is a recorded use.
"""

import datetime as dt
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from cases.errors import HolderCodeError
from cases.holders import HolderService
from cases.identifiers import check_holder_code
from licenses.holdings import STOCK, Holdings
from licenses.lifecycle import Life, SealState, Status, life_after, status_of, status_titles
from licenses.metadata import registered_items
from licenses.models import LicenseUsage
from licenses.registered import Registered, RegisteredHolder, holders_together, registered, told_later
from licenses.stock.dates import read_date
from licenses.usage import Use, on_public_check, usage_values
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.inserting import insert_many
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.ledger.rows import TableRows

CHECK: Final = "public-check"
MOST: Final = 100
"""Checks in one batch."""
REQUIRED: Final = ("identifier", "holder_scheme", "holder_code")
COMPARED: Final = (
    "type_code",
    "number",
    "issuer_name",
    "issuer_code",
    "issued_on",
    "valid_from",
    "valid_until",
)
ITEMS: Final = (*REQUIRED, "holder_name", *COMPARED)
"""Canonical items that may be stated."""
NOT_FOUND, INCOMPLETE, WRONG = 5, 4, 6
_DAYS: Final = frozenset({"issued_on", "valid_from", "valid_until"})


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Words of result codes and reasons, Chinese and English."""

    information: Mapping[int, tuple[str, str]]
    file: Mapping[int, tuple[str, str]]
    reasons: Mapping[str, tuple[str, str]]


@cache
def code_table() -> CodeTable:
    """Read the table that comes with the product."""
    raw = json.loads(resources.files("licenses").joinpath("data/verifications.json").read_bytes())
    information, file, found = (
        {row["code"]: (row["zh"], row["en"]) for row in raw[part]}
        for part in ("information", "file", "reasons")
    )
    return CodeTable(information, file, found)


@dataclass(frozen=True, slots=True)
class InformationCheck:
    """The answer to one information check.

    Attributes:
        code: 0 to 6.
        reasons: Stable codes, the deciding one first.
        items: Names of the items that are missing or differ.
        trust: Trust level of the licence that was met.
        promise: Of the recorded use; none where no licence was met.
    """

    code: int
    reasons: tuple[str, ...]
    items: tuple[str, ...] = ()
    trust: str | None = None
    promise: Promise | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the answer as it leaves."""
        table = code_table()
        zh, en = table.information[self.code]
        return {
            "code": self.code,
            "zh": zh,
            "en": en,
            "reasons": [
                {"code": code, "zh": table.reasons[code][0], "en": table.reasons[code][1]}
                for code in self.reasons
            ],
            "items": list(self.items),
            "trust": self.trust,
            "promise": self.promise.as_json() if self.promise else None,
        }


class InformationService:
    """Checks what is stated of licences.

    Args:
        holdings: What the library holds.
        holders: Finds and reveals holders, to compare and never to tell.
    """

    def __init__(self, holdings: Holdings, holders: HolderService) -> None:
        self._holdings = holdings
        self._holders = holders

    def check(self, uow: UnitOfWork, identity: Identity, stated: Mapping[str, str]) -> InformationCheck:
        """Check one statement; see :meth:`check_all`."""
        return self.check_all(uow, identity, [stated])[0]

    def check_all(
        self, uow: UnitOfWork, identity: Identity, batch: Sequence[Mapping[str, str]]
    ) -> list[InformationCheck]:
        """Check statements, each on its own, in one transaction.

        Args:
            uow: A writing unit of work.
            identity: Who asks; strangers are ``PUBLIC``. A purpose stands in its basis, if one is stated.
            batch: Canonical items (:data:`ITEMS`) by name; what is empty is not stated. At most
                :data:`MOST`; what is beyond them is not looked at.
        """
        return self.check_each(uow, [(identity, stated) for stated in batch[:MOST]])

    def check_each(
        self, uow: UnitOfWork, statements: Sequence[tuple[Identity, Mapping[str, str]]]
    ) -> list[InformationCheck]:
        """Check statements of several who ask, each as :meth:`check_all` does, in one transaction."""
        asked = [_asked(uow, stated) for _, stated in statements]
        held = registered(uow, {one.given["identifier"] for one in asked if not one.missing})
        now = uow.clock.now()
        later = told_later(uow, held.values())
        everyone = [*held.values(), *later.values()]
        seals = self._holdings.seal_states(uow, everyone, now)
        others: Mapping[str, list[RegisteredHolder]] = {}
        if not all(one.missing or _is_held_by(held, one) for one in asked):
            # Looked for where there is no such licence, too: the time taken must not tell one from the other.
            others = holders_together(uow, [one.id for one in everyone])
        checks = [self._check(uow, one, _Register(held, later, others, seals), now) for one in asked]
        return _noted(uow, [on_public_check(identity) for identity, _ in statements], checks)

    def _check(self, uow: UnitOfWork, asked: "_Asked", register: "_Register", now: dt.datetime) -> "_Checked":
        """Give the licence that was met, and what is answered of it."""
        if asked.missing:
            return None, InformationCheck(INCOMPLETE, ("item-missing",), asked.missing)
        met = register.held.get(asked.given["identifier"])
        holder = register.holder_of(met, asked) if met else None
        if met is None or holder is None:
            return None, InformationCheck(NOT_FOUND, ("no-match",))
        differing = self._differing(uow, met, holder, asked.given)
        while (later := register.later.get(met.id)) and (holder := register.holder_of(later, asked)):
            # The source gave the next version the same identifier: what is stated says which one is meant.
            differs = self._differing(uow, later, holder, asked.given)
            ahead = (later.valid_from or dt.date.min) > legal_date(now)
            if (differs or ahead) and not differing:
                break
            met, differing = later, differs
        if differing:
            return met, InformationCheck(WRONG, ("item-differs",), differing, met.trust)
        life = life_after(met.events, now)
        status = status_of(met, life.state, now, register.seals[met.id])
        code = status_titles()[status].information_check
        return met, InformationCheck(code, _reasons(met, status, life), trust=met.trust)

    def _differing(
        self, uow: UnitOfWork, license_: Registered, holder: RegisteredHolder, given: Mapping[str, str]
    ) -> tuple[str, ...]:
        stands = registered_items(license_)
        differing = [name for name in COMPARED if name in given and _said(name, given) != stands[name]]
        name = given.get("holder_name")
        if name is not None and name != self._holders.reveal(uow, holder).name:
            differing.append("holder_name")
        return tuple(differing)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is stated, what it lacks, and the keyed hash of the stated holder, if there can be such a one."""

    given: Mapping[str, str]
    missing: tuple[str, ...]
    holder: tuple[str, bytes] | None

    def means(self, holder: RegisteredHolder) -> bool:
        """Tell whether the holder is the stated one."""
        if self.holder is None or self.holder[0] != holder.scheme:
            return False
        return hmac.compare_digest(holder.code_hash, self.holder[1])


class _Register(NamedTuple):
    """What the register states of what is asked: licences, next versions, further holders, seals."""

    held: Mapping[str, Registered]
    later: Mapping[str, Registered]
    others: Mapping[str, Sequence[RegisteredHolder]]
    seals: Mapping[str, SealState]

    def holder_of(self, license_: Registered, asked: _Asked) -> RegisteredHolder | None:
        """Give the stated holder, if the licence has such a one."""
        holders = (license_.holder, *self.others.get(license_.id, ()))
        return next((one for one in holders if asked.means(one)), None)


_Checked = tuple[Registered | None, InformationCheck]


def _asked(uow: UnitOfWork, stated: Mapping[str, str]) -> _Asked:
    given = _given(stated)
    missing = tuple(name for name in REQUIRED if name not in given)
    return _Asked(given, missing, None if missing else _stated_holder(uow, given))


def _is_held_by(held: Mapping[str, Registered], asked: _Asked) -> bool:
    met = held.get(asked.given["identifier"])
    return met is not None and asked.means(met.holder)


def _given(stated: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in stated.items() if name in ITEMS and value.strip()}


def _said(name: str, given: Mapping[str, str]) -> str:
    """Give what is stated of an item; a day in the form in which the register has it."""
    day = read_date(given[name]) if name in _DAYS else None
    return day.day.isoformat() if day else given[name]


def _stated_holder(uow: UnitOfWork, given: Mapping[str, str]) -> tuple[str, bytes] | None:
    """Give scheme and keyed hash of the stated holder; none for a code that nobody can have."""
    try:
        normal = check_holder_code(given["holder_scheme"], given["holder_code"])
    except HolderCodeError:
        return None
    return normal.scheme, uow.secrets.lookup_hash(normal.scheme, normal.code)


def _reasons(license_: Registered, status: Status, life: Life) -> tuple[str, ...]:
    found = [] if status is Status.VALID else [str(status)]
    if life.pending is not None:
        found.append("change-pending")
    if license_.origin == STOCK:
        found.append("trust-declared")
    return tuple(found)


def _noted(uow: UnitOfWork, askers: Sequence[Identity], checks: Sequence[_Checked]) -> list[InformationCheck]:
    """Record a use and an act for each licence that was met, under its holder's key, and promise each."""
    met = [(who, license_) for who, (license_, _) in zip(askers, checks, strict=True) if license_ is not None]
    uses = [
        usage_values(uow, who, Use(action=CHECK, holder_id=one.holder_id, license_id=one.id, result="READ"))
        for who, one in met
    ]
    insert_many(uow.session.connection(), LicenseUsage, uses)
    acts = [
        Act(
            kind=ActKind.VERIFICATION_DONE,
            actor=who,
            object_type="licence",
            object_id=one.id,
            object_sha256=one.object_sha256,
            subject=one.holder_id,
            tables=[TableRows(LicenseUsage, [use])],
        )
        for (who, one), use in zip(met, uses, strict=True)
    ]
    promises = iter(uow.record_all(acts))
    return [
        check if license_ is None else replace(check, promise=next(promises)) for license_, check in checks
    ]
