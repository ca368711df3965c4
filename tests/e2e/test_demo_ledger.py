# SPDX-License-Identifier: Apache-2.0
"""The demonstration's ledger, exported: sound as it is, refused after any change, with public keys alone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from demonstration import ADDRESS, opened
from exports import forge, read_entries, rehash, relist, write_entries, write_tiles
from gojudge import judge as go_judge
from running import Site
from sqlalchemy import select

from licenses.answers import verify_answer
from portal.demo.driver import ANSWER
from portal.rooms import Rooms
from portal.verifier import main
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.ledger.models import LedgerAct
from storage.ledger.policies import parse_policy
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import verify_receipt

pytestmark = pytest.mark.slow

VERIFY = str(Path(sys.executable).with_name("cunzheng-verify"))
REHASHED = ["as edited", "chain made to fit", "chain and tiles made to fit"]
PLACES = [0, 1, 100, 254, 255, 256, 257, -2, -1]


@pytest.fixture(scope="module")
def export(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "log"
    done = Site(ADDRESS, demo_data).run("ledger", "export", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copy(export: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(export, folder)
    return folder


@pytest.fixture(scope="module")
def rooms(demo_data: Path) -> Iterator[Rooms]:
    with opened(demo_data) as rooms:
        yield rooms


@pytest.fixture(scope="module")
def promised(rooms: Rooms, demo_data: Path) -> str:
    """The promise in the signed answer that the demonstration left behind."""
    answer = verify_answer((demo_data / ANSWER).read_bytes(), rooms.keys.jwks)
    return str(answer.promise["core_sha256"])


Verify = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Give ``verify(path, policy, …)``: exit code and answer of ``cunzheng-verify --json``."""

    def run(path: Path, policy: Path, *more: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main([str(path), "--policy", str(policy), "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_stranger_finds_the_export_sound(export: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in ("policy", "ca.pem"):
        shutil.copy(export / name, kept)
    command = [VERIFY, str(export), "--policy", str(kept / "policy"), "--ca", str(kept / "ca.pem")]
    done = subprocess.run(
        command, cwd=kept, env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )
    assert done.returncode == EXIT_DONE, done.stdout + done.stderr
    assert done.stdout.startswith("有效 VALID")


def test_everything_in_the_export_was_judged(export: Path, verify: Verify) -> None:
    code, answer = verify(export, export / "policy", "--ca", str(export / "ca.pem"))
    size = len(read_entries(export))
    assert (code, answer["findings"], answer["first_bad"]) == (EXIT_DONE, [], None)
    assert size > 256, "a full tile and a partial one"
    assert (answer["size"], answer["details"], answer["anchored"]) == (size, size, size)
    assert answer["tokens"] == answer["anchors"] > 0
    assert answer["tokens_unjudged"] == 0


@dataclass(frozen=True)
class Forgery:
    """A forgery of an export; ``place`` counts from the end when it is negative."""

    folder: Path
    entries: list[bytes]
    place: int

    def at(self) -> int:
        return self.place % len(self.entries)

    def write(self, changed: list[bytes], rehashed: str) -> None:
        if rehashed != REHASHED[0]:
            changed = rehash(changed, self.at())
        write_entries(self.folder, changed)
        if rehashed == REHASHED[2]:
            write_tiles(self.folder, changed)
        relist(self.folder)


@pytest.fixture(params=PLACES)
def forgery(request: pytest.FixtureRequest, copy: Path) -> Forgery:
    return Forgery(copy, read_entries(copy), request.param)


@pytest.mark.parametrize("rehashed", REHASHED)
def test_an_edited_entry_is_named(forgery: Forgery, verify: Verify, rehashed: str) -> None:
    seq, entries = forgery.at(), forgery.entries
    edited = forge(entries[seq])
    if edited == entries[seq]:
        edited = entries[seq].replace(b'"actor"', b'"Actor"')
    forgery.write([*entries[:seq], edited, *entries[seq + 1 :]], rehashed)
    code, answer = verify(forgery.folder, forgery.folder / "policy")
    assert code == EXIT_INVALID
    if rehashed == REHASHED[2]:
        # Only signed roots are left to tell: the newest anchor that still agrees bounds the place.
        anchored = [int(path.name) for path in (forgery.folder / "anchor").iterdir()]
        assert answer["first_bad"] == max(size for size in (0, *anchored) if size <= seq)
        assert not answer["first_bad_exact"]
    else:
        assert (answer["first_bad"], answer["first_bad_exact"]) == (seq, True)


@pytest.mark.parametrize("rehashed", REHASHED[:2])
def test_a_removed_entry_is_named(forgery: Forgery, verify: Verify, rehashed: str) -> None:
    seq, entries = forgery.at(), forgery.entries
    forgery.write(entries[:seq] + entries[seq + 1 :], rehashed)
    code, answer = verify(forgery.folder, forgery.folder / "policy")
    assert (code, answer["first_bad"]) == (EXIT_INVALID, seq)


@pytest.mark.parametrize("rehashed", REHASHED[:2])
def test_an_added_entry_is_named(forgery: Forgery, verify: Verify, rehashed: str) -> None:
    seq, entries = forgery.at(), forgery.entries
    forgery.write([*entries[:seq], entries[(seq + 7) % len(entries)], *entries[seq:]], rehashed)
    code, answer = verify(forgery.folder, forgery.folder / "policy")
    assert (code, answer["first_bad"]) == (EXIT_INVALID, seq)


@pytest.mark.parametrize("rehashed", REHASHED[:2])
def test_swapped_entries_are_named(forgery: Forgery, verify: Verify, rehashed: str) -> None:
    one, entries = forgery.at(), list(forgery.entries)
    other = (one + 60) % len(entries)
    one, other = sorted((one, other))
    entries[one], entries[other] = entries[other], entries[one]
    Forgery(forgery.folder, entries, one).write(entries, rehashed)
    code, answer = verify(forgery.folder, forgery.folder / "policy")
    assert (code, answer["first_bad"]) == (EXIT_INVALID, one)


def test_the_first_bad_entry_is_said_in_words(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = read_entries(copy)
    entries[123:125] = reversed(entries[123:125])
    write_entries(copy, entries)
    assert main([str(copy), "--policy", str(copy / "policy")]) == EXIT_INVALID
    said = capsys.readouterr().out
    assert said.startswith("无效 INVALID")
    assert "首个问题条目 first bad entry: 123\n" in said


def test_a_decisions_promise_is_redeemed_by_a_receipt(
    demo_data: Path, export: Path, promised: str, tmp_path: Path, verify: Verify
) -> None:
    receipt = tmp_path / "answer.tlog-proof"
    done = Site(ADDRESS, demo_data).run("ledger", "receipt", promised, "--out", str(receipt))
    assert done.returncode == 0, done.stderr
    code, answer = verify(receipt, export / "policy", "--promise", promised)
    assert (code, answer["promise_redeemed"], answer["act"]) == (EXIT_DONE, True, promised)
    assert (answer["core"]["kind"], answer["core"]["outcome"]) == ("proof.answered", "done")
    other = "0" * 64
    assert verify(receipt, export / "policy", "--promise", other)[0] == EXIT_INVALID


def test_no_byte_of_a_receipt_can_be_changed(
    rooms: Rooms, export: Path, promised: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with rooms.database.reading() as uow:
        data = receipt_for(uow.session, promised)
    path, policy = tmp_path / "receipt", str(export / "policy")
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        assert main([str(path), "--policy", policy, "--promise", promised]) != EXIT_DONE, at
    capsys.readouterr()


def test_every_act_has_a_receipt_that_holds(rooms: Rooms, export: Path) -> None:
    policy = parse_policy((export / "policy").read_text())
    with rooms.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct.act_id)).all()
        assert len(acts) == len(read_entries(export))
        for act in acts:
            verify_receipt(receipt_for(uow.session, act), policy, act)


@pytest.mark.conformance
def test_go_accepts_checkpoint_and_receipt(rooms: Rooms, export: Path, promised: str, tmp_path: Path) -> None:
    key = (export / "vkey").read_text().strip()
    judged = go_judge("checkpoint", key, export / "checkpoint")
    assert judged.returncode == 0, judged.stderr
    size = len(read_entries(export))
    assert judged.stdout.split("\n")[1] == str(size)
    with rooms.database.reading() as uow:
        (tmp_path / "receipt").write_bytes(receipt_for(uow.session, promised))
    judged = go_judge("receipt", key, tmp_path / "receipt")
    assert judged.returncode == 0, judged.stderr
    changed = (export / "checkpoint").read_text().replace(f"\n{size}\n", f"\n{size - 1}\n", 1)
    (tmp_path / "checkpoint").write_text(changed)
    assert go_judge("checkpoint", key, tmp_path / "checkpoint").returncode == 1
