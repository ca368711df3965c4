# SPDX-License-Identifier: Apache-2.0
"""Visits of the licence library's pages: changes of many, issuing, and what is published."""

from collections.abc import Mapping
from typing import Any

from .pages import EXPIRED, REFUSED, SCRIPT, Visit

FOOD = "11339999DEM0010178001"
SECRET = "A" * 22
OTHERS_DESK: Mapping[str, Any] = {"status": 403, "code": "not-permitted", "acts": REFUSED}
FORGED: Mapping[str, Any] = {"status": 403, "code": EXPIRED, "token": "none"}


def seen(
    name: str, status: int, code: str | None = None, path: str = "", who: str = "licences", **more: Any
) -> Visit:
    """A page that is looked at."""
    return Visit(name=name, status=status, code=code, path=path, who=who, **more)


def sent(
    name: str,
    status: int,
    code: str | None = None,
    path: str = "",
    form: Mapping[str, str] | None = None,
    who: str = "licences",
    **more: Any,
) -> Visit:
    """A form that is sent."""
    return Visit(name=name, status=status, code=code, path=path, form=form or {}, who=who, **more)


_BULK = "/licences/bulk"
_CHOICE = {"type": FOOD, "kind": "lapse"}
BULK = [
    seen("changes of many looked at by a clerk", path=_BULK, who="clerk", **OTHERS_DESK),
    seen(
        "a change of a type made up",
        422,
        None,
        _BULK,
        query={"type": "{mark}", "kind": "lapse"},
        redisplays=True,
    ),
    seen(
        "a change of a kind made up",
        422,
        None,
        _BULK,
        query={"type": FOOD, "kind": "{mark}"},
        redisplays=True,
    ),
    seen(
        "a change of a status made up",
        422,
        None,
        _BULK,
        query=_CHOICE | {"status": "{mark}"},
        redisplays=True,
    ),
    seen(
        "a change before a day made up",
        422,
        None,
        _BULK,
        query=_CHOICE | {"until_before": SCRIPT},
        redisplays=True,
    ),
    seen(
        "a change behind a licence made up",
        422,
        None,
        _BULK,
        query=_CHOICE | {"first": "yes", "after": SCRIPT},
        redisplays=True,
    ),
    seen("a change before the year nought", 422, None, _BULK, query=_CHOICE | {"until_before": "0000-01-01"}),
    seen(
        "a change before the last of days", 200, None, _BULK, query=_CHOICE | {"until_before": "9999-12-31"}
    ),
    sent(
        "a change of nothing",
        422,
        None,
        _BULK,
        _CHOICE | {"reason": "{mark}", "legal_basis": "{mark}"},
        redisplays=True,
    ),
    sent("a change proposed from elsewhere", path=_BULK, form=_CHOICE, **FORGED),
    sent(
        "a change decided that there is not",
        404,
        None,
        f"{_BULK}/{{mark}}/decision",
        {"decision": "approve"},
        redisplays=True,
    ),
    sent(
        "a decision on a change that is none",
        422,
        "invalid-input",
        f"{_BULK}/x/decision",
        {"decision": "{mark}"},
    ),
    sent(
        "a change decided by a clerk",
        path=f"{_BULK}/x/decision",
        form={"decision": "approve"},
        who="clerk",
        **OTHERS_DESK,
    ),
    sent(
        "a change decided from elsewhere", path=f"{_BULK}/x/decision", form={"decision": "approve"}, **FORGED
    ),
]

ISSUING = [
    seen("stock looked at by a clerk", path="/licences/stock", who="clerk", **OTHERS_DESK),
    seen("issuing looked at by a clerk", path="/licences/issue", who="clerk", **OTHERS_DESK),
    seen("issuing a type made up", 200, None, "/licences/issue", query={"type": SCRIPT}, redisplays=True),
    sent("a licence issued from elsewhere", path="/licences/issue", form={"type": FOOD}, **FORGED),
    sent(
        "a licence issued by a clerk", path="/licences/issue", form={"type": FOOD}, who="clerk", **OTHERS_DESK
    ),
    sent(
        "a preview by a clerk",
        path="/licences/issue/preview",
        form={"type": FOOD},
        who="clerk",
        **OTHERS_DESK,
    ),
    sent(
        "a preview of a type made up",
        422,
        "license-type-unknown",
        "/licences/issue/preview",
        {"type": "{mark}"},
        redisplays=True,
    ),
]

_MANAGE = "/licences/manage"
_DECIDED = {"decision": "revoke", "reason": "{mark}", "legal_basis": "{mark}"}
MANAGING = [
    seen("managing looked at by a clerk", path=_MANAGE, who="clerk", **OTHERS_DESK),
    sent("a number made up", 200, None, f"{_MANAGE}/find", {"q": SCRIPT}, redisplays=True),
    sent("a number that asks the database", 200, None, f"{_MANAGE}/find", {"q": "' OR 1=1 --"}),
    sent(
        "a number looked for by a clerk", path=f"{_MANAGE}/find", form={"q": "1"}, who="clerk", **OTHERS_DESK
    ),
    sent("a number looked for from elsewhere", path=f"{_MANAGE}/find", form={"q": "1"}, **FORGED),
    seen("a licence managed that there is not", path=f"{_MANAGE}/{{mark}}", redisplays=True, **OTHERS_DESK),
    seen("a licence managed by a clerk", path=f"{_MANAGE}/x", who="clerk", **OTHERS_DESK),
    sent(
        "a licence decided that there is not",
        path=f"{_MANAGE}/{{mark}}",
        form=_DECIDED,
        redisplays=True,
        **OTHERS_DESK,
    ),
    sent("a licence decided by a clerk", path=f"{_MANAGE}/x", form=_DECIDED, who="clerk", **OTHERS_DESK),
    sent("a licence decided from elsewhere", path=f"{_MANAGE}/x", form=_DECIDED, **FORGED),
    sent("a decision made up", 422, "invalid-input", f"{_MANAGE}/x", _DECIDED | {"decision": "{mark}"}),
]

OFFICE_COPIES = [
    sent(
        "a copy for the file of no licence",
        404,
        "license-not-found",
        "/licences/{mark}/copies",
        {"purpose": "archive"},
        who="archivist",
        redisplays=True,
        acts=REFUSED,
    ),
    sent("a copy for the file by a clerk", path="/licences/x/copies", form={}, who="clerk", **OTHERS_DESK),
    sent("a copy for the file from elsewhere", path="/licences/x/copies", who="archivist", **FORGED),
    seen(
        "an office's copy that there is not",
        404,
        "copy-unknown",
        "/licences/copies/{mark}",
        "archivist",
        redisplays=True,
        acts=REFUSED,
    ),
    seen("an office's copy looked at by a clerk", path="/licences/copies/x", who="clerk", **OTHERS_DESK),
    sent(
        "the file of no copy",
        404,
        "copy-unknown",
        "/licences/copies/{mark}/file",
        who="archivist",
        redisplays=True,
        acts=REFUSED,
    ),
    sent("the file of a copy by a clerk", path="/licences/copies/x/file", who="clerk", **OTHERS_DESK),
    sent("the file of a copy from elsewhere", path="/licences/copies/x/file", who="archivist", **FORGED),
]

PUBLISHED = [
    seen(
        "a type by markup", 404, "not-found", "/catalog/licence-types/%3Cscript%3E{mark}", "", redisplays=True
    ),
    seen(
        "a sample of no type",
        404,
        "not-found",
        "/catalog/licence-types/{mark}/sample.pdf",
        "",
        redisplays=True,
    ),
    seen("a problem that there is not", 404, "not-found", "/problems/{mark}", "", redisplays=True),
    seen("a file of no receipt", 404, "not-found", "/receipts/{mark}/file", "", redisplays=True),
    seen(
        "a schema of nothing",
        404,
        "not-found",
        "/editions/{mark}/schema",
        "system",
        acts=REFUSED,
        redisplays=True,
    ),
    seen(
        "what was shipped of nothing",
        404,
        "not-found",
        "/editions/{mark}/shipped",
        "system",
        acts=REFUSED,
        redisplays=True,
    ),
    seen(
        "what is pending after markup",
        422,
        "cursor",
        "/supervision/pending",
        "supervisor",
        query={"after": SCRIPT},
        redisplays=True,
    ),
    seen(
        "intents after markup",
        200,
        None,
        "/supervision/intents",
        "supervisor",
        query={"after": SCRIPT},
        redisplays=True,
    ),
    seen(
        "a slip of no case",
        404,
        "case-not-found",
        "/archive/cases/ycsl/{mark}/return-slip/1",
        "archivist",
        acts=REFUSED,
        redisplays=True,
    ),
    seen(
        "a document of no edition",
        404,
        "edition-unknown",
        "/editions/{mark}/document",
        "security",
        acts=REFUSED,
        redisplays=True,
    ),
    seen(
        "the text of a rule that there is not",
        200,
        None,
        "/editions/rules",
        "system",
        query={"rule": "{mark}"},
        redisplays=True,
    ),
    seen(
        "a simulation of no edition",
        404,
        "edition-unknown",
        "/editions/{mark}/simulation",
        "security",
        acts=REFUSED,
        redisplays=True,
    ),
    seen(
        "cases that differ in no edition",
        404,
        "edition-unknown",
        "/editions/{mark}/simulation.csv",
        "supervisor",
        acts=REFUSED,
        redisplays=True,
    ),
    sent(
        "simulating no edition",
        404,
        "edition-unknown",
        "/editions/{mark}/simulation",
        {},
        "system",
        acts=REFUSED,
        redisplays=True,
    ),
    sent(
        "unlocking nobody",
        404,
        "account-unknown",
        "/rights/{mark}/unlock",
        who="security",
        acts=REFUSED,
        redisplays=True,
    ),
    sent(
        "acting for an office made up",
        403,
        "not-permitted",
        "/account/acting",
        {"organisation": "{mark}"},
        who="clerk",
        acts=REFUSED,
    ),
]

LICENCES = [*BULK, *ISSUING, *MANAGING, *OFFICE_COPIES, *PUBLISHED]
