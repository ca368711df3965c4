# SPDX-License-Identifier: Apache-2.0
"""A small library in a temporary folder: cases, licences, a seal register that the test fills."""

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes import HandClock, make_database
from granting import grant

import licenses.grants.models
import licenses.models  # noqa: F401 - defines tables
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.models import Case, Holder
from cases.services import Announcement, CaseService
from licenses.answers import AnswerKeys
from licenses.catalogue import TypeCatalogue
from licenses.decisions import ProofService
from licenses.definition import Column, FaceField, HolderRole, ItemKind, LicenseType
from licenses.events import Grounds, new_event
from licenses.faces import LicenseData
from licenses.grants.services import Grants
from licenses.holdings import Holdings
from licenses.lifecycle import EventKind, Status
from licenses.models import License
from licenses.reading import LicenseReader
from licenses.rules import RuleBook
from licenses.services import LicenseService
from licenses.succession import succeed
from portal.editions.approved import ApprovedEditions
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role, system_identity

FOOD, BUSINESS, ROAD = "11339999DEM0010178001", "11100000MB0143028R001", "11100000000019713D008"
ITEM_OF = {FOOD: "339999010002", BUSINESS: "339999010001", ROAD: "339999020001"}
COMPANY = ("001", "91339999MADEM0011X", "演示食品有限公司")
OTHER = ("001", "91339999MADEM002XM", "演示另一家有限公司")
PERSON = ("111", "339999190001010012", "张演示")
WORKER = system_identity("worker")
CLIENT = Identity(
    "system",
    "client-1",
    "scjg",
    frozenset({Role.CLIENT}),
    operator="operator-7",
    sources=frozenset({"ycsl"}),
    scopes=frozenset({"ask", "read", "announce", "file"}),
    items=frozenset({"339999010002"}),
)
CLERK = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
MANAGER = Identity("person", "manager-1", "scjg", frozenset({Role.LICENSE_MANAGER}))
SUPERVISOR = Identity("person", "supervisor-1", "dsj", frozenset({Role.SUPERVISOR}))
GROUNDS = Grounds("公示期内有异议", "行政许可法第六十九条")
FACES: dict[str, dict[str, Any]] = {
    FOOD: {
        "legal_representative": "张演示",
        "domicile": "演示市示范路1号",
        "premises": "演示市示范路1号",
        "business_form": "食品销售经营者",
        "permitted_items": "预包装食品销售",
    },
    BUSINESS: {
        "entity_type": "有限责任公司",
        "legal_representative": "张演示",
        "scope": "食品销售；日用品销售",
        "registered_capital": "100万元",
        "founded_on": "2026-05-01",
        "domicile": "演示市示范路1号",
    },
    ROAD: {"domicile": "演示市示范路1号", "scope": "道路普通货物运输"},
}


def license_data(type_code: str, **changes: Any) -> LicenseData:
    data = {
        "type": type_code,
        "number": f"N{type_code[-4:]}000001",
        "issued_on": "2026-05-01",
        "valid_from": "2026-05-01",
        "valid_until": "2030-04-30",
        "face": FACES.get(type_code, {}),
    }
    return read_license_data(data | changes)


def read_license_data(data: Mapping[str, Any]) -> LicenseData:
    # In JSON mode a strict model reads dates from text, as intake does.
    return LicenseData.model_validate_json(json.dumps(data))


def held_together(kind: LicenseType, version: str = "2026-12") -> LicenseType:
    """Give a version of a type that several may hold together."""
    columns = [
        Column(
            name=role.name.lower(), zh=role.name, en=role.name, pinyin=role.name, required=False, role=role
        )
        for role in HolderRole
    ]
    made = FaceField(
        name="holders",
        zh="持证主体",
        en="Holders",
        pinyin="CZZTMX",
        kind=ItemKind.DETAIL,
        columns=tuple(columns),
    )
    changes = {"version": version, "holders": "several", "fields": (*kind.fields, made)}
    return kind.model_copy(update=changes)


@dataclass
class RevokedSeals:
    """A seal register that knows only which seals were revoked when."""

    revoked: dict[str, dt.datetime] = field(default_factory=dict)

    def revocations(self, uow: UnitOfWork, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        return {one: at for one, at in self.revoked.items() if seals is None or one in seals}


class Library:
    """Everything the room needs, on a database of its own."""

    def __init__(self, folder: Path, seals: Any = None, clock: HandClock | None = None) -> None:
        self.clock = clock or HandClock()
        self.database = make_database(folder, self.clock)
        editions = ApprovedEditions(self.database)
        self.items = ItemCatalogue.load(look_up=editions.items)
        self.types = TypeCatalogue.load(editions.license_types)
        self.holders = HolderService()
        self.cases = CaseService(self.items, self.holders)
        self.seals = seals or RevokedSeals()
        self.holdings = Holdings(self.types, self.seals)
        self.keys = AnswerKeys(folder / "keys" / "answers")
        self.service = LicenseService(self.types, self.items, self.holders)
        self.reader = LicenseReader(self.holdings, self.cases, self.holders, Grants(RuleBook.load()))
        self.proofs = ProofService(RuleBook.load(), self.holdings, self.cases, self.keys)
        self._numbers = 0
        with self.database.writing() as uow:
            self.granted = grant(uow).id

    def announce(
        self, type_code: str, holder: tuple[str, str, str] = COMPANY, *, closed: bool = False
    ) -> Case:
        self._numbers += 1
        item = self.items.get(ITEM_OF[type_code], "2026-03")
        now = self.clock.now()
        announcement = Announcement(
            "ycsl",
            f"C-{self._numbers}",
            item.code,
            item.edition,
            *holder,
            item.department,
            now,
            now if closed else None,
        )
        with self.database.writing() as uow:
            return self.cases.announce(uow, WORKER, announcement)[0]

    def close(self, case: Case) -> None:
        """Report that a case was closed now."""
        with self.database.writing() as uow:
            of = uow.session.get_one(Case, case.id)
            holder = self.holders.reveal(uow, uow.session.get_one(Holder, case.holder_id))
            who = (holder.scheme, holder.code, holder.name)
            now = self.clock.now()
            told = Announcement(
                of.source,
                of.number,
                of.item_code,
                of.item_edition,
                *who,
                of.organisation,
                of.accepted_at,
                now,
            )
            self.cases.announce(uow, WORKER, told)

    def reserve(
        self, type_code: str, holder: tuple[str, str, str] = COMPANY, case: Case | None = None, **changes: Any
    ) -> License:
        case = case or self.announce(type_code, holder, closed=True)
        item = self.items.get(case.item_code, case.item_edition)
        with self.database.writing() as uow:
            data = license_data(type_code, **changes)
            return self.service.reserve(
                uow, WORKER, case, item, uow.session.get_one(Holder, case.holder_id), data
            )

    def issue(self, type_code: str, holder: tuple[str, str, str] = COMPANY, **changes: Any) -> License:
        """Reserve a licence and put it into the state that the issuing step leaves."""
        return self.issue_reserved(self.reserve(type_code, holder, **changes))

    def issue_reserved(self, reserved: License, seal: str = "seal-1") -> License:
        with self.database.writing() as uow:
            license_ = uow.session.get_one(License, reserved.id)
            license_.issued_at, license_.object_sha256, license_.seal_id = (
                self.clock.now(),
                "ab" * 32,
                seal,
            )
            event = new_event(uow, WORKER, license_, (), EventKind.ISSUED, Grounds("签发", "许可决定"))
            uow.session.add(event)
            uow.session.flush()
            succeed(uow, WORKER, license_)
        return license_

    def status(self, license_: License, at: dt.datetime | None = None) -> Status:
        with self.database.reading() as uow:
            row = uow.session.get_one(License, license_.id)
            return self.holdings.status(uow, row, at or self.clock.now())


def on_case(identity: Identity, case: Case, purpose: str = "accept", item: str | None = None) -> Identity:
    return identity.on(AccessBasis(Basis.CASE, case.id, item or case.item_code, purpose))


def every_client_runs(_uow: UnitOfWork, _client_id: str) -> bool:
    """Stand for the accounts of a house that has none."""
    return True
