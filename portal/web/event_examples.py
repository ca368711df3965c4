# SPDX-License-Identifier: Apache-2.0
"""Examples of events as they are sent and fetched, and how the interface description tells of them."""

from typing import Any, Final

from portal.web.documented import Described, schema_of

_AT: Final = "2026-11-24T01:00:00.000000Z"
_ID: Final = "2pzhja9ctv1fffpq9enrkxjdz6"
_OTHER_ID: Final = "7k3q0c1v9m2xw4e8r5t6y7u0pa"


def _event(kind: str, data: dict[str, Any], event_id: str = _ID) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "https://cunzheng.example/api/v1/licence-events",
        "type": kind,
        "time": _AT,
        "datacontenttype": "application/json",
        "data": data,
    }


LICENCE_EVENT: Final = _event(
    "licence.suspended",
    {
        "licence": _ID,
        "type": "11339999DEM0010178001",
        "change": "suspended",
        "time": _AT,
        "sequence": 2,
        "successor": _ID,
    },
)
_OF_DECISIONS: Final[dict[str, Any]] = {"decisions": [_OTHER_ID], "count": 1, "time": _AT}
PROOF_RESOLVED: Final = _event(
    "proof.resolved",
    _OF_DECISIONS | {"rung": _ID, "requirement": "R3", "change": "answered", "sequence": 2},
)
COMMITMENT_CHECK_DUE: Final = _event(
    "commitment.check_due",
    _OF_DECISIONS | {"rung": _ID, "requirement": "R2", "change": "check-due", "sequence": 4},
)
PROOF_RECALLED: Final = _event(
    "proof.recalled",
    _OF_DECISIONS | {"licence": _ID, "change": "suspended", "sequence": 2},
    f"{_ID}-recall",
)
FACE_RECALLED: Final = _event(
    "proof.recalled",
    _OF_DECISIONS | {"licence": _ID, "change": "corrected", "sequence": 3},
    f"{_ID}-recall",
)
ANSWER_RECALLED: Final = _event(
    "proof.recalled", _OF_DECISIONS | {"rung": _ID, "change": "corrected", "sequence": 4}
)
_OF_QUESTION: Final[dict[str, Any]] = {"question": _OTHER_ID, "time": _AT, "due": _AT}
COOPERATION_ASKED: Final = _event(
    "cooperation.asked",
    _OF_QUESTION | {"change": "asked", "sequence": 1},
    f"{_ID}-question",
)
COOPERATION_REMINDED: Final = _event(
    "cooperation.reminded",
    _OF_QUESTION | {"change": "reminded", "percent": 50, "sequence": 2},
    f"{_ID}-question",
)
COOPERATION_ESCALATED: Final = _event(
    "cooperation.escalated",
    _OF_QUESTION | {"change": "escalated", "sequence": 4},
    f"{_ID}-question",
)
_EVENTS: Final = {
    "licence": ("A licence changed", LICENCE_EVENT),
    "resolved": ("What an own decision waited for or rests on came to something", PROOF_RESOLVED),
    "check-due": ("A commitment that an own decision rests on has to be checked", COMMITMENT_CHECK_DUE),
    "asked": ("The own department is asked something", COOPERATION_ASKED),
    "reminded": ("Half, or four fifths, of the time for an answer is over", COOPERATION_REMINDED),
    "escalated": ("The time is over: supervision sees it", COOPERATION_ESCALATED),
    "recalled": ("A licence that own decisions rest on was suspended, withdrawn or revoked", PROOF_RECALLED),
    "face-corrected": ("What a licence states that own decisions rest on was corrected", FACE_RECALLED),
    "corrected": ("A department corrected an answer that own decisions rest on", ANSWER_RECALLED),
}
LICENCE_EVENTS: Final[dict[str, Any]] = {"events": [LICENCE_EVENT], "next": "AAAAAAAAAAA", "more": False}
_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [schema_of(one, ("due", "successor")) for _, one in (*_EVENTS.values(),)]
}


def event_pages() -> Described:
    """Describe a page of events."""
    schema = schema_of(LICENCE_EVENTS)
    schema["properties"]["events"]["items"] = _SCHEMA
    examples = {
        name: {"summary": summary, "value": LICENCE_EVENTS | {"events": [event]}}
        for name, (summary, event) in _EVENTS.items()
    }
    content: dict[str, dict[str, Any]] = {"application/json": {"schema": schema, "examples": examples}}
    return {"description": "A page; `next` is given even when it is empty", "content": content}


def webhooks() -> dict[str, Any]:
    """Describe what is sent to the endpoint of a subscription."""
    examples = {name: {"summary": text, "value": event} for name, (text, event) in _EVENTS.items()}
    media = "application/cloudevents+json"
    parameters = [
        {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in (
            ("webhook-id", "The event's `id`, the same at every try: drop what you have."),
            ("webhook-timestamp", "Seconds since 1970; refuse what is older than five minutes."),
            ("webhook-signature", "`v1,` HMAC-SHA256 and `v1a,` Ed25519, over id, time and body."),
        )
    ]
    send = {
        "operationId": "subscription_event",
        "tags": ["Changes"],
        "summary": "An event of an approved subscription, in a Standard Webhooks envelope",
        "parameters": parameters,
        "requestBody": {"required": True, "content": {media: {"schema": _SCHEMA, "examples": examples}}},
        "responses": {
            "2XX": {"description": "The receiver has it durably"},
            "410": {"description": "The receiver wants nothing more, ever: the subscription ends"},
            "default": {"description": "It is tried again, and a dead letter at last"},
        },
    }
    return {"event": {"post": send}}
