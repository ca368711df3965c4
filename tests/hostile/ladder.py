# SPDX-License-Identifier: Apache-2.0
"""Rungs of the ladder that nobody offered, of answers that there are not, by who may not."""

from typing import Any, Final

from .calls import BIDI, REFUSED, Call
from .ground import OPERATOR
from .pages import EXPIRED, Visit

_RUNGS, _UNKNOWN = "/api/v1/rungs", "rung-unknown"
_TAKEN = {"decision": "{mark}", "requirement": "R2", "kind": "commitment"}


def sent(name: str, status: int, problem: str, *acts: str, body: Any = _TAKEN, **more: Any) -> Call:
    headers = {"Content-Type": "application/json", "Access-Operator": OPERATOR}
    if more.pop("unnamed", False):
        del headers["Access-Operator"]
        more["who"] = "nobody"
    call: dict[str, Any] = {"method": "POST", "path": _RUNGS} | more
    return Call(name=name, status=status, code=problem, acts=acts, body=body, headers=headers, **call)


_ASKED: Final = "/api/v1/cooperation"


def answered(name: str, status: int, problem: str, *acts: str, **more: Any) -> Call:
    return sent(name, status, problem, *acts, **({"who": "answerer", "path": _ASKED} | more))


_ANSWERS = [
    answered(
        "questions to a department, by who does not answer",
        403,
        "not-permitted",
        *REFUSED,
        who="reader",
        method="GET",
        body=None,
    ),
    answered(
        "questions after a cursor made up",
        422,
        "cursor",
        method="GET",
        body=None,
        path=f"{_ASKED}?after={{mark}}",
    ),
    answered(
        "a question made up", 404, _UNKNOWN, *REFUSED, method="GET", body=None, path=f"{_ASKED}/{{mark}}"
    ),
    answered(
        "an answer to a question made up",
        404,
        _UNKNOWN,
        *REFUSED,
        path=f"{_ASKED}/{{mark}}/answer",
        body={"answer": "yes", "words": "{mark}"},
    ),
    answered(
        "an answer that is neither yes nor no",
        422,
        "invalid-input",
        path=f"{_ASKED}/x/answer",
        body={"answer": "{mark}"},
    ),
    answered(
        "an answer with the term it serves",
        422,
        "invalid-input",
        path=f"{_ASKED}/x/answer",
        body={"answer": "yes", "valid_until": "2099-01-01"},
    ),
]
CALLS = [
    *_ANSWERS,
    sent("a rung of an answer made up", 404, _UNKNOWN, *REFUSED),
    sent("a rung without the right", 403, "not-permitted", *REFUSED, who="reader"),
    sent("a rung of nobody", 401, "unauthenticated", who=""),
    sent("a rung of an unnamed operator", 403, "not-permitted", *REFUSED, unnamed=True),
    sent("a rung of a kind made up", 422, "invalid-input", body=_TAKEN | {"kind": "{mark}"}),
    sent("a rung that names its state", 422, "invalid-input", body=_TAKEN | {"state": "confirmed"}),
    sent(
        "a rung for a requirement of quotes",
        422,
        "invalid-input",
        body=_TAKEN | {"requirement": "R'--{mark}"},
    ),
    sent("a rung that is a list", 422, "invalid-input", body=[_TAKEN]),
    sent("a rung made up", 404, _UNKNOWN, *REFUSED, method="GET", path=f"{_RUNGS}/{{mark}}", body=None),
    sent(
        "an event of a rung made up",
        404,
        _UNKNOWN,
        *REFUSED,
        path=f"{_RUNGS}/{{mark}}/events",
        body={"kind": "confirmed", "words": "{mark}"},
    ),
    sent(
        "an event that only the clock brings",
        422,
        "invalid-input",
        path=f"{_RUNGS}/x/events",
        body={"kind": "escalated", "words": "{mark}"},
    ),
    sent(
        "an event whose words are unseen",
        404,
        _UNKNOWN,
        *REFUSED,
        path=f"{_RUNGS}/x/events",
        body={"kind": "confirmed", "words": f"{BIDI}{{mark}}"},
    ),
]


def visit(name: str, status: int, problem: str, path: str, *acts: str, **more: Any) -> Visit:
    return Visit(name=name, status=status, code=problem, path=path, acts=acts, **({"who": "clerk"} | more))


VISITS = [
    visit(
        "rungs in a state made up",
        422,
        "invalid-input",
        "/ladder",
        query={"state": "{mark}"},
        redisplays=True,
    ),
    visit(
        "rungs after a cursor made up", 422, "cursor", "/ladder", query={"after": "{mark}"}, redisplays=True
    ),
    visit("rungs looked at by an inspector", 403, "not-permitted", "/ladder", *REFUSED, who="inspector"),
    visit("a rung's page that there is not", 404, _UNKNOWN, "/ladder/{mark}", *REFUSED, redisplays=True),
    visit(
        "a rung that there is not, confirmed",
        404,
        _UNKNOWN,
        "/ladder/{mark}",
        *REFUSED,
        form={"event": "confirmed", "words": "{mark}"},
        redisplays=True,
    ),
    visit("an event made up", 422, "invalid-input", "/ladder/x", form={"event": "{mark}"}),
    visit("an event from elsewhere", 403, EXPIRED, "/ladder/x", form={"event": "confirmed"}, token="none"),
    visit(
        "a rung of an answer that there is not",
        404,
        _UNKNOWN,
        "/ladder/from/{mark}",
        *REFUSED,
        form={"requirement": "R2", "kind": "{mark}"},
        redisplays=True,
    ),
    visit("a rung from elsewhere", 403, EXPIRED, "/ladder/from/x", form={"kind": "commitment"}, token="none"),
]
