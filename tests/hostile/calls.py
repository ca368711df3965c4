# SPDX-License-Identifier: Apache-2.0
"""A hostile call as data: what is sent and what is answered.

``{mark}`` in anything that is sent becomes the mark of the case; it must not come back.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from .ground import HOLDER, ITEM, OPEN_CASE, OPERATOR, case_body

BIDI, ZERO_WIDTH, TAG = "\u202e", "\u200b", "\U000e0041"
NEW = "/api/v1/cases/ycsl/{mark}"
REFUSED = ("access.refused",)


BROKEN = "malformed-request"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call.

    Attributes:
        name: Unique; says what is tried.
        status: The answer's status.
        code: The stable code of the problem, or ``None`` where the call is answered.
        acts: Kinds of act that it leaves.
        who: A client of the ground; anything else is a stranger.
        raw: The body's bytes; or ``body``, which is sent as JSON.
        result: Code in the head of a façade's answer.
    """

    name: str
    status: int
    code: str | None = None
    result: int | None = None
    acts: tuple[str, ...] = ()
    who: str = "client"
    method: str = "GET"
    path: str = NEW
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = None
    query: str = ""
    environ: dict[str, str] = field(default_factory=dict)


def get(name: str, status: int, code: str | None = None, **more: Any) -> Call:
    """A call without a body, unless ``more`` says otherwise."""
    return Call(name=name, status=status, code=code, **more)


def announce(name: str, status: int = 422, code: str | None = "invalid-input", **more: Any) -> Call:
    """An announcement with one thing wrong; ``more`` changes the body or, by its name, the call."""
    fields = set(Call.__dataclass_fields__)
    changes = {key: value for key, value in more.items() if key not in fields}
    rest = {key: value for key, value in more.items() if key in fields}
    if "raw" not in rest and "body" not in rest:
        rest["body"] = case_body(**changes)
    headers = {"Content-Type": "application/json"} | rest.pop("headers", {})
    return Call(**{"name": name, "status": status, "code": code, "method": "PUT", "headers": headers, **rest})


def held(**changes: str) -> dict[str, str]:
    return HOLDER | changes


QUESTION: Final[dict[str, Any]] = {
    "case": {"source": "ycsl", "number": OPEN_CASE},
    "item": ITEM["code"],
    "purpose": "accept",
}


def posted(path: str, name: str, status: int, code: str | None, acts: tuple[str, ...], body: Any) -> Call:
    return Call(
        name=name,
        status=status,
        code=code,
        acts=acts,
        method="POST",
        path=path,
        headers={"Content-Type": "application/json", "Access-Operator": OPERATOR},
        body=body,
    )


def batch(name: str, status: int, code: str | None, questions: Any, *acts: str) -> Call:
    return posted("/api/v1/proofs:batch", name, status, code, acts, {"questions": questions})


def one_document(name: str, status: int, code: str, *acts: str, **changes: Any) -> Call:
    holder = {"scheme": "001", "code": "91339999MADEM0011X"}
    body = {"holder": holder, "item": ITEM["code"], "purpose": "accept"}
    return posted("/api/v1/one-certificate", name, status, code, acts, body | changes)


def asked(name: str, status: int, code: str, *acts: str, **changes: Any) -> Call:
    headers = {"Content-Type": "application/json", "Access-Operator": OPERATOR}
    who = "client"
    if "operator" in changes:
        del headers["Access-Operator"], changes["operator"]
        who = "nobody"
    return Call(
        name=name,
        who=who,
        status=status,
        code=code,
        acts=acts,
        method="POST",
        path="/api/v1/proofs",
        headers=headers,
        body=QUESTION | changes,
    )


def filled(value: Any, mark: str) -> Any:
    """Put the mark where a value says so."""
    if isinstance(value, str):
        return value.replace("{mark}", mark)
    if isinstance(value, bytes):
        return value.replace(b"{mark}", mark.encode())
    if isinstance(value, dict):
        return {filled(key, mark): filled(one, mark) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, mark) for one in value]
    return value
