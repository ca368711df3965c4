# SPDX-License-Identifier: Apache-2.0
"""Who acts in the demonstration: one account per role, and one client with its key.

Its second client, the sandbox, has a pair of keys. Keys stand in the data folder in clear: a demonstration's
key opens a demonstration's data only.
"""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cases.identifiers import RESIDENT_ID
from licenses.grants.terms import Ceiling, GrantedItem, NewGrant
from licenses.purposes import purposes
from portal.accounts.models import Client
from portal.accounts.posts import identity_with
from portal.accounts.rights import ADMINISTRATORS, NewAccount, NewClient, add_account, add_client
from portal.asking.signing import CallerKey
from portal.clients.keys import add_key
from portal.demo.script import CaseSpec, Script
from portal.rooms import Rooms
from portal.settings import Settings
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.files import write_durably
from storage.identity import Identity, Role, system_identity

SIGNING_IN = (Role.ARCHIVIST, Role.CLERK, Role.INSPECTOR, Role.SUPERVISOR, *ADMINISTRATORS)
_NAMES = {
    Role.ARCHIVIST: "演示归档员",
    Role.CLERK: "演示窗口人员",
    Role.INSPECTOR: "演示查验员",
    Role.SUPERVISOR: "演示监察员",
    Role.SEAL_MANAGER: "演示印章管理员",
    Role.LICENSE_MANAGER: "演示证照管理员",
}
_DOCUMENTS = {Role.CLERK: "339999190003050034", Role.ARCHIVIST: "339999190001010012"}
"""Synthetic: the clerk represents a firm that is asked about; of the archivist, a driver, a case is open."""
SANDBOX_KEY = "demo-client.jwk"
_SUPERVISION = "dsj"
"""Where supervision stands: the administration above the departments."""
_DEMO_YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Cast:
    """The demonstration's persons and its clients.

    Attributes:
        key: The shared key of the client of the first line: it announces and files, and may not ask.
        sandbox: Id of the client with a pair of keys.
        key_file: Where that client keeps its private key.
    """

    rooms: Rooms
    key: str
    accounts: dict[str, str]
    sandbox: str
    key_file: Path

    def client(self, uow: UnitOfWork) -> Identity:
        """Give the acceptance system, with the window clerk as operator."""
        return self.rooms.accounts.client(uow, self.key, self.accounts[Role.CLERK])

    def person(self, uow: UnitOfWork, role: Role, organisation: str | None = None) -> Identity:
        """Give the account with a role, in an organisation if one is named."""
        found = (identity_with(one, role) for one in self.rooms.accounts.with_role(uow, role))
        return next(one for one in found if one is not None and organisation in {None, one.organisation})

    def license_manager(self, uow: UnitOfWork, case: CaseSpec) -> Identity:
        """Give the licence manager of a case's department."""
        organisation = case.data()["organisation"]
        return self.person(uow, Role.LICENSE_MANAGER, organisation)

    def seal_manager(self, uow: UnitOfWork) -> Identity:
        """Give the seal manager."""
        return self.person(uow, Role.SEAL_MANAGER)

    @classmethod
    def gather(cls, rooms: Rooms, settings: Settings, script: Script) -> Self:
        """Give the cast, added when it is not there yet."""
        stored = settings.data / "demo-cast.json"
        if not stored.exists():
            write_durably(stored, json.dumps(_add(rooms, script)).encode(), 0o600)
        cast = json.loads(stored.read_bytes())
        key_file = settings.data / SANDBOX_KEY
        if "sandbox" not in cast:
            cast["sandbox"] = _add_sandbox(rooms, script, cast["accounts"], key_file)
            write_durably(stored, json.dumps(cast).encode(), 0o600)
        if "documents" not in cast:
            cast["documents"] = _add_documents(rooms, cast["accounts"])
            write_durably(stored, json.dumps(cast).encode(), 0o600)
        return cls(rooms, cast["key"], cast["accounts"], cast["sandbox"], key_file)


def _administrators(rooms: Rooms, uow: UnitOfWork) -> tuple[Identity, Identity]:
    """Give the administrator who asks for rights, and the one who decides."""
    asks, decides = (
        identity_with(rooms.accounts.with_role(uow, role)[0], role)
        for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
    )
    if asks is None or decides is None:
        raise LookupError("the first administrators are there before anybody else")
    return asks, decides


def _grant(rooms: Rooms, uow: UnitOfWork, client: Client) -> None:
    """Let the client ask of the library: one administrator requests it, another approves it."""
    asks, decides = _administrators(rooms, uow)
    today = legal_date(rooms.clock.now())
    new = NewGrant(
        organisation=client.organisation,
        client_id=client.id,
        items=[GrantedItem(code) for code in client.items],
        purposes=sorted(purposes()),
        ceiling=Ceiling.DOCUMENT,
        quota=2000,
        valid_from=today,
        valid_until=today + _DEMO_YEAR,
        legal_basis="演示市政务数据共享管理办法第十条",
    )
    change = rooms.rights.add_grant(uow, asks, new, "一窗受理免证核验")
    rooms.rights.approve(uow, decides, change.id, "与所办事项相符")


def _add(rooms: Rooms, script: Script) -> dict[str, object]:
    office = script.organisations[0]
    accounts: dict[str, str] = {}
    demo = system_identity("demo")
    with rooms.database.writing() as uow:
        for role, name in _NAMES.items():
            organisations = script.organisations if role is Role.LICENSE_MANAGER else (office,)
            if role is Role.SUPERVISOR:
                organisations = (_SUPERVISION,)
            for organisation in organisations:
                new = NewAccount(name=name, organisation=organisation, roles=frozenset({role}))
                accounts.setdefault(role, add_account(uow, demo, new).id)
        scopes = frozenset({"announce", "file", "ask", "read"})
        client = _client(rooms, script, accounts, "演示市一窗受理平台", scopes)
        added, key = add_client(uow, demo, client)
        _grant(rooms, uow, added)
    return {"key": key, "accounts": accounts}


def _add_documents(rooms: Rooms, accounts: dict[str, str]) -> list[str]:
    """Register who some officials are as holders, so that supervision finds queries about one's own."""
    with rooms.database.writing() as uow:
        asks, decides = _administrators(rooms, uow)
        for role, number in _DOCUMENTS.items():
            change = rooms.rights.state_document(
                uow, asks, accounts[role], RESIDENT_ID, number, "入职登记本人证件"
            )
            rooms.rights.approve(uow, decides, change.id, "与人事档案相符")
    return [str(role) for role in _DOCUMENTS]


def _client(
    rooms: Rooms, script: Script, accounts: dict[str, str], name: str, scopes: frozenset[str]
) -> NewClient:
    return NewClient(
        name=name,
        organisation=script.organisations[0],
        sources=frozenset({script.source}),
        scopes=scopes,
        items=frozenset(case.data()["item"]["code"] for case in script.cases),
        operators=frozenset({accounts[Role.CLERK]}),
        expires_at=rooms.clock.now() + _DEMO_YEAR,
    )


def _add_sandbox(rooms: Rooms, script: Script, accounts: dict[str, str], key_file: Path) -> str:
    """Add the client with a pair of keys; its private half goes to its own file."""
    pair, demo = CallerKey.make(), system_identity("demo")
    new = _client(rooms, script, accounts, "演示市沙箱业务系统", frozenset({"announce", "ask", "read"}))

    def add(uow: UnitOfWork) -> str:
        client, _ = add_client(uow, demo, new)
        add_key(uow, demo, client.id, pair.public())
        _grant(rooms, uow, client)
        return client.id

    write_durably(key_file, json.dumps(pair.private()).encode(), 0o600)
    return rooms.database.write(add)
