# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and receipts that we write are accepted by Go's packages, and altered ones refused."""

from pathlib import Path

import pytest
from gojudge import judge

from storage.ledger.entries import entry_bytes, entry_prefix
from storage.ledger.notes import Checkpoint, NoteSigner, sign_note
from storage.ledger.proofs import inclusion_path, leaf_hash, leaf_nodes, tree_root
from storage.ledger.receipts import Receipt

pytestmark = pytest.mark.conformance
ORIGIN = "log.cunzheng.invalid/test"
SIZE = 300


@pytest.fixture(scope="module")
def signer() -> NoteSigner:
    return NoteSigner(ORIGIN, bytes(range(32)))


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    made: list[bytes] = []
    prev = bytes(32)
    for seq in range(SIZE):
        core = b'{"kind":"case.announced","nonce":"%032x"}' % seq
        at = f"2026-11-22T06:05:00.{seq:06d}Z"
        made.append(entry_bytes(at, core, entry_prefix(ORIGIN), prev, seq))
        prev = leaf_hash(made[-1])
    return made


@pytest.fixture(scope="module")
def checkpoint(signer: NoteSigner, entries: list[bytes]) -> bytes:
    root = tree_root([leaf_hash(entry) for entry in entries])
    return sign_note(Checkpoint(ORIGIN, SIZE, root).text(), [signer])


def _receipt(entries: list[bytes], checkpoint: bytes, index: int) -> bytes:
    nodes = leaf_nodes([leaf_hash(entry) for entry in entries])
    path = tuple(inclusion_path(nodes, index, SIZE))
    return Receipt(entries[index], index, path, checkpoint).to_bytes()


def test_a_checkpoint_is_accepted(signer: NoteSigner, checkpoint: bytes, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    file.write_bytes(checkpoint)
    verdict = judge("checkpoint", str(signer.verifier), file)
    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stdout.encode() == checkpoint.split(b"\n\n")[0] + b"\n"


def test_another_size_is_refused(signer: NoteSigner, checkpoint: bytes, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    file.write_bytes(checkpoint.replace(b"\n300\n", b"\n301\n"))
    assert judge("checkpoint", str(signer.verifier), file).returncode == 1


@pytest.mark.parametrize("index", [0, 1, 255, 256, SIZE - 1])
def test_a_receipt_is_accepted(
    signer: NoteSigner, entries: list[bytes], checkpoint: bytes, tmp_path: Path, index: int
) -> None:
    file = tmp_path / "receipt"
    file.write_bytes(_receipt(entries, checkpoint, index))
    verdict = judge("receipt", str(signer.verifier), file)
    assert (verdict.returncode, verdict.stdout) == (0, f"{index}\n"), verdict.stderr


def test_a_receipt_for_another_place_is_refused(
    signer: NoteSigner, entries: list[bytes], checkpoint: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "receipt"
    file.write_bytes(_receipt(entries, checkpoint, 7).replace(b"index 7\n", b"index 8\n"))
    assert judge("receipt", str(signer.verifier), file).returncode == 1
