# SPDX-License-Identifier: Apache-2.0
"""Visits around holders: their codes, copies and own pages, what they show, subscriptions, objections."""

from .pages import REFUSED, SCRIPT, Visit
from .pages_licences import FORGED, OTHERS_DESK, SECRET, seen, sent

_CODE = "/window/code"
CODES = [
    sent("a code made up, typed", 404, None, _CODE, {"secret": SECRET}, who="clerk", acts=REFUSED),
    sent(
        "a code made up, typed for a copy",
        404,
        None,
        _CODE,
        {"secret": SECRET, "do": "copy"},
        who="clerk",
        acts=REFUSED,
    ),
    sent("a code of markup", 404, None, _CODE, {"secret": SCRIPT}, who="clerk", acts=REFUSED),
    sent(
        "a code that is no ASCII",
        404,
        None,
        _CODE,
        {"secret": "令" * 22, "number": "{mark}"},
        who="clerk",
        acts=REFUSED,
    ),
    sent("a code with NUL", 404, None, _CODE, {"secret": "\x00" * 22}, who="clerk", acts=REFUSED),
    sent("a code of nothing", 404, None, _CODE, {}, who="clerk", acts=REFUSED),
    sent(
        "a code shown by somebody made up",
        404,
        None,
        _CODE,
        {"secret": SECRET, "scheme": "{mark}", "document": "{mark}"},
        who="clerk",
        acts=REFUSED,
    ),
    sent("a code typed at another desk", path=_CODE, form={"secret": SECRET}, who="archivist", **OTHERS_DESK),
    sent("a code typed from elsewhere", path=_CODE, form={"secret": SECRET}, who="clerk", **FORGED),
    seen("a code in an address", 200, None, _CODE, who="clerk", query={"secret": SECRET}, redisplays=True),
    sent(
        "a code by function for nobody's answer",
        404,
        "not-found",
        "/window/decisions/{mark}/codes",
        {"licence": "{mark}"},
        who="clerk",
        acts=REFUSED,
        redisplays=True,
    ),
    sent("a code by function from elsewhere", path="/window/decisions/x/codes", who="clerk", **FORGED),
]

COPIES = [
    sent(
        "a copy for nobody's answer",
        404,
        "not-found",
        "/window/decisions/{mark}/copies",
        {"licence": "{mark}"},
        who="clerk",
        acts=REFUSED,
        redisplays=True,
    ),
    sent("a copy ordered from elsewhere", path="/window/decisions/x/copies", who="clerk", **FORGED),
    seen(
        "a page of a copy that there is not",
        404,
        "copy-unknown",
        "/window/copies/{mark}",
        who="clerk",
        acts=REFUSED,
        redisplays=True,
    ),
    sent(
        "a file of a copy that there is not",
        404,
        "copy-unknown",
        "/window/copies/{mark}/file",
        who="clerk",
        acts=REFUSED,
        redisplays=True,
    ),
    sent("a file of a copy at another desk", path="/window/copies/x/file", who="archivist", **OTHERS_DESK),
    sent("a file of a copy from elsewhere", path="/window/copies/x/file", who="clerk", **FORGED),
]

_SHOWN = "verification-code-unknown"
SHOWN = [
    *(
        seen(f"a shown licence of {what}", 404, _SHOWN, f"/v/show/{token}", who="", redisplays=True)
        for what, token in (
            ("nothing", "{mark}"),
            ("zeroes", f"{'0' * 26}-1-{'0' * 26}"),
            ("the end of time", f"{'0' * 26}-{'9' * 12}-{'a' * 26}"),
            ("a minute too long", f"{'0' * 26}-{'9' * 400}-{'a' * 26}"),
            ("digits of another script", f"{'0' * 26}-１２-{'a' * 26}"),
            ("markup", "%3Cscript%3E{mark}"),
        )
    ),
    sent("a photo of nothing", 422, "invalid-input", "/verify/photo", who="", files=[("{mark}.png", b"")]),
]

_SUBSCRIPTIONS = "/subscriptions"
SUBSCRIPTIONS = [
    seen("subscriptions looked at by a clerk", path=_SUBSCRIPTIONS, who="clerk", **OTHERS_DESK),
    sent(
        "a subscription decided that there is not",
        404,
        None,
        f"{_SUBSCRIPTIONS}/{{mark}}/decision",
        {"decision": "approve", "reason": "x"},
        who="security",
        redisplays=True,
    ),
    sent(
        "a subscription decided by who operates",
        path=f"{_SUBSCRIPTIONS}/x/decision",
        form={"decision": "approve"},
        who="system",
        **OTHERS_DESK,
    ),
    sent(
        "a decision on a subscription that is none",
        422,
        "invalid-input",
        f"{_SUBSCRIPTIONS}/x/decision",
        {"decision": "{mark}"},
        who="security",
    ),
    sent(
        "a subscription ended that there is not",
        404,
        None,
        f"{_SUBSCRIPTIONS}/{{mark}}/end",
        {"reason": "x"},
        who="system",
        redisplays=True,
    ),
    sent(
        "a dead letter that there is not",
        404,
        None,
        f"{_SUBSCRIPTIONS}/resend",
        {"letter": "{mark}"},
        who="system",
    ),
    sent("dead letters sent again from elsewhere", path=f"{_SUBSCRIPTIONS}/resend", who="system", **FORGED),
]

_OBJECTIONS = "/objections"
OBJECTIONS = [
    seen("objections looked at by a clerk", path=_OBJECTIONS, who="clerk", **OTHERS_DESK),
    seen(
        "objections in a state made up",
        422,
        "invalid-input",
        _OBJECTIONS,
        who="archivist",
        query={"state": "{mark}"},
        redisplays=True,
    ),
    seen(
        "objections after a cursor made up",
        422,
        "cursor",
        _OBJECTIONS,
        who="archivist",
        query={"after": "{mark}"},
        redisplays=True,
    ),
    seen(
        "an objection that there is not",
        404,
        "objection-unknown",
        f"{_OBJECTIONS}/{{mark}}",
        who="archivist",
        acts=REFUSED,
        redisplays=True,
    ),
    sent(
        "an objection answered that there is not",
        404,
        "objection-unknown",
        f"{_OBJECTIONS}/{{mark}}/answer",
        {"outcome": "declined", "words": "{mark}"},
        who="archivist",
        acts=REFUSED,
        redisplays=True,
    ),
    sent(
        "an objection answered with an outcome made up",
        422,
        "invalid-input",
        f"{_OBJECTIONS}/x/answer",
        {"outcome": "{mark}"},
        who="archivist",
    ),
    sent(
        "an objection answered from elsewhere",
        path=f"{_OBJECTIONS}/x/answer",
        form={"outcome": "declined"},
        who="archivist",
        **FORGED,
    ),
]

_MINE = (
    "/mine",
    "/mine/objection",
    "/mine/licences/{mark}",
    "/mine/commitments",
    "/mine/commitments/{mark}",
)
_MINE_SENT = (
    "/mine/objection",
    "/mine/licences/{mark}/codes",
    "/mine/codes/{mark}/revocation",
    "/mine/commitments/{mark}",
    "/mine/sign-out",
)
HOLDERS = [
    *(
        seen(f"{path} by {who or 'a stranger'}", 303, None, path, who=who, redisplays=True)
        for path in _MINE
        for who in ("", "clerk", "supervisor")
    ),
    *(
        sent(f"{path}, sent by {who or 'a stranger'}", 401, "unauthenticated", path, who=who, redisplays=True)
        for path in _MINE_SENT
        for who in ("", "clerk")
    ),
    seen(
        "a holder's page with a session made up",
        303,
        None,
        "/mine",
        who="",
        headers={"Cookie": "cunzheng_holder={mark}"},
    ),
    seen(
        "coming back from nowhere",
        404,
        "sign-in-not-offered",
        "/mine/back",
        who="",
        query={"state": "{mark}", "code": "{mark}"},
        redisplays=True,
    ),
]

HOLDINGS: list[Visit] = [*CODES, *COPIES, *SHOWN, *SUBSCRIPTIONS, *OBJECTIONS, *HOLDERS]
