# SPDX-License-Identifier: Apache-2.0
"""Commands as an operator types them: what they print, their exit codes, and what they leave."""

import json
import shutil
from pathlib import Path

import pytest

from portal.address import publish
from portal.demo.script import Script
from portal.settings import Settings

from .conftest import run


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
