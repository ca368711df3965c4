# SPDX-License-Identifier: Apache-2.0
"""Calls about copies, authorisation codes, subscriptions and checks that want what they may not have."""

from typing import Any

from .calls import BIDI, BROKEN, REFUSED, ZERO_WIDTH, Call
from .calls_facades import ACCESS, HIDDEN
from .ground import HOLDER, PERSON

SECRET, UNKNOWN_CODE = "A" * 22, "authorisation-code-refused"
SHAPED = "1.2.156.3005.2.11100000MB0143028R001.11339999DEM0010178.91339999MADEM0011X.001.7"
"""An identifier of good form, of no licence."""
_JSON = {"Content-Type": "application/json"}


def sent(name: str, status: int, code: str | None, path: str, body: Any = None, **more: Any) -> Call:
    """A call with a body and the headers of an open case."""
    headers = _JSON | ACCESS | more.pop("headers", {})
    acts = more.pop("acts", ())
    call = {"method": "POST", "path": path, "body": body if "raw" not in more else None} | more
    return Call(name=name, status=status, code=code, acts=acts, headers=headers, **call)


def copied(name: str, status: int, code: str, body: Any = None, **more: Any) -> Call:
    path = more.pop("path", "/api/v1/licences/{mark}/copies")
    return sent(name, status, code, path, {} if body is None else body, **more)


_COPY, _LINKS, _OUT = "/api/v1/copies/{mark}", "/api/v1/copies/{mark}/links", "/api/v1/copies/{mark}/download"
COPIES = [
    copied("a copy of nothing", 404, HIDDEN, acts=REFUSED),
    copied("a copy of what has the form of a licence", 404, HIDDEN, acts=REFUSED,
           path=f"/api/v1/licences/{SHAPED}/copies"),
    copied("a copy for another's case", 404, HIDDEN, acts=REFUSED, who="other"),
    copied("a copy for a case made up", 404, HIDDEN, acts=REFUSED, headers={"Access-Case": "ycsl/{mark}"}),
    copied("a copy for a purpose made up", 404, HIDDEN, acts=REFUSED, headers={"Access-Purpose": "{mark}"}),
    copied("a copy of an operator made up", 401, "unauthenticated", headers={"Access-Operator": "{mark}"}),
    copied("a copy without the right to read", 403, "not-permitted", acts=REFUSED, who="verifier"),
    copied("a copy of nobody", 401, "unauthenticated", who=""),
    copied("a copy for no days", 422, "invalid-input", {"days": 0}),
    copied("a copy for ever", 422, "invalid-input", {"days": 10**30}),
    copied("a copy for half a day", 422, "invalid-input", {"days": 0.5}),
    copied("a copy for a text of days", 422, "invalid-input", {"days": "{mark}"}),
    copied("a copy that names its purpose", 422, "invalid-input", {"purpose": "{mark}"}),
    copied("a copy as a list", 422, "invalid-input", ["{mark}"]),
    copied("a copy cut short", 400, BROKEN, raw=b'{"days": 1{mark}'),
    copied("a copy called text", 415, "unsupported-media", raw=b"{mark}",
           headers={"Content-Type": "text/plain"}),
    copied("a copy by an identifier of quotes", 404, HIDDEN, acts=REFUSED,
           path="/api/v1/licences/'%20OR%201=1%20--{mark}/copies"),
    copied("a copy by an identifier of ten thousand characters", 404, HIDDEN, acts=REFUSED,
           path="/api/v1/licences/{mark}" + "a" * 10_000 + "/copies"),
    sent("a copy looked at that there is not", 404, "copy-unknown", _COPY, method="GET", raw=b"",
         acts=REFUSED),
    sent("a copy looked at by nobody", 401, "unauthenticated", _COPY, method="GET", raw=b"", who=""),
    sent("a link to a copy that there is not", 404, "copy-unknown", _LINKS, raw=b"", acts=REFUSED),
    sent("a link without the right to read", 403, "not-permitted", _LINKS, raw=b"", who="verifier",
         acts=REFUSED),
    sent("a copy by a link made up", 404, "copy-link", _OUT, {"token": SECRET}, who=""),
    sent("a copy by a link with a key besides", 404, "copy-link", _OUT, {"token": SECRET}, acts=REFUSED),
    sent("a copy by a link of quotes", 422, "invalid-input", _OUT, {"token": "' OR 1=1 --{mark}"}, who=""),
    sent("a copy by a link too long", 422, "invalid-input", _OUT, {"token": SECRET + "{mark}"}, who=""),
    sent("a copy by no link", 422, "invalid-input", _OUT, {}, who=""),
    sent("a copy by a list of links", 422, "invalid-input", _OUT, {"token": [SECRET, "{mark}"]}, who=""),
    sent("a copy by a link in the address", 422, "invalid-input", _OUT, {}, query=f"token={SECRET}", who=""),
]  # fmt: skip

_CODES = "/api/v1/authorisation-codes"


def made(name: str, status: int, code: str, **changes: Any) -> Call:
    """An authorisation code that is not to be made."""
    fields = set(Call.__dataclass_fields__) | {"acts"}
    more = {key: changes.pop(key) for key in list(changes) if key in fields}
    return sent(name, status, code, _CODES, {"identifier": "{mark}", "mode": "function"} | changes, **more)


def used(name: str, status: int, code: str, body: Any, **more: Any) -> list[Call]:
    """A code that is used for both things it is good for."""
    return [
        sent(f"{name}, to {what}", status, code, f"{_CODES}/{what}", body, **more)
        for what in ("licence", "copy")
    ]


CODES = [
    made("a code for nothing", 404, HIDDEN, acts=REFUSED),
    made("a code for what has the form of a licence", 404, HIDDEN, acts=REFUSED, identifier=SHAPED),
    made("a code for another's case", 404, HIDDEN, acts=REFUSED, who="other"),
    made("a code of nobody", 401, "unauthenticated", who=""),
    made("a code without the right to read", 403, "not-permitted", acts=REFUSED, who="auditor"),
    made("a code of the holder's own kind", 422, "invalid-input", mode="own"),
    made("a code of a kind made up", 422, "invalid-input", mode="{mark}"),
    made("a code for a week too long", 422, "invalid-input", minutes=10**9),
    made("a code for a minute less than none", 422, "invalid-input", minutes=-1),
    made("a code for somebody in half", 422, "invalid-input", mode="online", party={"scheme": "111"}),
    made("a code for somebody of quotes", 422, "invalid-input", mode="online",
         party={"scheme": "111", "code": "' --{mark}"}),
    made("a code with its secret", 422, "invalid-input", secret="{mark}"),
    made("a code for what is read from right to left", 404, HIDDEN, acts=REFUSED,
         identifier=f"{BIDI}{{mark}}"),
    made("a code for what is not seen", 404, HIDDEN, acts=REFUSED, identifier=f"1.2{ZERO_WIDTH}{{mark}}"),
    *used("a code made up", 404, UNKNOWN_CODE, {"code": SECRET}, acts=REFUSED),
    *used("a code made up, by somebody named", 404, UNKNOWN_CODE, {
        "code": SECRET, "party": {"scheme": "111", "code": PERSON["code"]}}, acts=REFUSED),
    *used("a code of quotes", 422, "invalid-input", {"code": "' OR 1=1 --{mark}"}),
    *used("a code too long", 422, "invalid-input", {"code": SECRET + "{mark}"}),
    *used("a code of null", 422, "invalid-input", {"code": None}),
    *used("a code with members besides", 422, "invalid-input", {"code": SECRET, "{mark}": 1}),
    *used("a code of nobody", 401, "unauthenticated", {"code": SECRET}, who=""),
    *used("a code without the right to read", 403, "not-permitted", {"code": SECRET}, who="verifier",
          acts=REFUSED),
    *used("a code of an operator made up", 401, "unauthenticated", {"code": SECRET},
          headers={"Access-Operator": "{mark}"}),
]  # fmt: skip

_SUBSCRIPTIONS = "/api/v1/subscriptions"
_OF_NOTHING = f"{_SUBSCRIPTIONS}/{{mark}}"
_NO_SUBSCRIPTION = "subscription-unknown"


def wished(title: str, code: str, status: int = 422, **changes: Any) -> Call:
    """A subscription that is not to be had."""
    who, acts = changes.pop("who", "subscriber"), changes.pop("acts", ())
    body = {
        "name": "变更订阅",
        "types": ["11339999DEM0010178001"],
        "purpose": "oversee",
        "endpoint": "https://events.example/in",
        "reason": "{mark}",
    } | changes
    return Call(name=title, status=status, code=code, acts=acts, who=who, method="POST", path=_SUBSCRIPTIONS,
                headers=_JSON, body=body)  # fmt: skip


def fetched(name: str, status: int, code: str | None, path: str, **more: Any) -> Call:
    return Call(name=name, status=status, code=code, path=path, **({"who": "subscriber"} | more))


def ordered(name: str, status: int, code: str, path: str, **more: Any) -> Call:
    more = {"who": "subscriber", "method": "POST", "headers": _JSON, "body": {}} | more
    return Call(name=name, status=status, code=code, path=path, **more)


SUBSCRIPTIONS = [
    wished("a subscription of nobody", "unauthenticated", 401, who=""),
    wished("a subscription without the right", "not-permitted", 403, who="reader", acts=REFUSED),
    *(
        wished(f"a subscription that knocks at {where}", "endpoint-refused", endpoint=where)
        for where in (
            "http://10.0.0.1/in",
            "http://events.example/in",
            "ftp://events.example/in",
            "https://user:{mark}@events.example/in",
            "https://events.example/in#{mark}",
            "https://例子.example/{mark}",
        )
    ),
    wished("a subscription to a type made up", "subscription-terms", types=["{mark}"]),
    wished("a subscription to an item made up", "subscription-terms", items=["{mark}"]),
    wished("a subscription about what is not", "invalid-input", about="{mark}"),
    wished("a subscription about own answers", "not-permitted", 403, about="proofs", acts=REFUSED),
    wished("a subscription about questions", "not-permitted", 403, about="questions", acts=REFUSED),
    wished("a subscription for a purpose made up", "subscription-terms", purpose="curiosity"),
    wished("a subscription about a holder with a wrong digit", "subscription-terms", holders=[
        {"scheme": "001", "code": HOLDER["code"][:-1] + "0"}]),
    wished("a subscription about a name", "invalid-input", holders=[{"scheme": "001", "name": "{mark}"}]),
    wished("a subscription about everybody", "invalid-input", holders=[
        {"scheme": "001", "code": HOLDER["code"]}] * 1001),
    wished("a subscription to nothing", "invalid-input", types="{mark}"),
    wished("a subscription that names its decision", "invalid-input", state="approved"),
    wished("a subscription with a name not seen", "invalid-input", name=f"订阅{BIDI}{{mark}}"),
    fetched("a list of subscriptions of nobody", 401, "unauthenticated", _SUBSCRIPTIONS, who=""),
    fetched("a list of subscriptions without the right", 403, "not-permitted", _SUBSCRIPTIONS, who="reader",
            acts=REFUSED),
    fetched("a subscription that there is not", 404, _NO_SUBSCRIPTION, _OF_NOTHING, acts=REFUSED),
    *(
        ordered(f"a subscription that there is not, to {what}", 404, _NO_SUBSCRIPTION,
                f"{_OF_NOTHING}/{what}", acts=REFUSED)
        for what in ("secret", "end", "ping")
    ),
    *(
        ordered(f"a subscription of nobody, to {what}", 401, "unauthenticated", f"{_OF_NOTHING}/{what}",
                who="")
        for what in ("secret", "end", "ping")
    ),
    ordered("a secret that is chosen", 422, "invalid-input", f"{_OF_NOTHING}/secret",
            body={"secret": "{mark}"}),
    fetched("changes after a cursor made up", 422, "cursor", "/api/v1/licence-events", query="after={mark}"),
    fetched("changes, a million", 422, "invalid-input", "/api/v1/licence-events", query="limit=1000000"),
    fetched("changes of a subscription that there is not", 404, _NO_SUBSCRIPTION, "/api/v1/licence-events",
            query="subscription={mark}", acts=REFUSED),
    fetched("changes for nobody", 401, "unauthenticated", "/api/v1/licence-events", who=""),
    fetched("changes without the right", 403, "not-permitted", "/api/v1/licence-events", who="reader",
            acts=REFUSED),
]  # fmt: skip

_CHECK = "/api/v1/verifications/information"


def stated(name: str, status: int, code: str | None, licences: Any, **more: Any) -> Call:
    more = {"who": "", "method": "POST", "headers": _JSON, "body": {"licences": licences}} | more
    return Call(name=name, status=status, code=code, path=_CHECK, **more)


_ONE = {"identifier": "{mark}", "holder_scheme": "001", "holder_code": HOLDER["code"]}
CHECKS = [
    stated("a check of what there is not", 200, None, [_ONE]),
    stated("a check of what has the form of a licence", 200, None, [_ONE | {"identifier": SHAPED}] * 100),
    stated("a check with a wrong digit", 200, None, [_ONE | {"holder_code": "{mark}"}]),
    stated("a check of a day that there is not", 200, None, [_ONE | {"valid_until": "2026-02-30{mark}"}]),
    stated("a check of nothing", 422, "invalid-input", []),
    stated("a check of a hundred and one", 422, "invalid-input", [_ONE] * 101),
    stated("a check of a text", 422, "invalid-input", "{mark}"),
    stated("a check of a member that there is not", 422, "invalid-input", [_ONE | {"{mark}": "1"}]),
    stated("a check of a number", 422, "invalid-input", [_ONE | {"number": 7}]),
    stated("a check of ten thousand characters", 422, "invalid-input", [_ONE | {"number": "{mark}" * 1000}]),
    stated("a check with a key made up", 401, "unauthenticated", [_ONE],
           headers=_JSON | {"Authorization": "Bearer {mark}"}),
    stated("a check cut short", 400, BROKEN, None, body=None, raw=b'{"licences": [{mark}'),
]  # fmt: skip


def read(name: str, status: int, code: str | None, path: str, **more: Any) -> Call:
    return Call(name=name, status=status, code=code, path=path, **({"who": ""} | more))


PUBLISHED = [
    read("a type that there is not", 404, "not-found", "/api/v1/catalog/licence-types/{mark}"),
    read("a version that there is not", 404, "not-found",
         "/api/v1/catalog/licence-types/11339999DEM0010178001/versions/{mark}"),
    read("types by a filter that there is not", 200, None, "/api/v1/catalog/licence-types", query="{mark}=1"),
    read("rules with a question", 200, None, "/api/v1/catalog/rules", query="{mark}=1"),
    read("a rule by a digest made up", 404, "not-found", "/api/v1/catalog/rules/{mark}"),
    read("a rule by a path", 404, "not-found", "/api/v1/catalog/rules/..%2f..%2f{mark}"),
    read("materials of an item that there is not", 404, "not-found",
         "/api/v1/catalog/items/{mark}/materials"),
    read("materials of a day that there is not", 422, "invalid-input",
         "/api/v1/catalog/items/339999010002/materials", query="on={mark}"),
    read("a directory with a question", 200, None, "/api/v1/directory", query="{mark}=1"),
    read("a status list of a time that there is not", 422, "invalid-input", "/api/v1/status-lists/licences",
         query="time={mark}"),
    read("a status list of tomorrow", 422, "invalid-input", "/api/v1/status-lists/licences",
         query="time=99999999999"),
    read("keys by a method made up", 405, "method-not-allowed", "/.well-known/jwks.json", method="DELETE"),
    read("keys with a question", 200, None, "/.well-known/jwks.json", query="{mark}=1"),
    read("a checkpoint with a question", 404, "not-found", "/api/v1/ledger/checkpoint",
         query="{mark}=1"),
]  # fmt: skip

LICENCES = [*COPIES, *CODES, *SUBSCRIPTIONS, *CHECKS, *PUBLISHED]
