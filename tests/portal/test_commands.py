# SPDX-License-Identifier: Apache-2.0
"""Commands as an operator types them: what they print, their exit codes, and what they leave."""

import datetime as dt
import json
import shutil
import socket
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.models import Filing
from cases.services import Announcement
from licenses.models import Decision
from licenses.questions import ProofQuestion
from portal.address import publish
from portal.affected import AFFECTED
from portal.bootstrap import open_rooms
from portal.commands.common import open_installation
from portal.demo.script import Script
from portal.errors import AlreadyRunningError
from portal.processes import only_one, together, web_lock
from portal.settings import Settings
from portal.steps import StepDesk
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID, NotPermittedError
from storage.identity import Identity, Role, system_identity
from storage.ledger.canonical import canonical
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

from .conftest import run

COMPANY = ("001", "91339999MADEM0011X", "演示食品有限公司")


def receipt_of(printed: str) -> str:
    return printed.split("receipt ")[1].split("，", maxsplit=1)[0]


def test_cases_are_filed_from_folders_with_a_receipt_each_and_counted(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Script.load().case("02-firm-copy-tampered").folder
    code, printed = run("intake", str(case), capsys=capsys)
    assert (code, "收件回执 receipt" in printed) == (0, True)
    code, again = run("intake", str(case), capsys=capsys)
    assert code == 0
    assert receipt_of(again) == receipt_of(printed)
    code, printed = run("status", "--json", capsys=capsys)
    assert json.loads(printed)["received"] == 1


def test_a_refused_case_is_told_and_the_others_are_filed_all_the_same(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = tmp_path / "cases"
    shutil.copytree(Script.load().case("02-firm-copy-tampered").folder, folders / "good")
    shutil.copytree(Script.load().case("03-firm-corrected").folder, folders / "bad")
    submission = json.loads((folders / "bad" / "case.json").read_bytes())
    submission["holder"]["code"] = "91339999MADEM0011Y"
    (folders / "bad" / "case.json").write_text(json.dumps(submission), encoding="utf-8")
    code, printed = run("intake", str(folders), capsys=capsys)
    assert code == 3
    assert "91339999MADEM0011Y" not in printed
    code, printed = run("status", "--json", capsys=capsys)
    assert json.loads(printed)["received"] == 1


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"a.b.c"])
def test_verify_where_nothing_is_installed_asks_what_to_trust(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUNZHENG_DATA", str(tmp_path / "none"))
    file = tmp_path / "file"
    file.write_bytes(content)
    code, printed = run("verify", str(file), capsys=capsys)
    assert code == 64
    assert "trust-needed" in printed
    assert "/api/v1/trust/ca.pem" in printed


def test_restore_is_refused_by_the_web_process_of_its_own_folder_and_by_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "second"
    monkeypatch.setenv("CUNZHENG_DATA", str(folder))
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.listen()
        monkeypatch.setenv("CUNZHENG_PORT", str(elsewhere.getsockname()[1]))
        assert "keys-missing" in run("restore", str(tmp_path), capsys=capsys)[1]
    with together(web_lock(folder), "restore"), together(web_lock(folder), "restore"):
        code, printed = run("restore", str(tmp_path), capsys=capsys)
    assert code == 3
    assert "process=web" in printed
    with (
        only_one(web_lock(folder)),
        pytest.raises(AlreadyRunningError, match="process=restore"),
        together(web_lock(folder), "restore"),
    ):
        pass


@pytest.mark.parametrize("content", [b"hi", b"", b"a b.c.d", b"{}"])
def test_a_file_that_is_no_document_is_told_so(
    installation: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    code, printed = run("verify", str(file), capsys=capsys)
    assert code == 2
    assert "not-a-document" in printed


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["licence", "suspend", "nope", "--reason", "x", "--legal-basis", "y"], 3),
        (["login-link", "license-manager"], 64),
        (["seal", "revoke", "nope", "--reason", "audit"], 3),
        (["ledger", "receipt", "zz"], 64),
        (["no-such-command"], 64),
        (["verify", "/nonexistent"], 64),
    ],
)
def test_what_cannot_be_done_ends_with_the_documented_exit_code(
    installation: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, capsys=capsys)[0] == code


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["no-such-command"], ["没有这个命令", "No such command 'no-such-command'."]),
        (["seal", "revoke", "--no-such-option"], ["没有这个选项", "No such option"]),
        (["seal", "revoke"], ["缺少参数", "Missing argument"]),
        (["serve", "--port", "x"], ["值不符合要求", "not a valid integer"]),
        (["serve", "--port"], ["选项缺少值", "requires an argument"]),
        (["status", "more"], ["用法 Usage: cunzheng status", "extra argument"]),
    ],
)
def test_a_command_line_that_cannot_be_read_is_told_in_both_languages(
    arguments: list[str], what: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run(*arguments, capsys=capsys)
    assert code == 64
    common = ["命令用法有误", "The command line cannot be read [command-line]", "加 --help", "add --help"]
    assert [text for text in (*what, *common) if text not in printed] == []


def test_an_export_goes_into_a_folder_of_its_own(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run("ledger", "export", str(tmp_path), capsys=capsys)
    assert code == 3
    told = ["export-folder-not-empty", "导出目录不是空的", "请另指定", "is not empty", "Name a new or empty"]
    assert [text for text in told if text not in printed] == []
    code, printed = run("ledger", "export", str(tmp_path / "new"), capsys=capsys)
    assert (code, "ledger-nothing-signed" in printed) == (3, True)


def address_in(printed: str) -> str:
    return printed.partition("/sign-in/")[0]


def test_a_login_link_names_the_address_that_the_folder_is_served_on(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed = run("login-link", "clerk", capsys=capsys)
    assert address_in(printed) == "http://127.0.0.1:8321"
    publish(Settings().at_port(9137))
    _, printed = run("login-link", "clerk", capsys=capsys)
    assert address_in(printed) == "http://127.0.0.1:9137"
    monkeypatch.setenv("CUNZHENG_PUBLIC_URL", "https://cunzheng.invalid/library")
    _, printed = run("login-link", "clerk", capsys=capsys)
    assert address_in(printed) == "https://cunzheng.invalid/library"


@pytest.fixture
def step_ids(installation: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Three steps of a case that was filed: one stuck, one that waits, one ready."""
    assert run("intake", str(Script.load().case("02-firm-copy-tampered").folder), capsys=capsys)[0] == 0
    rooms, _ = open_installation()
    with rooms.database.writing() as uow:
        ready = uow.session.scalars(select(StepRow)).one()
        ids = [uow.add_step(kind, ready.subject) for kind in ("archive.store", "archive.seal")]
        stuck, waiting = (uow.session.get_one(StepRow, one) for one in ids)
        stuck.state, stuck.problem, stuck.attempts = "stuck", "object-damaged", 6
        waiting.problem = "seals-refused"
        stuck.problem_since = waiting.problem_since = uow.clock.now()
        waiting.run_after += dt.timedelta(hours=1)
    rooms.close()
    return [*ids, ready.id]


def test_steps_are_listed_the_stuck_first_and_counted_apart(
    step_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run("step", "list", "--json", capsys=capsys)
    listed = json.loads(printed)
    assert code == 0
    assert [one["id"] for one in listed] == step_ids
    assert [one["state"] for one in listed] == ["stuck", "waiting", "ready"]
    assert [one["problem"] for one in listed] == ["object-damaged", "seals-refused", None]
    assert [one["next_at"] is None for one in listed] == [True, False, False]
    code, printed = run("step", "list", capsys=capsys)
    assert "存储对象已损坏 / A stored object is damaged" in printed
    code, printed = run("status", "--json", capsys=capsys)
    assert json.loads(printed)["steps"] == {"ready": 1, "stuck": 1, "waiting": 1}


def test_a_stuck_step_is_tried_again_with_an_act_of_its_case(
    step_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    stuck, waiting, _ = step_ids
    code, printed = run("step", "retry", stuck, capsys=capsys)
    assert code == 0
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        row = uow.session.get_one(StepRow, stuck)
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "step.retried")).one()
        filing = uow.session.get_one(Filing, row.subject)
    rooms.close()
    assert (row.state, row.attempts, row.problem) == ("ready", 0, None)
    assert act.act_id in printed
    assert (act.object_id, act.case_id) == (stuck, filing.case_id)
    assert json.loads(act.core)["reasons"] == ["object-damaged"]
    for step_id, told in ((stuck, "step-not-stuck"), (waiting, "step-not-stuck"), ("nope", "step-unknown")):
        code, printed = run("step", "retry", step_id, capsys=capsys)
        assert (code, told in printed) == (3, True)


def test_all_stuck_steps_are_tried_again_at_once(
    step_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run("step", "retry", "--all", capsys=capsys)
    assert (code, printed) == (0, "已重试 tried again: 1\n")
    code, printed = run("step", "retry", "--all", capsys=capsys)
    assert (code, printed) == (0, "已重试 tried again: 0\n")
    code, printed = run("step", "list", "--json", capsys=capsys)
    assert [one["state"] for one in json.loads(printed)] == ["waiting", "ready", "ready"]
    assert run("step", "retry", capsys=capsys)[0] == 64
    assert run("step", "retry", step_ids[0], "--all", capsys=capsys)[0] == 64


def test_who_is_no_system_administrator_tries_nothing_again(
    step_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        archivist = rooms.accounts.with_role(uow, Role.ARCHIVIST)[0]
    who = Identity("person", archivist.id, archivist.organisation, frozenset({Role.ARCHIVIST}))
    with rooms.database.writing() as uow, pytest.raises(NotPermittedError):
        StepDesk().retry(uow, who, step_ids[0])
    rooms.close()
    for arguments in (["list"], ["retry", step_ids[0]], ["retry", "--all"]):
        assert run("step", *arguments, "--as", archivist.id, capsys=capsys)[0] == 3


def test_resuming_a_seal_wakes_what_waits_for_one(
    step_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def next_at() -> str:
        _, printed = run("step", "list", "--json", capsys=capsys)
        (waiting,) = [one for one in json.loads(printed) if one["state"] == "waiting"]
        return str(waiting["next_at"])

    before = next_at()
    seal = run("seal", "list", capsys=capsys)[1].split()[0]
    assert run("seal", "suspend", seal, "--reason", "audit", capsys=capsys)[0] == 0
    assert next_at() == before
    assert run("seal", "resume", seal, "--reason", "audit-over", capsys=capsys)[0] == 0
    assert next_at() < before


def test_the_doctor_names_the_command_for_stuck_steps_and_leaves_nothing_in_the_store(
    step_ids: list[str], installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((installation / "objects").rglob("*"))
    _, printed = run("doctor", "--json", capsys=capsys)
    findings = {one["part"]: one for one in json.loads(printed)}
    assert sorted((installation / "objects").rglob("*")) == before
    assert findings["objects"]["well"]
    assert not findings["steps"]["well"]
    assert "1 waiting, 1 stuck" in findings["steps"]["state"]["en"]
    assert "cunzheng step retry" in findings["steps"]["remedy"]["zh"]
    assert findings["steps"]["affects"]["en"].startswith("archivists and holders")
    assert findings["objects"]["affects"] is None


def test_the_doctor_says_of_every_part_who_is_affected_when_it_is_not_well(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed = run("doctor", "--json", capsys=capsys)
    parts = {one["part"] for one in json.loads(printed)}
    assert parts | {"installation"} == set(AFFECTED)
    _, printed = run("doctor", capsys=capsys)
    backup = printed.partition("▲ backup")[2].splitlines()
    assert backup[1].strip() == "影响 affects: 目前无人；损坏时所有人 / nobody now; everybody after a loss"
    assert backup[2].strip().startswith("→ 执行 cunzheng backup")


def test_accounts_are_listed_with_the_ids_that_commands_take_for_the_administrators_alone(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed = run("account", "list", "--json", capsys=capsys)
    listed = json.loads(printed)
    administrator = next(one for one in listed if "system-admin" in str(one["posts"]))
    code, printed = run("account", "list", "--as", administrator["id"], capsys=capsys)
    assert code == 0
    assert [line.split()[0] for line in printed.splitlines()] == [one["id"] for one in listed]
    assert all(one["name"] in printed for one in listed)
    other = next(one for one in listed if "system-admin" not in str(one["posts"]))
    assert run("account", "list", "--as", other["id"], capsys=capsys)[0] == 3


def test_the_doctor_of_a_machine_without_an_installation_looks_at_its_tools_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUNZHENG_DATA", str(tmp_path / "none"))
    code, printed = run("doctor", capsys=capsys)
    assert code == 3
    assert "tool:" in printed
    assert "cunzheng init" in printed
    code, printed = run("doctor", "--json", capsys=capsys)
    assert (code, json.loads(printed)[-1]["part"]) == (3, "installation")
    assert run("status", capsys=capsys)[0] == 3
    assert not (tmp_path / "none").exists()


def test_a_stored_decision_is_replayed_by_its_id(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = open_rooms(Settings(data=installation))
    now = rooms.clock.now()
    told = Announcement("ycsl", "YC-1", "339999010002", "2026-03", *COMPANY, "scjg", now, None)
    clerk = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
    with rooms.database.writing() as uow:
        rooms.cases.announce(uow, system_identity("test"), told)
    with rooms.database.writing() as uow:
        made = rooms.proofs.ask(uow, clerk, ProofQuestion("ycsl", "YC-1", told.item_code, "accept")).decision
    code, printed = run("proof", "replay", made.id, capsys=capsys)
    assert (code, "逐字节相同" in printed) == (EXIT_DONE, True)
    with rooms.database.writing() as uow:
        row = uow.session.get_one(Decision, made.id)
        body = json.loads(uow.secrets.decrypt(row.body_cipher))
        body["requirements"][1]["result"] = "MET"
        row.body_cipher = uow.secrets.encrypt(row.holder_id, canonical(body))
    code, printed = run("proof", "replay", made.id, capsys=capsys)
    assert (code, "  /requirements/1/result\n" in printed) == (EXIT_INVALID, True)
    with rooms.database.writing() as uow:
        uow.secrets.destroy(made.holder_id)
    code, printed = run("proof", "replay", made.id, capsys=capsys)
    assert (code, "erased" in printed) == (EXIT_CANNOT_TELL, True)
    with rooms.database.reading() as uow:
        kinds = list(uow.session.scalars(select(LedgerAct.kind).where(LedgerAct.object_id == made.id)))
    assert kinds.count("proof.replayed") == 3
    rooms.close()
