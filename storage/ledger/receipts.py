# SPDX-License-Identifier: Apache-2.0
"""Receipts (存证回执): C2SP tlog-proof files that carry the entry, so that one file proves one act offline.

A receipt redeems a promise: the verifier computes the leaf from the entry, follows the path to a
checkpoint that the policy accepts, and compares the core's digest with the promised one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.ledger.encoding import from_base64, from_decimal, to_base64
from storage.ledger.entries import MAX_ENTRY, Entry, parse_entry
from storage.ledger.errors import LedgerFormatError, ProofRefusedError
from storage.ledger.notes import MAX_NOTE, Checkpoint
from storage.ledger.policies import Policy
from storage.ledger.proofs import HASH_SIZE, leaf_hash, verify_inclusion

MEDIA_TYPE = "text/plain; charset=utf-8"
SUFFIX = ".tlog-proof"
_MAGIC = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63
_MAX_RECEIPT = MAX_NOTE + 2 * MAX_ENTRY


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt's parts: entry bytes, position, inclusion path and the checkpoint verbatim."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """Write the file."""
        lines = [
            _MAGIC,
            f"extra {to_base64(self.entry)}",
            f"index {self.index}",
            *map(to_base64, self.path),
            "",
            "",
        ]
        return "\n".join(lines).encode("ascii") + self.checkpoint


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves: this entry stands at its position in the log of this checkpoint."""

    entry: Entry
    checkpoint: Checkpoint


def is_receipt(data: bytes) -> bool:
    """Tell whether the bytes begin as a receipt does."""
    return data.startswith(_MAGIC.encode() + b"\n")


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt file; raises :class:`LedgerFormatError`."""
    if len(data) > _MAX_RECEIPT:
        raise LedgerFormatError(rule="receipt-too-long", length=len(data))
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise LedgerFormatError(rule="receipt-ascii") from error
    if not separator or len(lines) < 3 or lines[0] != _MAGIC:
        raise LedgerFormatError(rule="receipt-shape")
    entry = from_base64(_value(lines[1], "extra"))
    index = from_decimal(_value(lines[2], "index"))
    return Receipt(entry, index, _hashes(lines[3:]), checkpoint)


def _value(line: str, name: str) -> str:
    if not line.startswith(name + " "):
        raise LedgerFormatError(rule=f"receipt-{name}")
    return line[len(name) + 1 :]


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > _MAX_PATH:
        raise LedgerFormatError(rule="receipt-path", count=len(lines))
    path = tuple(from_base64(line) for line in lines)
    if any(len(one) != HASH_SIZE for one in path):
        raise LedgerFormatError(rule="hash-size")
    return path


def verify_receipt(data: bytes, policy: Policy, promised: str | None = None) -> VerifiedReceipt:
    """Give what the receipt proves.

    Args:
        data: The file.
        policy: What the verifier trusts.
        promised: Hex digest of the core that the promise named, if a promise is to be redeemed.

    Raises:
        LedgerFormatError: Not a receipt.
        ProofRefusedError: Signature, path, position or promised digest does not hold.
        QuorumError: Too few witnesses have signed.
    """
    receipt = parse_receipt(data)
    checkpoint, _ = policy.open(receipt.checkpoint)
    entry = parse_entry(receipt.entry)
    if receipt.index >= checkpoint.size:
        raise ProofRefusedError(rule="index-outside-tree")
    leaf = leaf_hash(receipt.entry)
    if not verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.path, checkpoint.root):
        raise ProofRefusedError(rule="inclusion-path")
    if entry.seq != receipt.index or entry.log != checkpoint.origin:
        raise ProofRefusedError(rule="entry-position")
    if promised is not None and entry.act_id != promised:
        raise ProofRefusedError(rule="promised-digest")
    return VerifiedReceipt(entry, checkpoint)
