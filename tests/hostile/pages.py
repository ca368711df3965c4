# SPDX-License-Identifier: Apache-2.0
"""A hostile visit of a page as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SCRIPT = '"><script>{mark}</script>'


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit.

    Attributes:
        name: Unique; says what is tried.
        status: The answer's status.
        code: The stable code that the page of an error names; ``None`` for another page.
        acts: Kinds of act that it leaves.
        who: A session of the ground; empty for a stranger.
        path: The address; ``{used}``, ``{old}`` and ``{fresh}`` are login links.
        form: Fields that are sent; ``None`` for a visit that only reads.
        token: Whose form is sent: ``own``, of a ``stranger``, of another ``session``, ``none``, or ``empty``.
        cookie: Whether the browser has the cookie that belongs to the form.
        files: Names of files that are sent, with their bytes.
        redisplays: The page shows what was typed, or links to its own address in the other language: then it
            may come back, but never as markup.
    """

    name: str
    status: int
    code: str | None = None
    acts: tuple[str, ...] = ()
    who: str = ""
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    token: str = "own"
    cookie: bool = True
    files: Sequence[tuple[str, bytes]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    redisplays: bool = False


EXPIRED = "form-expired"
REFUSED = ("access.refused",)
ASK = {"number": "OPEN-1", "purpose": "accept"}


def ask(name: str, **more: object) -> Visit:
    """A clerk's question that is not to be taken."""
    return Visit(
        **{"name": name, "status": 403, "code": EXPIRED, "who": "clerk", "path": "/window/ask", "form": ASK}
        | more
    )


FORGED = [
    ask("a question without a token", token="none"),
    ask("a question with an empty token", token="empty"),
    ask("a question with a token made up", token="none", form=ASK | {"form_token": "{mark}" + "0" * 46}),
    ask("a question with a token that is no ASCII", token="none", form=ASK | {"form_token": "令{mark}"}),
    ask("a question with a stranger's token", token="stranger"),
    ask("a question with another session's token", token="archivist"),
    ask("a question without the cookie", cookie=False),
    ask(
        "a question from another site",
        token="none",
        headers={
            "Origin": "http://{mark}.invalid",
            "Referer": "http://{mark}.invalid/",
            "Sec-Fetch-Site": "cross-site",
        },
    ),
    ask("a question that calls itself JSON", token="none", headers={"Content-Type": "application/json"}),
    Visit(
        name="signing somebody out from elsewhere",
        status=403,
        code=EXPIRED,
        who="clerk",
        path="/sign-out",
        form={},
        token="none",
    ),
    Visit(
        name="ending somebody's sessions from elsewhere",
        status=403,
        code=EXPIRED,
        who="clerk",
        path="/account/sessions",
        form={},
        token="stranger",
    ),
    Visit(
        name="a check from elsewhere",
        status=403,
        code=EXPIRED,
        path="/verify",
        form={},
        token="none",
        files=[("{mark}.pdf", b"%PDF-1.7")],
    ),
    Visit(
        name="a licence list from elsewhere",
        status=403,
        code=EXPIRED,
        who="clerk",
        path="/window/decisions/{mark}/licences",
        form={},
        token="none",
        redisplays=True,
    ),
    Visit(
        name="a search list from elsewhere",
        status=403,
        code=EXPIRED,
        who="archivist",
        path="/search/export",
        form={"q": "食品"},
        token="stranger",
    ),
    Visit(
        name="a search list by somebody who may only look",
        status=403,
        code="not-permitted",
        acts=REFUSED,
        who="clerk",
        path="/search/export",
        form={"q": "{mark}"},
    ),
    Visit(
        name="a login link pressed from elsewhere",
        status=403,
        code=EXPIRED,
        path="/sign-in/{fresh}",
        form={},
        token="none",
    ),
]

SESSIONS = [
    Visit(name="a desk by a stranger", status=303, path="/archive"),
    Visit(
        name="a desk with a session made up",
        status=303,
        path="/archive",
        headers={"Cookie": "cunzheng_session={mark}"},
    ),
    Visit(
        name="a desk with a session of NUL",
        status=303,
        path="/archive",
        headers={"Cookie": "cunzheng_session=%00"},
    ),
    Visit(
        name="a desk with two sessions",
        status=303,
        path="/archive",
        headers={"Cookie": "cunzheng_session={mark}; cunzheng_session={mark}2"},
    ),
    Visit(name="a desk with a session that ended", status=303, who="signed-out", path="/window"),
    Visit(name="a desk with a session out of date", status=303, who="expired", path="/window"),
    Visit(
        name="a form with a session that ended",
        status=401,
        code="unauthenticated",
        who="signed-out",
        path="/window/ask",
        form=ASK,
    ),
    Visit(name="another desk", status=403, code="not-permitted", who="clerk", path="/archive", acts=REFUSED),
    Visit(
        name="a form of another desk",
        status=403,
        code="not-permitted",
        who="archivist",
        path="/window/ask",
        form=ASK,
        acts=REFUSED,
    ),
    Visit(
        name="a key of a system on a page",
        status=401,
        code="unauthenticated",
        path="/archive",
        headers={"Authorization": "Bearer {mark}"},
    ),
    Visit(
        name="a login link used before", status=410, code="login-link-spent", path="/sign-in/{used}", form={}
    ),
    Visit(
        name="a login link out of date", status=410, code="login-link-spent", path="/sign-in/{old}", form={}
    ),
    Visit(
        name="a login link made up",
        status=410,
        code="login-link-spent",
        path="/sign-in/{mark}",
        form={},
        redisplays=True,
    ),
    Visit(
        name="a login link of ten thousand characters",
        status=410,
        code="login-link-spent",
        path="/sign-in/{mark}" + "a" * 10_000,
        form={},
        redisplays=True,
    ),
    Visit(
        name="a login link that is an injection",
        status=410,
        code="login-link-spent",
        path="/sign-in/'%20OR%201=1%20--{mark}",
        form={},
        redisplays=True,
    ),
    Visit(
        name="a login link opened by a scanner of mail", status=200, path="/sign-in/{fresh}", redisplays=True
    ),
    Visit(
        name="rights looked at by a clerk",
        status=403,
        code="not-permitted",
        who="clerk",
        path="/rights",
        acts=REFUSED,
    ),
    Visit(
        name="rights asked for by who decides",
        status=403,
        code="not-permitted",
        who="security",
        path="/rights/ask",
        form={"kind": "account-add", "name": "{mark}"},
        acts=REFUSED,
    ),
    Visit(
        name="a change of rights of no kind",
        status=422,
        code="invalid-input",
        who="system",
        path="/rights/ask",
        form={"kind": "{mark}"},
    ),
    Visit(
        name="a role that is no person's",
        status=422,
        code=None,
        who="system",
        path="/rights/ask",
        form={
            "kind": "account-add",
            "name": "x",
            "organisation": "scjg",
            "role": "system",
            "reason": "{mark}",
        },
        redisplays=True,
    ),
    Visit(
        name="a new person written from right to left",
        status=422,
        code=None,
        who="system",
        path="/rights/ask",
        form={
            "kind": "account-add",
            "name": "{mark}\u202e",
            "organisation": "scjg",
            "role": "clerk",
            "reason": "x",
        },
        redisplays=True,
    ),
    Visit(
        name="ending an account that is not there",
        status=404,
        code="account-unknown",
        who="system",
        path="/rights/ask",
        form={"kind": "account-end", "of": "{mark}", "reason": "x"},
        acts=REFUSED,
    ),
    Visit(
        name="a decision that is none",
        status=422,
        code="invalid-input",
        who="security",
        path="/rights/x/decision",
        form={"decision": "{mark}", "reason": "x"},
    ),
    Visit(
        name="a decision on no change",
        status=404,
        code="change-unknown",
        who="security",
        path="/rights/{mark}/decision",
        form={"decision": "approve", "reason": "x"},
        acts=REFUSED,
        redisplays=True,
    ),
    Visit(
        name="a decision from another site",
        status=403,
        code="form-expired",
        who="security",
        path="/rights/x/decision",
        form={"decision": "approve", "reason": "{mark}"},
        token="none",
    ),
    Visit(
        name="editions looked at by a clerk",
        status=403,
        code="not-permitted",
        who="clerk",
        path="/editions",
        acts=REFUSED,
    ),
    Visit(
        name="a decision on no edition",
        status=404,
        code="edition-unknown",
        who="security",
        path="/editions/{mark}/decision",
        form={"decision": "approve", "reason": "x"},
        acts=REFUSED,
        redisplays=True,
    ),
    Visit(
        name="a decision on an edition that is none",
        status=422,
        code="invalid-input",
        who="security",
        path="/editions/x/decision",
        form={"decision": "{mark}", "reason": "x"},
    ),
    Visit(name="signing out with no session", status=401, code="unauthenticated", path="/sign-out", form={}),
]
