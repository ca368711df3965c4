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
from typing import Any, Final

from sqlalchemy import bindparam, select

from cases.errors import HolderCodeError
from cases.holders import HolderService
from cases.identifiers import check_holder_code
from cases.models import Holder
from licenses.holdings import STOCK, Holdings
from licenses.lifecycle import Life, SealState, Status, life_after, status_of, status_titles
from licenses.metadata import registered_items
from licenses.models import License, LicenseEvent, LicenseHolder, LicenseUsage
from licenses.stock.dates import read_date
from licenses.usage import Use, on_public_check, usage_values
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
_TOGETHER = (
    select(LicenseHolder.license_id, Holder)
    .join(Holder, Holder.id == LicenseHolder.holder_id)
    .where(LicenseHolder.license_id.in_(bindparam("ids", expanding=True)))
)
_BY_IDENTIFIER = (
    select(License, Holder)
    .join(Holder, Holder.id == License.holder_id)
    .where(License.identifier.in_(bindparam("identifiers", expanding=True)))
)


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
        promise: Of the recorded use; none where no licence was met.
    """

    code: int
    reasons: tuple[str, ...]
    items: tuple[str, ...] = ()
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
        given = [_given(stated) for stated in batch[:MOST]]
        asked = {one["identifier"] for one in given if all(name in one for name in REQUIRED)}
        found = uow.session.execute(_BY_IDENTIFIER, {"identifiers": sorted(asked)}).all()
        held = {license_.identifier: _Held(license_, [holder]) for license_, holder in found}
        now = uow.clock.now()
        licenses = [one.license for one in held.values()]
        events = self._holdings.events(uow, [one.id for one in licenses])
        seals = self._holdings.seal_states(uow, licenses, now)
        for one in held.values():
            one.events, one.seal = events.get(one.license.id, ()), seals[one.license.id]
        by_id = {one.license.id: one for one in held.values()}
        for license_id, holder in uow.session.execute(_TOGETHER, {"ids": sorted(by_id)}):
            by_id[license_id].holders.append(holder)
        checks = [self._check(uow, one, held, now) for one in given]
        return _noted(uow, on_public_check(identity), checks)

    def _check(
        self, uow: UnitOfWork, given: Mapping[str, str], held: Mapping[str, "_Held"], now: dt.datetime
    ) -> tuple[License | None, InformationCheck]:
        """Give the licence that was met, and what is answered of it."""
        missing = tuple(name for name in REQUIRED if name not in given)
        if missing:
            return None, InformationCheck(INCOMPLETE, ("item-missing",), missing)
        met = held.get(given["identifier"])
        holder = next((one for one in met.holders if _is_stated(uow, one, given)), None) if met else None
        if met is None or holder is None:
            return None, InformationCheck(NOT_FOUND, ("no-match",))
        differing = self._differing(uow, met.license, holder, given)
        if differing:
            return met.license, InformationCheck(WRONG, ("item-differs",), differing)
        life = life_after(met.events, now)
        status = status_of(met.license, life.state, now, met.seal)
        code = status_titles()[status].information_check
        return met.license, InformationCheck(code, _reasons(met.license, status, life))

    def _differing(
        self, uow: UnitOfWork, license_: License, holder: Holder, given: Mapping[str, str]
    ) -> tuple[str, ...]:
        registered = registered_items(license_)
        differing = [name for name in COMPARED if name in given and _said(name, given) != registered[name]]
        name = given.get("holder_name")
        if name is not None and name != self._holders.reveal(uow, holder).name:
            differing.append("holder_name")
        return tuple(differing)


@dataclass(slots=True)
class _Held:
    license: License
    holders: list[Holder]
    events: Sequence[LicenseEvent] = ()
    seal: SealState = SealState.NONE


def _given(stated: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in stated.items() if name in ITEMS and value.strip()}


def _said(name: str, given: Mapping[str, str]) -> str:
    """Give what is stated of an item; a day in the form in which the register has it."""
    day = read_date(given[name]) if name in _DAYS else None
    return day.day.isoformat() if day else given[name]


def _is_stated(uow: UnitOfWork, holder: Holder, given: Mapping[str, str]) -> bool:
    """Tell whether the holder is the stated one."""
    try:
        normal = check_holder_code(given["holder_scheme"], given["holder_code"])
    except HolderCodeError:
        return False
    stated = uow.secrets.lookup_hash(normal.scheme, normal.code)
    return holder.scheme == normal.scheme and hmac.compare_digest(holder.code_hash, stated)


def _reasons(license_: License, status: Status, life: Life) -> tuple[str, ...]:
    found = [] if status is Status.VALID else [str(status)]
    if life.pending is not None:
        found.append("change-pending")
    if license_.origin == STOCK:
        found.append("trust-declared")
    return tuple(found)


def _noted(
    uow: UnitOfWork, public: Identity, checks: Sequence[tuple[License | None, InformationCheck]]
) -> list[InformationCheck]:
    """Record a use and an act for each licence that was met, under its holder's key, and promise each."""
    met = [license_ for license_, _ in checks if license_ is not None]
    uses = [
        usage_values(
            uow, public, Use(action=CHECK, holder_id=one.holder_id, license_id=one.id, result="READ")
        )
        for one in met
    ]
    insert_many(uow.session.connection(), LicenseUsage, uses)
    acts = [
        Act(
            kind=ActKind.VERIFICATION_DONE,
            actor=public,
            object_type="licence",
            object_id=one.id,
            object_sha256=one.object_sha256,
            subject=one.holder_id,
            tables=[TableRows(LicenseUsage, [use])],
        )
        for one, use in zip(met, uses, strict=True)
    ]
    promises = iter(uow.record_all(acts))
    return [
        check if license_ is None else replace(check, promise=next(promises)) for license_, check in checks
    ]
