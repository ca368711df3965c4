# SPDX-License-Identifier: Apache-2.0
"""What schemathesis loads so that its calls are a calling system's: each is signed as it leaves.

A call that goes without the token, or with another one, leaves as it is: then the refusal is the point. Every
second call of good form asks about what is there, and goes on with the decisions, rungs, copies and keys that
earlier answers named; numbers that are made up end at the first look.

Loaded as a program's plug-in, never imported by a test: the module's state is that of one run.
"""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import schemathesis

from portal.asking.signing import CallerKey

_TOKEN = os.environ["CALLER_TOKEN"]
_KEY = CallerKey.read(Path(os.environ["CALLER_KEY"]))
_QUESTION: dict[str, Any] = json.loads(os.environ["CALLER_QUESTION"])
_LICENCE = os.environ["CALLER_LICENCE"]
_known: dict[str, str] = {"identifier": _LICENCE, "kid": _KEY.kid}
"""What stands in an address or a body, by the name of its place."""
_count = 0


class _Signed(requests.auth.AuthBase):
    """Signs the call as it is sent: the body is final by now."""

    def __call__(self, sent: requests.PreparedRequest) -> requests.PreparedRequest:
        if sent.headers.get("Authorization") != f"Bearer {_TOKEN}" or sent.method != "POST":
            return sent
        body = sent.body or b""
        data = body.encode() if isinstance(body, str) else body
        given = {name: str(value) for name, value in sent.headers.items()}
        given.setdefault("Content-Type", "application/json")
        carried = {name: value for name, value in given.items() if name.lower().startswith("access-")}
        carried |= {"Content-Type": given["Content-Type"], "Authorization": given["Authorization"]}
        assert sent.url is not None
        sent.headers.update(_KEY.signed("POST", sent.url, carried, data, dt.datetime.now(dt.UTC)))
        return sent


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,
    case: schemathesis.Case,
    kwargs: dict[str, Any],
) -> None:
    global _count  # noqa: PLW0603 - calls of one run are counted, so that every run makes the same ones
    kwargs["auth"] = _Signed()
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    _count += 1
    if _count % 2:
        _name_what_is_there(case)


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext,
    case: schemathesis.Case,
    response: schemathesis.Response,
) -> None:
    """Remember what an answer names, for the calls after it."""
    if response.status_code not in {200, 201, 202} or "json" not in "".join(response.headers["content-type"]):
        return
    told = response.json()
    if case.path.endswith("/proofs"):
        _known["decision_id"] = _known["decision"] = told["decision"]["id"]
    elif case.path.endswith("/rungs"):
        _known["rung_id"] = told["rung"]["id"]
    elif case.path.endswith("/copies"):
        _known["copy_id"] = told["id"]


def _name_what_is_there(case: schemathesis.Case) -> None:
    for name in case.path_parameters:
        if name in _known:
            case.path_parameters[name] = quote(_known[name])
    body = case.body
    if not isinstance(body, dict):
        return
    for question in body.get("questions", [body]):
        if "case" in question:
            question.update(_QUESTION)
            question.pop("holder", None)
    if "decision" in body and "decision" in _known:
        body["decision"] = _known["decision"]
