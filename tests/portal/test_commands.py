# SPDX-License-Identifier: Apache-2.0
"""Commands as an operator types them: what they print, their exit codes, and what they leave."""

import json
import shutil
from pathlib import Path

import pytest

from portal import cli
from portal.commands.common import open_installation
from portal.demo.people import Cast
from portal.demo.script import Script
from portal.initialise import initialise
from portal.settings import Settings


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    initialise(Settings(data=folder))
    monkeypatch.setenv("CUNZHENG_DATA", str(folder))
    rooms, settings = open_installation()
    Cast.gather(rooms, settings, Script.load())
    rooms.close()
    return folder


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = cli.run(arguments)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


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
