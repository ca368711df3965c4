# SPDX-License-Identifier: Apache-2.0
"""C2SP signed notes and checkpoints: the text that the log, and witnesses after it, sign.

A note is refused when a signature of a known key fails or when no known key has signed; signatures of
unknown keys are passed over, as the format demands. Key types: Ed25519 (0x01) and the Ed25519
cosignature (0x04); others are unknown here.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from storage.ledger.encoding import from_base64, from_decimal, to_base64
from storage.ledger.errors import LedgerFormatError, ProofRefusedError
from storage.ledger.proofs import HASH_SIZE

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
_MARK = "\u2014 "
_SEED_PREFIX = "PRIVATE+KEY+"


def _check_name(name: str) -> str:
    if not name or "+" in name or not name.isprintable() or any(mark.isspace() for mark in name):
        raise LedgerFormatError(rule="key-name")
    return name


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Give the four bytes that stand for a key in signature lines."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and type; the text form is the C2SP verifier key (vkey)."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey; refuses wrong key ids, unknown key types and sizes."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise LedgerFormatError(rule="vkey")
        blob = from_base64(parts[2])
        if len(blob) != 33 or blob[0] not in {ED25519, COSIGNATURE}:
            raise LedgerFormatError(rule="vkey-type")
        key = cls(_check_name(parts[0]), blob[0], blob[1:])
        if key.id.hex() != parts[1]:
            raise LedgerFormatError(rule="vkey-id")
        return key

    @property
    def id(self) -> bytes:
        """Give the key id."""
        return key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        """Give the vkey."""
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    def verifies(self, text: bytes, blob: bytes) -> bool:
        """Tell whether the signature blob (without key id) is this key's over the note text."""
        if self.kind == COSIGNATURE:
            if len(blob) != 72:
                return False
            text, blob = cosigned_bytes(cosignature_time(blob), text), blob[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob, text)
        except InvalidSignature:
            return False
        return True


def cosignature_time(blob: bytes) -> int:
    """Give the POSIX time that a cosignature states."""
    (seconds,) = struct.unpack(">Q", blob[:8])
    return int(seconds)


def cosigned_bytes(seconds: int, text: bytes) -> bytes:
    """Give the bytes that an Ed25519 cosignature signs."""
    return f"cosignature/v1\ntime {seconds}\n".encode() + text


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: key name, key id, and the rest of the blob."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """Give the signature line with its line feed."""
        return f"{_MARK}{self.name} {to_base64(self.key_id + self.blob)}\n"


class NoteSigner:
    """The log's private Ed25519 key under its name (the origin)."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.verifier = VerifierKey(_check_name(name), ED25519, self._key.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """Give the key's name, for a log its origin."""
        return self.verifier.name

    @classmethod
    def parse(cls, text: str) -> "NoteSigner":
        """Read a private key as :meth:`private_text` writes it."""
        parts = text.removeprefix(_SEED_PREFIX).split("+", 2)
        if not text.startswith(_SEED_PREFIX) or len(parts) != 3:
            raise LedgerFormatError(rule="private-key")
        blob = from_base64(parts[2])
        if len(blob) != 33 or blob[0] != ED25519:
            raise LedgerFormatError(rule="private-key")
        signer = cls(parts[0], blob[1:])
        if signer.verifier.id.hex() != parts[1]:
            raise LedgerFormatError(rule="private-key")
        return signer

    def private_text(self) -> str:
        """Write the private key, as the Go checksum database's tools write theirs: keep it secret."""
        seed = to_base64(bytes([ED25519]) + self._seed)
        return f"{_SEED_PREFIX}{self.name}+{self.verifier.id.hex()}+{seed}"

    def sign(self, text: str) -> Signature:
        """Sign a note's text, its final line feed included."""
        return Signature(self.name, self.verifier.id, self._key.sign(text.encode()))


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a line feed, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def imprint(self) -> bytes:
        """Give the SHA-256 that a time-stamp token stands over: of the text, not of the signatures."""
        return hashlib.sha256(self.text.encode()).digest()

    def to_bytes(self) -> bytes:
        """Write text, empty line, signature lines."""
        return (self.text + "\n" + "".join(one.line() for one in self.signatures)).encode()


def sign_note(text: str, signers: Iterable[NoteSigner]) -> bytes:
    """Give the signed note over a text; the text must end in a line feed."""
    if not text.endswith("\n"):
        raise LedgerFormatError(rule="note-text")
    return Note(text, tuple(signer.sign(text) for signer in signers)).to_bytes()


def parse_note(data: bytes) -> Note:
    """Read a note without judging its signatures; bounds size and count."""
    if len(data) > MAX_NOTE:
        raise LedgerFormatError(rule="note-too-long", length=len(data))
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LedgerFormatError(rule="note-utf8") from error
    if any(mark < " " and mark != "\n" for mark in whole):
        raise LedgerFormatError(rule="note-control-character")
    split = whole.rfind("\n\n")
    if split < 0 or not whole.endswith("\n"):
        raise LedgerFormatError(rule="note-shape")
    lines = whole[split + 2 :].split("\n")[:-1]
    if not 0 < len(lines) <= MAX_SIGNATURES:
        raise LedgerFormatError(rule="note-signatures", count=len(lines))
    return Note(whole[: split + 1], tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> Signature:
    parts = line.removeprefix(_MARK).split(" ")
    if not line.startswith(_MARK) or len(parts) != 2:
        raise LedgerFormatError(rule="note-signature-line")
    blob = from_base64(parts[1])
    if len(blob) < 5:
        raise LedgerFormatError(rule="note-signature-line")
    return Signature(_check_name(parts[0]), blob[:4], blob[4:])


def verified_keys(note: Note, keys: Sequence[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
    """Give the known keys that signed, each with its signature.

    Raises:
        ProofRefusedError: A known key's signature fails, or no known key has signed.
    """
    known = {(key.name, key.id): key for key in keys}
    text = note.text.encode()
    verified: dict[tuple[str, bytes], tuple[VerifierKey, Signature]] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verifies(text, signature.blob):
            raise ProofRefusedError(rule="note-signature")
        verified.setdefault((key.name, key.id), (key, signature))
    if not verified:
        raise ProofRefusedError(rule="note-no-known-signature")
    return list(verified.values())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: origin, number of leaves, root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Give the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse_text(cls, text: str) -> "Checkpoint":
        """Read a checkpoint's text; extension lines, allowed by the format, are passed over."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or "" in lines[:-1] or lines[-1]:
            raise LedgerFormatError(rule="checkpoint-lines", count=len(lines) - 1)
        root = from_base64(lines[2])
        if len(root) != HASH_SIZE:
            raise LedgerFormatError(rule="hash-size", length=len(root))
        return cls(lines[0], from_decimal(lines[1]), root)


def open_checkpoint(data: bytes, log_keys: Sequence[VerifierKey]) -> tuple[Checkpoint, Note]:
    """Give the checkpoint of a note that one of the log's keys has signed.

    Raises:
        LedgerFormatError: Not a checkpoint.
        ProofRefusedError: Not signed by a known key whose name is the checkpoint's origin.
    """
    note = parse_note(data)
    checkpoint = Checkpoint.parse_text(note.text)
    verified_keys(note, [key for key in log_keys if key.name == checkpoint.origin])
    return checkpoint, note
