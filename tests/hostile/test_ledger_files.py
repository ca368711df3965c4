# SPDX-License-Identifier: Apache-2.0
"""Hostile receipts, checkpoints, policies and exports, judged offline: never valid, a stable exit code."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from exports import relist
from ledgers import SIGNER, Ledger, open_ledger

from portal.verifier import main
from storage.errors import EXIT_INVALID, EXIT_USAGE
from storage.ledger.export import export_log
from storage.ledger.policies import single_log_policy
from storage.ledger.reading import receipt_for

from .ground import mark_of, nothing_told


@dataclass(frozen=True, slots=True)
class Kept:
    """What an honest log gave out."""

    receipt: bytes
    checkpoint: bytes
    policy: bytes
    export: Path


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path_factory.mktemp("ledger"))
    opened.grow(5)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def kept(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    (act,) = ledger.record(1)
    ledger.keeper.tick(hurry=True)
    export = tmp_path_factory.mktemp("exports") / "export"
    export_log(ledger.database, export, SIGNER.verifier, b"no certificates\n")
    with ledger.database.reading() as uow:
        receipt = receipt_for(uow.session, act)
    return Kept(
        receipt, (export / "checkpoint").read_bytes(), single_log_policy(SIGNER.verifier).encode(), export
    )


def line(number: int, by: bytes) -> Callable[[bytes], bytes]:
    """Replace one line of a text."""

    def change(data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines[number] = by
        return b"\n".join(lines)

    return change


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


NOTES: list[tuple[str, Callable[[bytes], bytes], int]] = [
    ("a checkpoint of nothing", lambda _: b"", EXIT_INVALID),
    ("a checkpoint of rubbish", lambda _: b"{mark}", EXIT_INVALID),
    ("a checkpoint of zeros", lambda _: bytes(4096), EXIT_INVALID),
    ("a checkpoint cut short", lambda data: data[:-20], EXIT_INVALID),
    ("a checkpoint and a little more", lambda data: data + b"{mark}", EXIT_INVALID),
    ("a checkpoint with other line ends", lambda data: data.replace(b"\n", b"\r\n"), EXIT_INVALID),
    ("a checkpoint with a byte order mark", lambda data: b"\xef\xbb\xbf" + data, EXIT_INVALID),
    ("a checkpoint that is no UTF-8", line(0, b"\xff\xfe"), EXIT_INVALID),
    ("a checkpoint of another log", line(0, b"{mark}.invalid/log"), EXIT_INVALID),
    ("a checkpoint of a log called in Cyrillic", swapped(b"test", "t\u0435st".encode()), EXIT_INVALID),
    ("a size that is larger", line(1, b"99"), EXIT_INVALID),
    ("a size below nothing", line(1, b"-1"), EXIT_INVALID),
    ("a size with a leading zero", line(1, b"08"), EXIT_INVALID),
    ("a size in full-width digits", line(1, "８".encode()), EXIT_INVALID),
    ("a size of five thousand digits", line(1, b"9" * 5_000), EXIT_INVALID),
    ("a size that is no number", line(1, b"NaN"), EXIT_INVALID),
    ("a root that is short", line(2, b"AAAA"), EXIT_INVALID),
    ("a root that is no base64", line(2, b"!{mark}!"), EXIT_INVALID),
    ("a root of zeros", line(2, b"A" * 43 + b"="), EXIT_INVALID),
    ("no signature", lambda data: data.split(b"\n\n")[0] + b"\n\n", EXIT_INVALID),
    (
        "a signature by another name",
        swapped("\u2014 test".encode(), "\u2014 {mark}".encode()),
        EXIT_INVALID,
    ),
    ("ten thousand signatures", lambda data: data + data.split(b"\n\n")[1] * 10_000, EXIT_INVALID),
    (
        "a line between body and signature",
        lambda data: data.replace(b"\n\n", b"\n{mark}\n\n", 1),
        EXIT_INVALID,
    ),
]

PROOFS: list[tuple[str, Callable[[bytes], bytes], int]] = [
    ("a receipt cut short", lambda data: data[:40], EXIT_INVALID),
    ("a receipt of another version", swapped(b"@v1", b"@v9"), EXIT_INVALID),
    ("a receipt with NUL", lambda data: data.replace(b"\n", b"\0\n", 1), EXIT_INVALID),
    ("a receipt with other line ends", lambda data: data.replace(b"\n", b"\r\n"), EXIT_INVALID),
    ("a receipt whose number is larger", swapped(b"\nindex ", b"\nindex 9"), EXIT_INVALID),
    ("a receipt whose number is below nothing", swapped(b"\nindex ", b"\nindex -"), EXIT_INVALID),
    ("a receipt whose number is no number", swapped(b"\nindex ", b"\nindex {mark}"), EXIT_INVALID),
    (
        "a receipt whose number is beyond numbers",
        swapped(b"\nindex ", b"\nindex " + b"9" * 5_000),
        EXIT_INVALID,
    ),
    (
        "a receipt with a longer path",
        lambda data: data.replace(b"\nindex", b"\n" + b"A" * 43 + b"=\nindex"),
        EXIT_INVALID,
    ),
    (
        "a receipt with a thousand hashes more",
        lambda data: data.replace(b"\n\n", b"\n" + (b"A" * 43 + b"=\n") * 1_000 + b"\n", 1),
        EXIT_INVALID,
    ),
    ("a receipt that says something else", lambda data: data.replace(b"A", b"B", 1), EXIT_INVALID),
]

POLICIES: list[tuple[str, Callable[[bytes], bytes], int]] = [
    ("a policy of nothing", lambda _: b"", EXIT_USAGE),
    ("a policy of rubbish", lambda _: b"{mark}", EXIT_USAGE),
    ("a policy that is no UTF-8", lambda _: b"log \xff", EXIT_USAGE),
    ("a policy of an unknown word", lambda data: data + b"{mark} x\n", EXIT_USAGE),
    ("a policy that asks for all of none", lambda data: data + b"group g all\nquorum g\n", EXIT_USAGE),
    ("a policy whose group is in itself", lambda data: data + b"group g any g\nquorum g\n", EXIT_USAGE),
    ("a policy that trusts another key", lambda data: data.replace(b"+A", b"+B", 1), EXIT_USAGE),
]


def judge(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run the command; a usage error leaves by ``SystemExit``."""
    try:
        code = main([*words, "--json"])
    except SystemExit as end:
        code = int(str(end.code))
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def laid(folder: Path, kept: Kept, mark: str, change: Callable[[bytes], bytes], what: str) -> list[str]:
    """Write file and policy, one of them changed; give the words of the command."""
    contents = {"receipt": kept.receipt, "checkpoint": kept.checkpoint, "policy": kept.policy}
    contents[what] = change(contents[what]).replace(b"{mark}", mark.encode())
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    file = what if what != "policy" else "receipt"
    return [str(folder / file), "--policy", str(folder / "policy")]


@pytest.mark.parametrize(
    ("what", "name", "change", "code"),
    [
        *(("checkpoint", *one) for one in NOTES),
        *(("receipt", *one) for one in PROOFS),
        *(("policy", *one) for one in POLICIES),
    ],
)
def test_a_hostile_file_of_the_ledger(
    kept: Kept,
    what: str,
    name: str,
    change: Callable[[bytes], bytes],
    code: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    mark = mark_of(name)
    found, printed = judge(capsys, *laid(tmp_path, kept, mark, change, what))
    assert found == code, printed
    nothing_told(mark, printed, "the terminal")


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("a promise in capital letters", ("--promise", "A" * 64), EXIT_USAGE),
        ("a promise of another act", ("--promise", "0" * 64), EXIT_INVALID),
        ("a promise in full width", ("--promise", "０" * 64), EXIT_USAGE),
        ("a file that is not there", ("--known", "no-such-file"), None),
    ],
)
def test_what_is_asked_of_a_receipt(
    kept: Kept,
    name: str,
    words: tuple[str, ...],
    code: int | None,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    found, printed = judge(capsys, *laid(tmp_path, kept, mark_of(name), lambda data: data, "receipt"), *words)
    assert found == (code if code is not None else 0), printed


def _link(folder: Path, path: str, target: str) -> None:
    (folder / path).unlink()
    (folder / path).symlink_to(target)


def _pipe(folder: Path, path: str) -> None:
    (folder / path).unlink()
    os.mkfifo(folder / path)


def _listed(folder: Path, text: str) -> None:
    listing = folder / "files.sha256"
    listing.write_text(listing.read_text() + text)


def _swell(folder: Path, path: str) -> None:
    (folder / path).unlink()
    with (folder / path).open("wb") as file:
        file.truncate(1 << 40)


BUNDLE = "tile/entries/000.p/7"
EXPORTS: list[tuple[str, Callable[[Path], object], int]] = [
    (
        "an export of nothing",
        lambda folder: shutil.rmtree(folder / "tile") or (folder / "checkpoint").unlink(),
        EXIT_INVALID,
    ),
    ("an export without hashes", lambda folder: shutil.rmtree(folder / "tile" / "0"), EXIT_INVALID),
    ("entries that lie elsewhere", lambda folder: _link(folder, BUNDLE, "/etc/passwd"), EXIT_INVALID),
    ("entries without end", lambda folder: _link(folder, BUNDLE, "/dev/zero"), EXIT_INVALID),
    ("entries of a terabyte", lambda folder: _swell(folder, BUNDLE), EXIT_INVALID),
    ("entries that are a pipe", lambda folder: _pipe(folder, BUNDLE), EXIT_INVALID),
    ("a checkpoint that is a pipe", lambda folder: _pipe(folder, "checkpoint"), EXIT_INVALID),
    (
        "entries of lengths beyond their end",
        lambda folder: (folder / BUNDLE).write_bytes(b"\xff\xff" * 20),
        EXIT_INVALID,
    ),
    (
        "a list of files by paths",
        lambda folder: _listed(folder, "0" * 64 + "  ../../etc/passwd\n"),
        EXIT_INVALID,
    ),
    (
        "a list of files by an absolute path",
        lambda folder: _listed(folder, "0" * 64 + "  /etc/passwd\n"),
        EXIT_INVALID,
    ),
    ("a file that nobody listed", lambda folder: (folder / "tile" / "x").write_text("x"), EXIT_INVALID),
    (
        "a file of a name that is no ASCII, listed again",
        lambda folder: (folder / "\u202e").write_text("x"),
        EXIT_INVALID,
    ),
]


@pytest.mark.parametrize(("name", "change", "code"), EXPORTS, ids=[one[0] for one in EXPORTS])
def test_a_hostile_export(
    kept: Kept,
    name: str,
    change: Callable[[Path], object],
    code: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(kept.export, folder)
    change(folder)
    (tmp_path / "policy").write_bytes(kept.policy)
    found, printed = judge(capsys, str(folder), "--policy", str(tmp_path / "policy"))
    assert found == code, printed
    assert json.loads(printed)["verdict"] != "valid"


def test_an_honest_export_is_valid_and_links_in_it_are_not_followed(
    kept: Kept, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(kept.export, folder)
    relist(folder)
    (folder / "tile" / "loop").symlink_to(folder)
    (tmp_path / "policy").write_bytes(kept.policy)
    assert judge(capsys, str(folder), "--policy", str(tmp_path / "policy"))[0] == 0
