# SPDX-License-Identifier: Apache-2.0
"""What a verifier trusts (C2SP tlog-policy): log keys, witnesses, and how many witnesses must have signed.

A policy is a value read from a file that the verifier holds, never from what is to be verified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.ledger.errors import LedgerFormatError, PolicyError, QuorumError
from storage.ledger.notes import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    verified_keys,
)

_NONE = "none"
_MAX_LINES = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """At least ``threshold`` of the named witnesses and groups."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Trusted logs and witnesses.

    Attributes:
        logs: Log keys; a checkpoint's origin must be the name of one.
        witnesses: Cosigner keys by the policy's own names.
        groups: Groups by name.
        quorum: Name of a witness or group; None when no cosignature is demanded.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str | None = None

    def open(self, data: bytes) -> tuple[Checkpoint, Note]:
        """Give a checkpoint that a trusted log has signed and enough witnesses have cosigned.

        Raises:
            LedgerFormatError: Not a checkpoint.
            ProofRefusedError: The log's signature or that of a known witness does not hold.
            QuorumError: Genuine, but too few witnesses have signed.
        """
        checkpoint, note = open_checkpoint(data, self.logs)
        signed = {key for key, _ in verified_keys(note, [*self.logs, *self.witnesses.values()])}
        if self.quorum is not None and not self._holds(self.quorum, signed):
            raise QuorumError(signatures=len(signed))
        return checkpoint, note

    def _holds(self, name: str, signed: set[VerifierKey]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return self.witnesses[name] in signed
        return sum(self._holds(member, signed) for member in group.members) >= group.threshold


class _Reader:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: list[str] = []

    def read(self, words: Sequence[str]) -> str | None:
        """Take one line; give the rule that it breaks, if any."""
        verb, arguments = words[0], words[1:]
        if verb == "log" and len(arguments) in {1, 2}:
            return self._key(arguments[0], ED25519, None)
        if verb == "witness" and len(arguments) in {2, 3}:
            return self._name(arguments[0]) or self._key(arguments[1], COSIGNATURE, arguments[0])
        if verb == "group" and len(arguments) >= 3:
            return self._name(arguments[0]) or self._group(arguments[0], arguments[1], arguments[2:])
        if verb == "quorum" and len(arguments) == 1:
            self.quorum.append(arguments[0])
            known = arguments[0] == _NONE or self._known(arguments[0])
            return None if known and len(self.quorum) == 1 else "quorum"
        return "line"

    def _known(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _name(self, name: str) -> str | None:
        return "name-taken" if name == _NONE or self._known(name) else None

    def _key(self, text: str, kind: int, witness: str | None) -> str | None:
        key = VerifierKey.parse(text)
        taken = {*self.logs, *self.witnesses.values()}
        if key.kind != kind:
            return "key-type"
        if any(key.public == other.public for other in taken):
            return "key-twice"
        if witness is None:
            self.logs.append(key)
        else:
            self.witnesses[witness] = key
        return None

    def _group(self, name: str, threshold: str, members: Sequence[str]) -> str | None:
        if len(set(members)) != len(members):
            return "member-twice"
        if not all(self._known(member) for member in members):
            return "member-unknown"
        words = {"all": len(members), "any": 1}
        number = words.get(threshold, int(threshold) if threshold.isascii() and threshold.isdigit() else 0)
        if not 0 < number <= len(members):
            return "threshold"
        self.groups[name] = Group(number, tuple(members))
        return None


def parse_policy(text: str) -> Policy:
    """Read a policy file; raises :class:`PolicyError` with line and rule."""
    reader = _Reader()
    lines = text.split("\n")
    if len(lines) > _MAX_LINES:
        raise PolicyError(rule="too-long", line=_MAX_LINES)
    for number, line in enumerate(lines, start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        try:
            broken = reader.read(words)
        except LedgerFormatError as error:
            raise PolicyError(rule=str(error.facts["rule"]), line=number) from error
        if broken:
            raise PolicyError(rule=broken, line=number)
    if not reader.logs or not reader.quorum:
        raise PolicyError(rule="log-and-quorum-needed", line=len(lines))
    quorum = None if reader.quorum[0] == _NONE else reader.quorum[0]
    return Policy(tuple(reader.logs), reader.witnesses, reader.groups, quorum)


def single_log_policy(key: VerifierKey, address: str = "") -> str:
    """Give the text of the policy that trusts one log and demands no witness."""
    return f"log {key} {address}".rstrip() + "\nquorum none\n"
