# SPDX-License-Identifier: Apache-2.0
"""What a verification says: a state, the reasons as data, and one report per signature.

The states and how they combine are rule 4 of docs/architecture.md: the worst signature decides, and nothing
but a completed check is ever "valid". Sentences stand in ``data/reasons.json`` in two languages.
"""

import datetime as dt
import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from storage.clock import parse_rfc3339, rfc3339
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID


class State(enum.StrEnum):
    """The five verdicts, best first."""

    VALID = "valid"
    VALID_WITH_CHANGES = "valid-with-later-permitted-changes"
    INDETERMINATE = "indeterminate"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"


STATE_TITLES: Mapping[State, tuple[str, str]] = {
    State.VALID: ("有效", "Valid"),
    State.VALID_WITH_CHANGES: ("有效（后续有允许的操作）", "Valid, with later permitted changes"),
    State.INDETERMINATE: ("无法判定", "Cannot tell"),
    State.UNSUPPORTED: ("无法判定（不支持）", "Cannot tell (unsupported)"),
    State.INVALID: ("无效", "Invalid"),
}
"""Titles in Chinese and English."""


HOLDING: Final = frozenset({State.VALID, State.VALID_WITH_CHANGES})
"""States of files and of single seals that may be relied on."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is.

    Attributes:
        code: Stable code, a key of ``data/reasons.json``.
        state: The state that this reason allows at best.
        rule: The rule that decided.
        zh: Chinese sentence.
        en: English sentence.
    """

    code: str
    state: State
    rule: str
    zh: str
    en: str


@cache
def reasons() -> Mapping[str, Reason]:
    """Give every reason by its code."""
    data = json.loads(files("seals").joinpath("data/reasons.json").read_text("utf-8"))
    return {
        code: Reason(code, State(item["state"]), item["rule"], item["zh"], item["en"])
        for code, item in data.items()
    }


def worst(states: Iterable[State]) -> State:
    """Give the worst of some states; ``UNSUPPORTED`` when there is none."""
    order = list(State)
    found = list(states)
    return max(found, key=order.index) if found else State.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What one signature says and how it stands.

    Attributes:
        field: Name of its field; empty for a detached signature.
        kind: ``certification``, ``approval``, ``timestamp`` or ``detached``.
        state: How it stands.
        reasons: Codes, the deciding one first.
        signer: Name in the signer's certificate.
        issuer: Name of that certificate's issuer.
        certificate_sha256: Fingerprint of the signer's certificate.
        seal_id: Id of the registered seal, if it is one.
        seal_name: Name of the registered seal, if it is one.
        department: Its department's code.
        sealed_at: Time proven by the token; ``None`` without a good token.
        token_serial: Serial number of the token, decimal.
        token_authority: Name of the time-stamp authority.
        signed_sha256: SHA-256 over the signed ranges (or the whole content when detached).
        signed_bytes: How many bytes are protected.
        covers_whole_file: Whether nothing but white space follows what was signed.
        changes: What was added later, as words of the difference analysis; empty when nothing.
    """

    field: str
    kind: str
    state: State
    reasons: tuple[str, ...]
    signer: str = ""
    issuer: str = ""
    certificate_sha256: str = ""
    seal_id: str | None = None
    seal_name: str | None = None
    department: str | None = None
    sealed_at: dt.datetime | None = None
    token_serial: str | None = None
    token_authority: str | None = None
    signed_sha256: str = ""
    signed_bytes: int = 0
    covers_whole_file: bool = False
    changes: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the report as JSON, sentences included."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["state"] = str(self.state)
        data["reasons"] = [_reason_json(code) for code in self.reasons]
        data["sealed_at"] = None if self.sealed_at is None else rfc3339(self.sealed_at)
        return data


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for a file.

    Attributes:
        state: The worst of everything found.
        reasons: Codes, the deciding ones first.
        signatures: One report per signature, in the order of the file.
        sha256: Digest of the whole file as it was given.
        size: Its size in bytes.
        at: When it was checked.
    """

    state: State
    reasons: tuple[str, ...]
    signatures: tuple[SignatureReport, ...]
    sha256: str
    size: int
    at: dt.datetime

    @property
    def is_valid(self) -> bool:
        """Tell whether the file may be relied on."""
        return self.state in HOLDING

    @property
    def exit_code(self) -> int:
        """Give the exit code of rule 10 of docs/architecture.md."""
        if self.is_valid:
            return EXIT_DONE
        return EXIT_INVALID if self.state is State.INVALID else EXIT_CANNOT_TELL

    def sentences(self, language: str) -> list[str]:
        """Give the reasons as sentences, ``zh`` or ``en``."""
        return [getattr(reasons()[code], language) for code in self.reasons]

    def as_json(self) -> dict[str, Any]:
        """Give the verdict as JSON, sentences included."""
        return {
            "state": str(self.state),
            "title": dict(zip(("zh", "en"), STATE_TITLES[self.state], strict=True)),
            "reasons": [_reason_json(code) for code in self.reasons],
            "signatures": [report.as_json() for report in self.signatures],
            "sha256": self.sha256,
            "size": self.size,
            "at": rfc3339(self.at),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Verdict":
        """Read what :meth:`as_json` wrote; raises ``KeyError``, ``TypeError`` or ``ValueError`` otherwise."""
        return cls(
            State(data["state"]),
            _codes(data["reasons"]),
            tuple(_report(item) for item in data["signatures"]),
            str(data["sha256"]),
            int(data["size"]),
            parse_rfc3339(data["at"]),
        )


def _reason_json(code: str) -> dict[str, str]:
    reason = reasons()[code]
    return {
        "code": code,
        "state": str(reason.state),
        "rule": reason.rule,
        "zh": reason.zh,
        "en": reason.en,
    }


def _codes(items: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(reasons()[item["code"]].code for item in items)


def _report(data: Mapping[str, Any]) -> SignatureReport:
    values = dict(data)
    values["state"] = State(values["state"])
    values["reasons"] = _codes(values["reasons"])
    sealed_at = values["sealed_at"]
    values["sealed_at"] = None if sealed_at is None else parse_rfc3339(sealed_at)
    return SignatureReport(**values)
