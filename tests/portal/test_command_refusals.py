# SPDX-License-Identifier: Apache-2.0
"""What a command refuses somebody known stands in the ledger, by the same rule as over the network."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from inserted import rowid
from sqlalchemy import select

from portal.commands.common import open_installation
from portal.demo.script import Script
from storage.database import LedgerClosedError
from storage.identity import Role
from storage.ledger.gate import LedgerGate
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerClosedRefusal

from .conftest import run

GROUNDS = ("--reason", "公示期内有异议", "--legal-basis", "行政许可法第六十九条")
REASON = ("--reason", "核查")
NEW_ACCOUNT = ("account", "add", "--name", "测试员", "--organisation", "scjg", "--role", "clerk", *REASON)


def accounts(role: Role) -> list[str]:
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        found = [one.id for one in rooms.accounts.with_role(uow, role)]
    rooms.close()
    return found


def cores() -> list[dict[str, Any]]:
    """Give the cores of all acts so far, in order."""
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        found = [json.loads(core) for core in uow.session.scalars(select(LedgerAct.core).order_by(rowid))]
    rooms.close()
    return found


def what_is_recorded_by(
    *arguments: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[dict[str, Any]]]:
    """Run a command; give its exit code and the cores of the acts that it left."""
    before = len(cores())
    code, _ = run(*arguments, capsys=capsys)
    return code, cores()[before:]


def some_seal(capsys: pytest.CaptureFixture[str]) -> str:
    return run("seal", "list", capsys=capsys)[1].split()[0]


def test_a_rule_that_refuses_is_recorded_with_who_where_and_why(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal, manager = some_seal(capsys), accounts(Role.SEAL_MANAGER)[0]
    revoke = ("seal", "revoke", seal, "--reason", "audit")
    code, acts = what_is_recorded_by(*revoke, capsys=capsys)
    assert (code, [act["kind"] for act in acts]) == (0, ["seal.revoked"])
    code, (act,) = what_is_recorded_by(*revoke, capsys=capsys)
    assert (code, act["kind"], act["outcome"], act["reasons"]) == (
        3,
        "access.refused",
        "refused",
        ["seals-state"],
    )
    assert act["object"] == {"type": "command", "id": "seal revoke"}
    assert act["actor"] == {"kind": "person", "id": manager, "org": "scjg", "roles": "seal-manager"}


@pytest.mark.parametrize(
    "arguments",
    [
        NEW_ACCOUNT,
        ("client", "add", "--name", "系统", "--organisation", "scjg", "--scope", "read", *REASON),
        ("account", "end", "any", *REASON),
        ("right", "list"),
        ("right", "approve", "any", *REASON),
        ("right", "withdraw", "any", *REASON),
        ("login-link", "clerk"),
        ("seal", "list"),
        ("seal", "suspend", "any", "--reason", "audit"),
        ("licence", "revoke", "any", *GROUNDS),
        ("search", "食品"),
    ],
)
def test_a_known_person_without_the_role_is_refused_and_recorded(
    installation: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    inspector = accounts(Role.INSPECTOR)[0]
    code, acts = what_is_recorded_by(*arguments, "--as", inspector, capsys=capsys)
    assert code == 3
    words = arguments[:1] if arguments[0] in {"login-link", "search"} else arguments[:2]
    assert [(act["kind"], act["actor"]["id"], act["object"]["id"], act["reasons"]) for act in acts] == [
        ("access.refused", inspector, " ".join(words), ["not-permitted"])
    ]


def test_a_licence_that_is_not_the_managers_is_refused_and_recorded(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manager = accounts(Role.LICENSE_MANAGER)[0]
    code, (act,) = what_is_recorded_by("licence", "suspend", "any", *GROUNDS, "--as", manager, capsys=capsys)
    assert (code, act["kind"], act["actor"]["id"]) == (3, "access.refused", manager)
    assert act["object"] == {"type": "command", "id": "licence suspend"}


def test_roles_that_exclude_each_other_are_refused_and_recorded(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, (act,) = what_is_recorded_by(
        *NEW_ACCOUNT, "--role", "seal-manager", "--role", "archivist", capsys=capsys
    )
    assert (code, act["kind"], act["reasons"]) == (3, "access.refused", ["roles-exclude"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((*NEW_ACCOUNT, "--as", "nobody"), 3),
        (("licence", "suspend", "any", *GROUNDS), 3),
        (("seal", "revoke"), 64),
        (("client", "add", "--name", "系统", "--organisation", "scjg", "--scope", "everything", *REASON), 64),
        (("search", "食品", "--limit", "0"), 64),
    ],
)
def test_what_is_malformed_or_comes_from_nobody_known_is_only_told(
    installation: Path, arguments: tuple[str, ...], expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert what_is_recorded_by(*arguments, capsys=capsys) == (expected, [])


def changed_case(folder: Path, **changes: object) -> Path:
    """Write a case of the demonstration with other metadata."""
    shutil.copytree(Script.load().case("02-firm-copy-tampered").folder, folder)
    case = json.loads((folder / "case.json").read_bytes())
    (folder / "case.json").write_text(json.dumps(case | changes), encoding="utf-8")
    return folder


def test_intake_records_each_refused_case_and_no_malformed_one(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    changed_case(cases / "1-classified", secrecy="机密")
    changed_case(cases / "2-elsewhere", organisation="jtys", number="N-2")
    changed_case(cases / "3-malformed", result="perhaps")
    code, acts = what_is_recorded_by("intake", str(cases), capsys=capsys)
    assert code == 3
    assert [(act["kind"], act["object"]["type"], act["outcome"]) for act in acts] == [
        ("filing.refused", "filing", "refused"),
        ("access.refused", "command", "refused"),
    ]


def test_while_the_ledger_is_closed_a_refusal_is_told_as_it_is_and_counted(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(self: LedgerGate, kind: ActKind) -> None:
        raise LedgerClosedError

    monkeypatch.setattr(LedgerGate, "admit", closed)
    code, printed = run("seal", "list", "--as", accounts(Role.CLERK)[0], capsys=capsys)
    assert (code, "not-permitted" in printed) == (3, True)
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        assert uow.session.scalar(select(LedgerClosedRefusal.count)) == 1
    rooms.close()


def test_making_a_login_link_is_an_act_of_the_administrator_about_the_account(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, acts = what_is_recorded_by("login-link", "supervisor", capsys=capsys)
    administrator, supervisor = accounts(Role.SYSTEM_ADMIN)[0], accounts(Role.SUPERVISOR)[0]
    assert code == 0
    assert [(act["kind"], act["actor"]["id"], act["object"]) for act in acts] == [
        ("account.link-made", administrator, {"type": "account", "id": supervisor})
    ]
