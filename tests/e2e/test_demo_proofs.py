# SPDX-License-Identifier: Apache-2.0
"""Asking the demonstration's library: a signed answer whose promise is redeemed, or a recorded refusal."""

import datetime as dt
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from calling import Caller, make_caller
from demonstration import cast_of, copy_of, opened, settings_of
from flask.testing import FlaskClient
from identity import served
from joserfc import jws
from joserfc.jwk import KeySet
from running import COMMAND
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.rights import NewClient
from portal.asking.signing import CallerKey
from portal.bootstrap import open_foundation, open_keeper
from portal.demo.greeting import greeting
from portal.demo.people import Cast
from portal.demo.script import Script
from portal.rooms import Rooms
from portal.settings import Settings
from portal.verifier import main
from portal.web.factory import create_app
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.identity import Role
from storage.ledger.models import LedgerAct, LedgerEntry

pytestmark = pytest.mark.slow

SCRIPT = Script.load()
OPEN = SCRIPT.case("11-food-open").data()
SECOND = SCRIPT.case("31-food-second-shop").data()
CLOSED = SCRIPT.case("01-firm-registered").data()
OTHER_HOLDER = SCRIPT.case("05-food-suspended").data()["holder"]


def question(case: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """Give the question about all proofs of a case."""
    named = {"source": case["source"], "number": case["number"]}
    return {"case": named, "item": case["item"]["code"], "purpose": "accept", **more}


@dataclass(frozen=True)
class Office:
    """The demonstration's installation, a copy that may be written to, and its one client."""

    rooms: Rooms
    settings: Settings
    browser: FlaskClient
    cast: Cast

    @property
    def sandbox(self) -> Caller:
        return Caller(
            self.browser.application,
            self.rooms,
            self.cast.sandbox,
            CallerKey.read(self.cast.key_file),
            operator=self.cast.accounts[Role.CLERK],
        )

    def ask(self, body: Mapping[str, Any], caller: Caller | None = None) -> TestResponse:
        return (caller or self.sandbox).call("/api/v1/proofs", body)

    def run_sequencer(self) -> None:
        keeper = open_keeper(open_foundation(self.settings), self.settings)
        assert keeper.tick(hurry=True).problems == ()
        keeper.close()

    def refusals(self) -> dict[str, tuple[Any, bool]]:
        """Give the core of every recorded refusal by act id, and whether it is an entry of the ledger."""
        query = (
            select(LedgerAct.act_id, LedgerAct.core, LedgerEntry.seq)
            .outerjoin(LedgerEntry, LedgerEntry.act_id == LedgerAct.act_id)
            .where(LedgerAct.kind == "proof.refused")
        )
        with self.rooms.database.reading() as uow:
            rows = uow.session.execute(query).all()
        return {act: (json.loads(core), seq is not None) for act, core, seq in rows}

    def redeem(self, act: str, folder: Path) -> int:
        """Fetch the receipt of an act and check it as a stranger does, who has the log's key."""
        receipt = self.browser.get(f"/api/v1/ledger/receipts/{act}")
        assert receipt.status_code == 200, receipt.text
        (folder / "receipt").write_bytes(receipt.data)
        key = self.browser.get("/api/v1/ledger/key").text.strip()
        (folder / "policy").write_text(f"log {key}\nquorum none\n")
        return main([str(folder / "receipt"), "--policy", str(folder / "policy"), "--promise", act])


@pytest.fixture(scope="module")
def office(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = copy_of(demo_data, tmp_path_factory.mktemp("office") / "data")
    settings = settings_of(data)
    with opened(data) as rooms:
        browser = create_app(rooms, settings).test_client()
        yield Office(rooms, settings, browser, cast_of(rooms, data))


def signed(office: Office, token: str) -> dict[str, Any]:
    """Give what an answer says, checked by the published keys alone and by no code of ours."""
    published = office.browser.get("/.well-known/jwks.json").json
    checked = jws.deserialize_compact(token, KeySet.import_key_set(published), algorithms=["ES256"])
    said: dict[str, Any] = json.loads(checked.payload)
    return said


def test_the_answer_about_the_open_case_verifies_and_its_promise_is_redeemed(
    office: Office, tmp_path: Path
) -> None:
    answer = office.ask(question(OPEN))
    assert answer.status_code == 200, answer.text
    said = signed(office, answer.json["jws"])
    assert said["decision"] == answer.json["decision"]
    results = {one["id"]: one["result"] for one in said["decision"]["requirements"]}
    assert results == {"R1": "MET", "R2": "UNKNOWN", "R3": "UNKNOWN"}
    assert said["promise"]["log"] == office.settings.log_origin
    promised = said["promise"]["core_sha256"]
    early = office.browser.get(f"/api/v1/ledger/receipts/{promised}")
    assert (early.status_code, early.json["code"]) == (409, "receipt-not-ready")
    assert early.headers["Retry-After"] == "5"
    office.run_sequencer()
    assert office.redeem(promised, tmp_path) == EXIT_DONE


def test_the_question_that_the_terminal_shows_is_answered(office: Office, tmp_path: Path) -> None:
    shown = "\n".join(greeting(office.settings, office.cast, SCRIPT, {}, "0" * 26))
    told = re.search(r"  \.venv/bin/(cunzheng ask .+)\n((?:    .+\n)+)", shown)
    assert told is not None
    line = f"{told[1]}\n{told[2]}".replace("\\\n", " ").split()
    with served(office.browser.application, office.settings.port):
        done = subprocess.run(
            [COMMAND, *line[1:]], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == EXIT_DONE, done.stderr
    assert "● R1" in done.stdout
    assert f"     {SECOND['number']}: " in shown, "the rung of an earlier case is told, too"
    assert f" .venv/bin/cunzheng --data {office.settings.data} login-link archivist" in shown
    usual = office.settings.model_copy(update={"data": Settings.model_fields["data"].default})
    told = "\n".join(greeting(usual, office.cast, SCRIPT, {}, "0" * 26))
    assert " .venv/bin/cunzheng login-link archivist" in told


def test_the_files_that_the_terminal_names_are_what_it_says_of_them(office: Office) -> None:
    shown = "\n".join(greeting(office.settings, office.cast, SCRIPT, {}, "0" * 26))
    command = rf"^  \.venv/bin/cunzheng --data {re.escape(str(office.settings.data))} verify "
    answer = re.search(command + r"(/\S+/answer\.jws) +# (\S+)$", shown, re.M)
    assert answer is not None
    said = signed(office, Path(answer[1]).read_text())
    assert said["decision"]["case"]["number"] == answer[2]
    files = re.findall(command + r"(/\S+\.pdf)$", shown, re.M)
    codes = [
        subprocess.run(
            [COMMAND, "--data", str(office.settings.data), "verify", file],
            capture_output=True,
            check=False,
            timeout=60,
        ).returncode
        for file in files
    ]
    assert codes == [EXIT_DONE, EXIT_INVALID], files


def test_files_that_are_not_there_are_not_named(office: Office, tmp_path: Path) -> None:
    elsewhere = office.settings.model_copy(update={"data": tmp_path})
    assert ".pdf" not in "\n".join(greeting(elsewhere, office.cast, SCRIPT, {}, None)).partition("six")[0]


def narrow_caller(office: Office, *, items: frozenset[str], sources: frozenset[str]) -> Caller:
    new = NewClient(
        name="只能问别的事项的系统",
        organisation=OPEN["organisation"],
        sources=sources,
        scopes=frozenset({"ask"}),
        items=items,
        operators=frozenset({office.cast.accounts[Role.CLERK]}),
        expires_at=office.rooms.clock.now() + dt.timedelta(days=30),
    )
    operator = office.cast.accounts[Role.CLERK]
    return make_caller(office.browser.application, office.rooms, new, operator=operator)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (question(CLOSED), "case-closed"),
        (question(OPEN, holder={name: OTHER_HOLDER[name] for name in ("scheme", "code")}), "holder"),
        (question(OPEN) | {"item": CLOSED["item"]["code"]}, "item-of-another-case"),
        (question(OPEN | {"number": "YS-2026-999999"}), "case-unknown"),
    ],
    ids=["closed case", "other holder", "item of another case", "unknown case"],
)
def test_a_refusal_tells_nothing_and_stands_in_the_ledger(
    office: Office, tmp_path: Path, body: dict[str, Any], reason: str
) -> None:
    refused(office, tmp_path, caller=None, body=body, reason=reason)


@pytest.mark.parametrize("narrow", ["item", "source"])
def test_what_lies_outside_the_clients_grant_is_refused(office: Office, tmp_path: Path, narrow: str) -> None:
    items = CLOSED["item"]["code"] if narrow == "item" else OPEN["item"]["code"]
    source = "another" if narrow == "source" else OPEN["source"]
    caller = narrow_caller(office, items=frozenset({items}), sources=frozenset({source}))
    refused(office, tmp_path, caller=caller, body=question(OPEN), reason="not-granted")


def refused(
    office: Office, folder: Path, *, caller: Caller | None, body: dict[str, Any], reason: str
) -> None:
    """Ask, and check that the refusal is like any other outwards and recorded with its reason inwards."""
    before = office.refusals()
    answer = office.ask(body, caller)
    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "proof-refused"
    assert body["case"]["number"] not in answer.text
    assert OTHER_HOLDER["code"] not in answer.text
    office.run_sequencer()
    recorded = {act: found for act, found in office.refusals().items() if act not in before}
    ((act, (core, sequenced)),) = recorded.items()
    assert sequenced
    assert core["outcome"] == "refused"
    assert any(code.startswith(reason) for code in core["reasons"])
    assert OTHER_HOLDER["code"] not in json.dumps(core)
    assert office.redeem(act, folder) == EXIT_DONE
