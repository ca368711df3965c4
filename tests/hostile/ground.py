# SPDX-License-Identifier: Apache-2.0
"""One installation that is attacked, and what must hold of it after every case.

Nothing lost or half done: every table, the object store and the staging folder are as before, but for the
acts that the case names and the rows that such acts bring; what was received is complete. Nothing echoed:
each case carries a mark of its own in what it sends, which must not come back. Nothing personal logged: no
line of any logger holds the mark, an identity number or a name.
"""

import datetime as dt
import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from calling import SigningClient, add_operators, known_token, make_caller, renew
from flask import Flask
from flask.testing import FlaskClient
from granting import grant
from once import copy_prepared
from personal import personal_in
from sqlalchemy import select, update

from archive.models import Filing, FilingMaterial, FilingReceipt
from portal.accounts.models import Client, LoginLink, WebSession
from portal.accounts.rights import NewAccount, NewClient, add_account, add_client
from portal.bootstrap import open_rooms
from portal.rooms import Rooms
from portal.settings import Settings
from portal.tables import all_tables
from portal.web.factory import create_app
from portal.web.forms import FORM_COOKIE, _token
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role, system_identity
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

OPEN_CASE, CLOSED_CASE, FILED_CASE = "OPEN-1", "CLOSED-1", "FILED-1"
HOLDER: Final[dict[str, str]] = CASE_EXAMPLE["holder"]
ITEM: Final[dict[str, str]] = CASE_EXAMPLE["item"]
PERSON = {"scheme": "111", "code": "339999190001010012", "name": "张演示"}
OPERATOR = "op-1"
MOST_UPLOAD, MOST_CHECKED = 3 << 20, 2 << 20
_SECRET = "0f" * 16
_TEST = system_identity("test")

_BRINGS: Final[Mapping[str, frozenset[str]]] = {
    "access.refused": frozenset({"license_usage"}),
    "account.sessions-ended": frozenset({"web_session"}),
    "account.signed-in": frozenset({"login_link", "web_session"}),
    "case.announced": frozenset({"case_record", "holder"}),
    "case.closed": frozenset({"case_record"}),
    "filing.received": frozenset(
        {"case_record", "holder", "filing", "filing_material", "filing_receipt", "step"}
    ),
    "filing.refused": frozenset(),
    "license.read": frozenset({"license_grant_use", "license_usage"}),
    "proof.answered": frozenset(
        {"license_answer", "license_decision", "license_reliance", "license_request", "license_usage"}
    ),
    "proof.asked": frozenset({"client_nonce", "license_grant_use"}),
    "proof.refused": frozenset({"client_nonce", "license_usage"}),
}
"""Tables that an act brings rows to, the ledger's own aside; an act that is not here is a surprise."""
_LEDGER: Final = frozenset({"ledger_act", "ledger_pending"})


def mark_of(name: str) -> str:
    """Give the mark of a case: what it sends holds it, and nothing that comes back may."""
    return "zq" + hashlib.sha256(name.encode()).hexdigest()[:14]


class Ears(logging.Handler):
    """Hears every line that any logger writes while a case runs, as the processes would write it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass(frozen=True, slots=True)
class Look:
    """How everything stood at one moment."""

    tables: Mapping[str, str]
    acts: Sequence[str]
    objects: frozenset[str]
    staging: frozenset[str]


@dataclass
class Ground:
    """The installation, who calls it, and what looks at it."""

    settings: Settings
    rooms: Rooms
    app: Flask
    keys: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    # -- who calls -----------------------------------------------------------------------------------

    def bearer(self, who: str) -> dict[str, str]:
        """Give the header of a client; none for a stranger."""
        return {"Authorization": f"Bearer {self.keys[who]}"} if who in self.keys else {}

    def browser(self, session: str = "") -> FlaskClient:
        """Give a browser with the cookies of a session, or of none."""
        browser = self.app.test_client()
        if session:
            browser.set_cookie("cunzheng_session", self.sessions[session])
        browser.set_cookie(FORM_COOKIE, _SECRET)
        return browser

    def form_token(self, session: str = "") -> str:
        """Give the token that a form of this browser and session carries."""
        if not session:
            return _token(_SECRET, None)
        with self.rooms.database.reading() as uow:
            who = self.rooms.accounts.person(uow, self.sessions[session])
        return _token(_SECRET, who.session if who else None)

    def new_link(self, account: str) -> str:
        with self.rooms.database.writing() as uow:
            return self.rooms.accounts.login_link(uow, _TEST, self.accounts[account])

    # -- what must hold ------------------------------------------------------------------------------

    def look(self) -> Look:
        with self.rooms.database.reading() as uow:
            tables = {
                name: hashlib.sha256(
                    repr(sorted(map(repr, uow.session.execute(table.select())))).encode()
                ).hexdigest()
                for name, table in all_tables().tables.items()
            }
            acts = list(uow.session.scalars(select(LedgerAct.kind)))
        return Look(tables, acts, _files(self.settings.objects), _files(self.settings.staging))

    @contextmanager
    def watched(self, mark: str, acts: Sequence[str] = ()) -> Iterator[Ears]:
        """Run a case, and see that it did what ``acts`` say and nothing else."""
        self._let_minute_begin()
        renew(self.app)
        before, ears, root = self.look(), Ears(), logging.getLogger()
        root.addHandler(ears)
        try:
            yield ears
        finally:
            root.removeHandler(ears)
        self._nothing_half_done(before, self.look(), acts)
        nothing_told(mark, "\n".join(ears.lines), "a log line")

    def _let_minute_begin(self) -> None:
        """Note every session as seen now: a case that runs as its minute ends is no cause of that row."""
        with self.rooms.database.writing() as uow:
            seen = update(WebSession).where(WebSession.ended_at.is_(None))
            uow.session.execute(seen.values(seen_at=self.rooms.clock.now()))

    def _nothing_half_done(self, before: Look, after: Look, acts: Sequence[str]) -> None:
        left = Counter(after.acts) - Counter(before.acts)
        assert left == Counter(acts), f"acts {dict(left)}"
        changed = {name for name in after.tables if after.tables[name] != before.tables[name]}
        brought = frozenset[str]().union(*(_BRINGS[act] for act in acts)) | (_LEDGER if acts else frozenset())
        assert changed <= brought, changed - brought
        assert after.staging == before.staging == frozenset()
        assert before.objects <= after.objects
        if "filing.received" not in acts:
            assert after.objects == before.objects
        self._everything_complete(after)

    def _everything_complete(self, look: Look) -> None:
        """Every filing has its receipt, its step and its bytes; every object belongs to a filing."""
        with self.rooms.database.reading() as uow:
            filings = uow.session.scalars(select(Filing)).all()
            owed = {one.metadata_sha256 for one in filings}
            owed |= set(uow.session.scalars(select(FilingMaterial.sha256)))
            receipts = set(uow.session.scalars(select(FilingReceipt.filing_id)))
            steps = set(uow.session.scalars(select(StepRow.subject)))
        ids = {one.id for one in filings}
        assert ids == receipts
        assert ids <= steps
        assert owed == {Path(path).name for path in look.objects if len(Path(path).name) == 64}


def nothing_told(mark: str, text: str, where: str) -> None:
    """See that a text holds neither the mark nor anything personal."""
    assert mark not in text.lower(), f"{where} holds what was sent"
    assert not personal_in(text), f"{where} holds personal data"


def _files(folder: Path) -> frozenset[str]:
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# -- how it is made ------------------------------------------------------------------------------------


def lay(folder: Path) -> Ground:
    """Set an installation up, with clients of every scope, persons of every desk, and three cases."""
    settings = Settings(
        data=folder, max_upload=MOST_UPLOAD, max_verification=MOST_CHECKED, public_rate=100_000
    )
    copy_prepared(folder)
    rooms = open_rooms(settings)
    ground = Ground(settings, rooms, create_app(rooms, settings))
    ground.app.test_client_class = SigningClient
    _add_clients(ground)
    _add_persons(ground)
    _add_cases(ground)
    return ground


def _add_clients(ground: Ground) -> None:
    every = {"announce", "file", "ask", "read"}
    for name, scopes, sources in (
        ("client", every, {"ycsl"}),
        ("other", every, {"wtpt"}),
        ("reader", {"read"}, {"ycsl"}),
        ("filer", {"announce", "file"}, {"ycsl"}),
        ("verifier", {"dispute"}, set()),
        ("subscriber", {"subscribe"}, set()),
        ("auditor", {"audit"}, set()),
        ("answerer", {"answer"}, set()),
        ("expired", every, {"ycsl"}),
    ):
        new = NewClient(
            name="综合受理系统",
            organisation="scjg",
            sources=frozenset(sources),
            scopes=frozenset(scopes),
            items=frozenset({ITEM["code"]}),
            operators=frozenset({OPERATOR}),
            expires_at=ground.rooms.clock.now() + dt.timedelta(days=30),
        )
        if scopes & {"ask", "answer"}:
            caller = make_caller(ground.app, ground.rooms, new, operator=OPERATOR)
            ground.keys[name] = known_token(caller)
            ground.keys.setdefault("nobody", known_token(caller, operator=None))
            continue
        with ground.rooms.database.writing() as uow:
            add_operators(uow, new.operators)
            client, ground.keys[name] = add_client(uow, _TEST, new)
            grant(uow, client.items, client_id=client.id)
    _let_end(ground, Client)


def _add_persons(ground: Ground) -> None:
    accounts = ground.rooms.accounts
    for name, role in (("security", Role.SECURITY_ADMIN), ("system", Role.SYSTEM_ADMIN)):
        with ground.rooms.database.writing() as uow:
            (account,) = accounts.with_role(uow, role)
            ground.accounts[name] = account.id
            ground.sessions[name] = accounts.sign_in(uow, accounts.login_link(uow, _TEST, account.id)).token
    for name, role, organisation in (
        ("archivist", Role.ARCHIVIST, "scjg"),
        ("clerk", Role.CLERK, "scjg"),
        ("elsewhere", Role.CLERK, "jtys"),
        ("inspector", Role.INSPECTOR, "scjg"),
        ("supervisor", Role.SUPERVISOR, "scjg"),
        ("seals", Role.SEAL_MANAGER, "scjg"),
        ("licences", Role.LICENSE_MANAGER, "scjg"),
        ("expired", Role.CLERK, "scjg"),
    ):
        new = NewAccount(name="测试员", organisation=organisation, roles=frozenset({role}))
        with ground.rooms.database.writing() as uow:
            ground.accounts[name] = add_account(uow, _TEST, new).id
            link = accounts.login_link(uow, _TEST, ground.accounts[name])
            ground.sessions[name] = accounts.sign_in(uow, link).token
    _let_end(ground, WebSession)
    for name in ("used", "old"):
        ground.links[name] = ground.new_link("clerk")
    _let_end(ground, LoginLink)
    with ground.rooms.database.writing() as uow:
        ground.links["used"] = accounts.login_link(uow, _TEST, ground.accounts["clerk"])
        ground.sessions["signed-out"] = accounts.sign_in(uow, ground.links["used"]).token
        accounts.sign_out(uow, ground.sessions["signed-out"])


def _let_end(ground: Ground, table: type[Client] | type[WebSession] | type[LoginLink]) -> None:
    """Let the newest row of a table be out of date."""
    past = ground.rooms.clock.now() - dt.timedelta(days=1)
    with ground.rooms.database.writing() as uow:
        newest = uow.session.scalars(select(table.id).order_by(table.expires_at.desc())).first()
        uow.session.execute(update(table).where(table.id == newest).values(expires_at=past))


def case_body(**changes: Any) -> dict[str, Any]:
    """Give the announcement of a case that nothing is wrong with, but for what is changed."""
    return {
        "item": dict(ITEM),
        "holder": dict(HOLDER),
        "organisation": "scjg",
        "accepted_at": "2026-11-02T09:00:00+08:00",
    } | changes


def _add_cases(ground: Ground) -> None:
    browser = ground.app.test_client()
    closed = {"closed_at": "2026-11-16T09:00:00+08:00"}
    for number, more in ((OPEN_CASE, {}), (CLOSED_CASE, closed), (FILED_CASE, closed)):
        address = f"/api/v1/cases/ycsl/{number}"
        answer = browser.put(address, json=case_body(**more), headers=ground.bearer("client"))
        assert answer.status_code == 201, answer.text


def address_is_free_of(text: str, host: str) -> bool:
    """Tell whether no address in a text names a foreign host."""
    return not re.search(rf"//{re.escape(host)}", text)
