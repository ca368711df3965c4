# SPDX-License-Identifier: Apache-2.0
"""Acts: what happened, who did it, to what, for which case, on which basis, with which outcome.

The *core* is small canonical JSON without personal data; its SHA-256 is the act's id and the promise.
The *detail* states the change completely (every changed row) and is stored encrypted.
"""

import datetime as dt
import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.base import Base
from storage.clock import rfc3339
from storage.errors import InvalidInputError
from storage.identity import Identity
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind
from storage.ledger.rows import TableRows, row_state
from storage.secrets import SYSTEM_SUBJECT

MAX_CORE = 60_000


class Outcome(enum.StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    INTENDED = "intended"
    ABANDONED = "abandoned"


@dataclass(frozen=True, kw_only=True)
class Act:
    """An act to be recorded.

    Attributes:
        kind: One of the closed list.
        actor: Who acted; its access basis goes into the core.
        object_type: Word of the glossary: ``case``, ``filing``, ``dossier``, ``licence``, ``seal`` …
        object_id: Opaque id of the object; never a personal identifier.
        outcome: How it ended.
        case: Id of the case it belongs to.
        object_sha256: Hex digest of the bytes concerned, if any.
        subject: Whose key protects the detail: a holder id or ``system``.
        rows: Every row inserted or changed by this act; the detail holds them complete.
        tables: Rows that were inserted many at once; the detail holds them, too.
        notes: Anything else that explains the act; may hold personal data (it is encrypted).
        reasons: Stable reason codes, in the core in clear.
        intent: Act id of the intent that this outcome closes.
    """

    kind: ActKind
    actor: Identity
    object_type: str
    object_id: str
    outcome: Outcome = Outcome.DONE
    case: str | None = None
    object_sha256: str | None = None
    subject: str = SYSTEM_SUBJECT
    rows: Sequence[Base] = ()
    tables: Sequence[TableRows] = ()
    notes: Mapping[str, Json] = field(default_factory=dict)
    reasons: Sequence[str] = ()
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a caller holds until the receipt: the act's digest, its log, and until when to redeem it."""

    log: str
    core_sha256: str
    redeem_by: dt.datetime

    def as_json(self) -> dict[str, str]:
        """Give the promise as it stands in answers."""
        return {"log": self.log, "core_sha256": self.core_sha256, "redeem_by": rfc3339(self.redeem_by)}


def detail_bytes(act: Act, at: dt.datetime) -> bytes:
    """Give the detail in clear: time, whose data it holds, complete rows, notes."""
    rows = [canonical(row_state(row)) for row in act.rows]
    rows += [row for table in act.tables for row in table.encoded()]
    head = canonical({"at": rfc3339(at), "notes": dict(act.notes)})
    # Keys are in their order, so this is canonical, too.
    subject = canonical(act.subject)
    return head[:-1] + b',"rows":[' + b",".join(rows) + b'],"subject":' + subject + b"}"


def core_bytes(act: Act, nonce: bytes, encrypted_detail: bytes) -> bytes:
    """Give the core: canonical JSON, version 1.

    Raises:
        InvalidInputError: Longer than ``MAX_CORE``: no entry bundle could hold it, and the log would stop.
    """
    basis = act.actor.basis
    thing = {"type": act.object_type, "id": act.object_id}
    if act.object_sha256:
        thing["sha256"] = act.object_sha256
    core = canonical(
        {
            "v": 1,
            "kind": str(act.kind),
            "actor": act.actor.as_core(),
            "object": thing,
            "case": act.case,
            "basis": basis.as_core() if basis else None,
            "outcome": str(act.outcome),
            "reasons": list(act.reasons),
            "intent": act.intent,
            "nonce": nonce.hex(),
            "detail_sha256": hashlib.sha256(encrypted_detail).hexdigest(),
        }
    )
    if len(core) > MAX_CORE:
        raise InvalidInputError(field="act", rule="core-too-long", length=len(core))
    return core
