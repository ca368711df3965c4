# SPDX-License-Identifier: Apache-2.0
"""Hostile command lines, case folders and documents: a stable exit code, and nothing of it repeated by us.

What the library that reads command lines says of a name that it does not know is its own, and on the
terminal of who typed it; everything else that a command prints holds neither mark nor personal data.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal import cli
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID, EXIT_REFUSED, EXIT_USAGE

from .calls import REFUSED, filled
from .filings import Filing, metadata
from .ground import Ground, mark_of, nothing_told

ACT = "0" * 64


@dataclass(frozen=True, slots=True)
class Line:
    """A command line.

    Attributes:
        name: Unique; says what is tried.
        words: The line; ``{mark}`` is the mark, ``{here}`` a folder of the test's own.
        exit_code: What it ends with.
        code: The stable code that it prints, or ``""``.
        acts: Kinds of act that it leaves.
        repeats: The library that reads command lines repeats what it does not know.
        settings: Environment variables.
    """

    name: str
    words: str
    exit_code: int
    code: str = ""
    acts: tuple[str, ...] = ()
    repeats: bool = False
    settings: tuple[tuple[str, str], ...] = ()


ADMIN = "account add --reason 核查 --organisation scjg --role"
WHY = "--reason 核查 --legal-basis 依据"

LINES = [
    Line("a command that is not there", "{mark}", EXIT_USAGE, "command-line", repeats=True),
    Line("an option that is not there", "status --{mark}", EXIT_USAGE, "command-line", repeats=True),
    Line("a role that is not there", "login-link {mark}", EXIT_USAGE, "command-line", repeats=True),
    Line(
        "a scope that is not there",
        "client add --reason 核查 --name x --organisation scjg --scope {mark}",
        EXIT_USAGE,
        "invalid-input",
    ),
    Line(
        "no days",
        "client add --name x --organisation scjg --scope read --days 0",
        EXIT_USAGE,
        "command-line",
        repeats=True,
    ),
    Line(
        "days in full width",
        "client add --name x --organisation scjg --scope read --days ９９９９",
        EXIT_USAGE,
        "command-line",
        repeats=True,
    ),
    Line(
        "roles that exclude each other",
        f"{ADMIN} supervisor --role security-admin --name {{mark}}",
        EXIT_REFUSED,
        "roles-exclude",
        acts=REFUSED,
    ),
    Line("a name of blanks", f"{ADMIN} clerk --name \u3000", EXIT_USAGE, "invalid-input"),
    Line("a name from right to left", f"{ADMIN} clerk --name {{mark}}\u202e", EXIT_USAGE, "invalid-input"),
    Line(
        "a name of invisible characters", f"{ADMIN} clerk --name {{mark}}\u200b", EXIT_USAGE, "invalid-input"
    ),
    Line("a name that is no UTF-8", f"{ADMIN} clerk --name {{mark}}\udcff", EXIT_USAGE, "invalid-input"),
    Line("a name of 65 characters", f"{ADMIN} clerk --name {'名' * 65}", EXIT_USAGE, "invalid-input"),
    Line(
        "no reason",
        "account add --organisation scjg --role clerk --name x --reason \u3000",
        EXIT_USAGE,
        "invalid-input",
    ),
    Line(
        "a reason from right to left",
        "account end {mark} --reason x\u202e",
        EXIT_REFUSED,
        "account-unknown",
        acts=REFUSED,
    ),
    Line(
        "an organisation that is not there",
        "account add --reason 核查 --organisation {mark} --role clerk --name x",
        EXIT_USAGE,
        "invalid-input",
    ),
    Line(
        "a change that is not there",
        "right approve {mark} --reason 核查",
        EXIT_REFUSED,
        "change-unknown",
        acts=REFUSED,
    ),
    Line(
        "a client that is not there",
        "client end {mark} --reason 核查",
        EXIT_REFUSED,
        "client-unknown",
        acts=REFUSED,
    ),
    Line("no edition", "edition approve {mark} --reason 核查", EXIT_REFUSED, "edition-unknown", acts=REFUSED),
    Line("an edition by a path", "edition show ../{mark}", EXIT_REFUSED, "edition-unknown", acts=REFUSED),
    Line("an edition that is a folder", "edition check {here}", EXIT_USAGE, "command-line", repeats=True),
    Line("acting as nobody", f"{ADMIN} clerk --name x --as {{mark}}", EXIT_REFUSED, "not-permitted"),
    Line("a receipt of no act", f"ledger receipt {ACT}", EXIT_REFUSED, "not-found"),
    Line("a receipt by a path", "ledger receipt ../../{mark}", EXIT_USAGE, "invalid-input"),
    Line("a receipt by 64 Han characters", f"ledger receipt {'印' * 64}", EXIT_USAGE, "invalid-input"),
    Line(
        "a receipt into a folder that is not there",
        f"ledger receipt {ACT} --out {{here}}/{{mark}}/x",
        EXIT_REFUSED,
        "not-found",
    ),
    Line("a search for a sign only", 'search "', EXIT_USAGE, "search-query"),
    Line("a search that is no UTF-8", "search {mark}\udcff", EXIT_DONE),
    Line("a search that is a program", "search title:{mark}*", EXIT_DONE),
    Line("a step that is not there", "step retry {mark}", EXIT_REFUSED, "step-unknown", acts=REFUSED),
    Line(
        "a hold on no dossier", f"hold place {{mark}} {WHY}", EXIT_REFUSED, "dossier-not-found", acts=REFUSED
    ),
    Line("a hold without a reason", "hold place {mark} --legal-basis x", EXIT_USAGE, "command-line"),
    Line("lifting no hold", f"hold lift {{mark}} {WHY}", EXIT_REFUSED, "hold-not-found", acts=REFUSED),
    Line(
        "a seal that is not there",
        "seal suspend {mark} --reason 核查",
        EXIT_REFUSED,
        "not-permitted",
        acts=REFUSED,
    ),
    Line("a licence that is not there", f"licence revoke {{mark}} {WHY}", EXIT_REFUSED, "not-permitted"),
    Line("a restore from a folder of nothing", "restore {here}", EXIT_INVALID, "backup-malformed"),
    Line(
        "a restore from a file that is not there",
        "restore {here}/{mark}",
        EXIT_USAGE,
        "command-line",
        repeats=True,
    ),
    Line("an installation that is none", "--data {here}/{mark} status", EXIT_REFUSED, "not-initialised"),
    Line(
        "an environment that is not there",
        "status",
        EXIT_USAGE,
        "settings-invalid",
        settings=(("CUNZHENG_ENVIRONMENT", "{mark}"),),
    ),
    Line(
        "a port that is none",
        "status",
        EXIT_USAGE,
        "settings-invalid",
        settings=(("CUNZHENG_PORT", "{mark}"),),
    ),
    Line(
        "a limit of nothing",
        "status",
        EXIT_USAGE,
        "settings-invalid",
        settings=(("CUNZHENG_MAX_UPLOAD", "-1"),),
    ),
    Line(
        "an address with a password in it",
        "status",
        EXIT_USAGE,
        "settings-invalid",
        settings=(("CUNZHENG_DATABASE", "mysql://u:{mark}@x/y"),),
    ),
    Line(
        "production with demonstration parts",
        "status",
        EXIT_USAGE,
        "settings-invalid",
        settings=(("CUNZHENG_ENVIRONMENT", "production"),),
    ),
]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.run(words)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.fixture(autouse=True)
def _installation(ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUNZHENG_DATA", str(ground.settings.data))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_hostile_line(
    ground: Ground,
    line: Line,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    mark = mark_of(line.name)
    for name, value in line.settings:
        monkeypatch.setenv(name, filled(value, mark))
    words = [filled(word, mark).replace("{here}", str(tmp_path)) for word in line.words.split(" ")]
    with ground.watched(mark, line.acts):
        code, printed = run(capsys, *words)
        assert code == line.exit_code, printed
    assert not line.code or f"[{line.code}]" in printed
    if not line.repeats:
        nothing_told(mark, printed, "the terminal")
    assert list(tmp_path.iterdir()) == []


@dataclass(frozen=True, slots=True)
class Folder:
    """A case folder whose ``fill`` does something that is not to be taken."""

    name: str
    fill: Callable[[Path, str], object]
    code: str = "submission"


def _case(folder: Path, mark: str, **material: object) -> None:
    one = Filing(name="x", status=0, code=None, material=material)
    (folder / "case.json").write_text(json.dumps(filled(metadata(mark, one), mark)))


def _file(folder: Path, mark: str, name: str = "m0.pdf") -> None:
    (folder / name).write_bytes(filled(b"%PDF-1.7 {mark}", mark))


def _linked(folder: Path, mark: str, target: str) -> None:
    _case(folder, mark)
    (folder / "m0.pdf").symlink_to(target)


def _piped(folder: Path, mark: str) -> None:
    _case(folder, mark)
    os.mkfifo(folder / "m0.pdf")


FOLDERS = [
    Folder("metadata of rubbish", lambda folder, mark: (folder / "case.json").write_text(mark)),
    Folder("metadata of nothing", lambda folder, mark: (folder / "case.json").write_text("")),
    Folder(
        "metadata of three megabytes", lambda folder, mark: (folder / "case.json").write_text(" " * (3 << 20))
    ),
    Folder("metadata without end", lambda folder, mark: (folder / "case.json").symlink_to("/dev/zero")),
    Folder("metadata that are a pipe", lambda folder, mark: os.mkfifo(folder / "case.json")),
    Folder("metadata that are a folder", lambda folder, mark: (folder / "case.json").mkdir()),
    Folder(
        "metadata that lie elsewhere", lambda folder, mark: (folder / "case.json").symlink_to("/etc/passwd")
    ),
    Folder(
        "metadata nested without end",
        lambda folder, mark: (folder / "case.json").write_text('{"a":' * 20_000),
    ),
    Folder("a material by a path", lambda folder, mark: _case(folder, mark, file_name="../m0.pdf")),
    Folder(
        "a material by an absolute path", lambda folder, mark: _case(folder, mark, file_name="/etc/passwd")
    ),
    Folder("a material that is missing", _case, "filing-incomplete"),
    Folder(
        "a material that lies elsewhere",
        lambda folder, mark: _linked(folder, mark, "/etc/passwd"),
        "filing-incomplete",
    ),
    Folder(
        "a material without end", lambda folder, mark: _linked(folder, mark, "/dev/zero"), "filing-incomplete"
    ),
    Folder("a material that is a pipe", _piped, "filing-incomplete"),
    Folder(
        "a material that is itself", lambda folder, mark: _linked(folder, mark, "m0.pdf"), "filing-incomplete"
    ),
]


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_a_hostile_folder(
    ground: Ground, case: Folder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mark = mark_of(case.name)
    folder = tmp_path / "folder"
    folder.mkdir()
    case.fill(folder, mark)
    with ground.watched(mark):
        code, printed = run(capsys, "intake", str(folder))
        assert (code, f"[{case.code} " in printed) == (EXIT_REFUSED, True), printed
    nothing_told(mark, printed, "the terminal")


NONE, HS256 = "eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9"
DOCUMENTS: list[tuple[str, bytes, int]] = [
    ("an empty document", b"", EXIT_CANNOT_TELL),
    ("a document of text", b"{mark}", EXIT_CANNOT_TELL),
    ("a document of zeros", bytes(1 << 20), EXIT_CANNOT_TELL),
    ("a PDF of rubbish", b"%PDF-1.7 {mark}", EXIT_CANNOT_TELL),
    ("an answer without a signature", f"{NONE}.e30.".encode(), EXIT_INVALID),
    ("an answer signed by nobody's key", f"{HS256}.e30.AAAA".encode(), EXIT_INVALID),
    ("an answer of dots", b"..", EXIT_INVALID),
    ("an answer in JSON that is none", b'{"jws":"{mark}"}', EXIT_CANNOT_TELL),
    ("an answer that is a number", b'{"jws":NaN}', EXIT_CANNOT_TELL),
    ("an answer nested without end", b'{"jws":' + b"[" * 20_000, EXIT_CANNOT_TELL),
    ("an answer that is a list", b'["jws"]', EXIT_CANNOT_TELL),
    ("an answer of a megabyte", b"a." + b"b" * (1 << 20) + b".c", EXIT_INVALID),
    ("an answer that is no ASCII", "印.印.印".encode(), EXIT_INVALID),
    ("an answer that brings its own key", b"eyJhbGciOiJFUzI1NiIsImp3ayI6e319.e30.AAAA", EXIT_INVALID),
    (
        "an answer whose key lies at an address",
        b"eyJhbGciOiJFUzI1NiIsImprdSI6Imh0dHA6Ly8xMjcuMC4wLjE6OS8ifQ.e30.AAAA",
        EXIT_INVALID,
    ),
]


@pytest.mark.parametrize(("what", "data", "exit_code"), DOCUMENTS, ids=[one[0] for one in DOCUMENTS])
def test_a_hostile_document(
    ground: Ground, what: str, data: bytes, exit_code: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mark = mark_of(what)
    (tmp_path / "document").write_bytes(filled(data, mark))
    with ground.watched(mark):
        code, printed = run(capsys, "verify", "document")
        assert code == exit_code, printed
    nothing_told(mark, printed, "the terminal")


@pytest.mark.parametrize(
    ("what", "data", "exit_code"),
    [
        ("no certificates", b"{mark}", EXIT_USAGE),
        (
            "a certificate of rubbish",
            b"-----BEGIN CERTIFICATE-----\n{mark}\n-----END CERTIFICATE-----\n",
            EXIT_USAGE,
        ),
        ("a certificate of zeros", bytes(1000), EXIT_USAGE),
    ],
)
def test_trust_that_is_none(
    ground: Ground, what: str, data: bytes, exit_code: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mark = mark_of(what)
    (tmp_path / "trust").write_bytes(filled(data, mark))
    (tmp_path / "document.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "answer").write_bytes(f"{NONE}.e30.AAAA".encode())
    with ground.watched(mark):
        for document in ("document.pdf", "answer"):
            code, printed = run(capsys, "verify", document, "--trust", "trust")
            assert code == exit_code, printed
            nothing_told(mark, printed, "the terminal")


def test_the_lines_are_what_their_names_say() -> None:
    names = [one.name for one in LINES] + [one.name for one in FOLDERS] + [one[0] for one in DOCUMENTS]
    assert len(set(names)) == len(names)
