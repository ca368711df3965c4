# SPDX-License-Identifier: Apache-2.0
"""What is sent: a CloudEvents 1.0 event in JSON, in a Standard Webhooks envelope. Nothing here asks anybody.

An event carries type, change, time and an opaque id, no holder and no number: whoever wants to read on needs
an access basis of its own. The signature is over ``id.timestamp.body``; ``v1`` is HMAC-SHA256 with the
subscription's secret, ``v1a`` is Ed25519 with the installation's key.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from licenses.sharing.errors import SecretMalformedError
from storage.clock import rfc3339
from storage.ledger.canonical import Json, canonical

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, no secret
PUBLIC_PREFIX: Final = "whpk_"
CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
PING: Final = "subscription.ping"
SECRET_BYTES: Final = 32
_SPEC: Final = "1.0"
RECALL: Final = "-recall"
"""What follows the id of a licence's event where decisions are told of it."""
QUESTION: Final = "-question"
"""What follows the id of a rung's event where the asked department is told of it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a licence as others are told of it.

    Attributes:
        id: Opaque id of the event, the same wherever it is told.
        licence: Opaque id of the licence.
        type: Code of the licence type.
        kind: What happened, a word of the licence's own history.
        at: When it takes effect; that may lie ahead for a licence that will be replaced.
        sequence: 1, 2, 3 … within the licence.
        successor: Opaque id of the licence that takes its place, if one does.
    """

    id: str
    licence: str
    type: str
    kind: str
    at: dt.datetime
    sequence: int
    successor: str | None = None

    @property
    def object_id(self) -> str:
        """Give the id of what keeps its order: the licence."""
        return self.licence


@dataclass(frozen=True, slots=True)
class ProofChange:
    """What became of a client's own decisions, as it is told of it.

    Attributes:
        id: Opaque id of what happened: an event of a rung, or of a licence.
        kind: ``proof.resolved``, ``proof.recalled`` or ``commitment.check_due``.
        decisions: Ids of the client's decisions that are concerned, the newest first.
        count: How many there are; ``decisions`` names some hundreds at most.
        change: What happened, a word of the rung's or the licence's own history.
        at: When.
        sequence: Grows within the rung or the licence; not every number is told.
        rung: Opaque id of the rung, also of one whose answer was corrected; ``None`` where a licence recalls.
        requirement: Id of the requirement that the rung is about; ``None`` for a recall.
        licence: Opaque id of the licence that recalls; ``None`` otherwise.
    """

    id: str
    kind: str
    decisions: tuple[str, ...]
    count: int
    change: str
    at: dt.datetime
    sequence: int
    rung: str | None = None
    requirement: str | None = None
    licence: str | None = None

    @property
    def object_id(self) -> str:
        """Give the id of what keeps its order: the rung or the licence."""
        return self.rung or self.licence or ""


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """What a department is told of a question that it is asked.

    Attributes:
        id: Opaque id of what happened.
        kind: ``cooperation.asked``, ``cooperation.reminded`` or ``cooperation.escalated``.
        question: Opaque id of the question, under which it is read and answered.
        change: What happened, a word of the question's own history.
        at: When.
        due: Until when it is to be answered.
        percent: How much of the time is over, for a reminder.
        sequence: Grows within the question; not every number is told.
    """

    id: str
    kind: str
    question: str
    change: str
    at: dt.datetime
    due: dt.datetime | None
    percent: int | None
    sequence: int

    @property
    def object_id(self) -> str:
        """Give the id of what keeps its order: the question."""
        return self.question


Told = Change | ProofChange | QuestionChange


def told_event(told: Told, source: str) -> dict[str, Json]:
    """Give what is told as a CloudEvent."""
    if isinstance(told, QuestionChange):
        return question_event(told, source)
    return change_event(told, source) if isinstance(told, Change) else proof_event(told, source)


def event_of(message_id: str) -> str:
    """Give the id of the event that a message told of."""
    return message_id.removesuffix(RECALL).removesuffix(QUESTION)


def question_event(told: QuestionChange, source: str) -> dict[str, Json]:
    """Give what happened to a question as a CloudEvent."""
    data: dict[str, Json] = {
        "question": told.question,
        "change": told.change,
        "time": rfc3339(told.at),
        "due": None if told.due is None else rfc3339(told.due),
        "sequence": told.sequence,
    }
    if told.percent is not None:
        data["percent"] = told.percent
    return {
        "specversion": _SPEC,
        # Who asked may be told of the same event: this is another message.
        "id": f"{told.id}{QUESTION}",
        "source": source,
        "type": told.kind,
        "time": rfc3339(told.at),
        "datacontenttype": "application/json",
        "data": data,
    }


def proof_event(told: ProofChange, source: str) -> dict[str, Json]:
    """Give what became of decisions as a CloudEvent."""
    data: dict[str, Json] = {
        "decisions": list(told.decisions),
        "count": told.count,
        "change": told.change,
        "time": rfc3339(told.at),
        "sequence": told.sequence,
    }
    if told.rung is not None:
        data["rung"] = told.rung
    if told.requirement is not None:
        data["requirement"] = told.requirement
    # A licence's event is told as such, too, under its own id: this is another message.
    event_id = told.id
    if told.licence is not None:
        data["licence"], event_id = told.licence, f"{told.id}{RECALL}"
    return {
        "specversion": _SPEC,
        "id": event_id,
        "source": source,
        "type": told.kind,
        "time": rfc3339(told.at),
        "datacontenttype": "application/json",
        "data": data,
    }


def change_event(change: Change, source: str) -> dict[str, Json]:
    """Give a change as a CloudEvent."""
    return {
        "specversion": _SPEC,
        "id": change.id,
        "source": source,
        "type": f"licence.{change.kind}",
        "time": rfc3339(change.at),
        "datacontenttype": "application/json",
        "data": {
            "licence": change.licence,
            "type": change.type,
            "change": change.kind,
            "time": rfc3339(change.at),
            "sequence": change.sequence,
            "successor": change.successor,
        },
    }


def ping_event(event_id: str, source: str, at: dt.datetime, subscription: str) -> dict[str, Json]:
    """Give the event that tests an endpoint; it tells of nothing."""
    return {
        "specversion": _SPEC,
        "id": event_id,
        "source": source,
        "type": PING,
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "data": {"subscription": subscription},
    }


def body_of(event: Mapping[str, Json]) -> bytes:
    """Give the exact bytes that are signed and sent."""
    return canonical(event)


def new_secret(random: bytes) -> str:
    """Write a secret as receivers configure it."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def headers_of(
    event_id: str,
    at: dt.datetime,
    body: bytes,
    secrets: Sequence[str],
    sign: Callable[[bytes], bytes] | None = None,
) -> dict[str, str]:
    """Give the headers of a message.

    Args:
        event_id: Id of the message, the same at every try.
        at: When it is sent; receivers refuse old ones.
        body: The exact bytes.
        secrets: What signs it: the secret, and the one before it for a while.
        sign: Signs with the installation's Ed25519 key.

    Raises:
        SecretMalformedError: A secret is not of our making.
    """
    stamp = str(int(at.timestamp()))
    signed = f"{event_id}.{stamp}.".encode() + body
    signatures = [f"v1,{_text(hmac.digest(_key(one), signed, hashlib.sha256))}" for one in secrets]
    if sign is not None:
        signatures.append(f"v1a,{_text(sign(signed))}")
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        raise SecretMalformedError
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (ValueError, binascii.Error) as error:
        raise SecretMalformedError from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
