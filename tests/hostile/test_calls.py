# SPDX-License-Identifier: Apache-2.0
"""Hostile calls to the interface: each has its stable answer; the ground watches the rest."""

import json
from typing import Any

import pytest

from portal.web.facade_answers import facade_at

from . import (
    calls_addresses,
    calls_bodies,
    calls_facades,
    calls_headers,
    calls_licences,
    calls_tokens,
    ladder,
)
from .calls import Call, filled
from .ground import Ground, address_is_free_of, mark_of, nothing_told

CASES = [
    *calls_bodies.SHAPES,
    *calls_bodies.CHARACTERS,
    *calls_bodies.TIMES,
    *calls_addresses.NUMBERS,
    *calls_addresses.IDENTITY,
    *calls_addresses.ADDRESSES,
    *calls_headers.GAMES,
    *calls_addresses.PROOFS,
    *calls_facades.FACADES,
    *ladder.CALLS,
    *calls_facades.LOOKUPS,
    *calls_facades.DISPUTES,
    *calls_facades.SERVICES,
    *calls_licences.LICENCES,
    *calls_tokens.CALLS,
]


def sent(ground: Ground, call: Call, mark: str) -> Any:
    raw = (
        call.raw if call.raw is not None else json.dumps(call.body).encode() if call.body is not None else b""
    )
    return ground.app.test_client().open(
        filled(call.path, mark),
        method=filled(call.method, mark),
        query_string=filled(call.query, mark) or None,
        headers=ground.bearer(call.who) | filled(call.headers, mark),
        data=filled(raw, mark),
        environ_overrides=filled(call.environ, mark),
    )


def code_of(answer: Any) -> str | None:
    """Give the code of a problem; ``None`` for an answer."""
    refused = answer.mimetype == "application/problem+json" or (answer.is_json and "error" in answer.json)
    return str(answer.json["code"]) if refused else None


@pytest.mark.parametrize("call", CASES, ids=lambda call: call.name)
def test_a_hostile_call(ground: Ground, call: Call) -> None:
    mark = mark_of(call.name)
    with ground.watched(mark, call.acts):
        answer = sent(ground, call, mark)
        told = f"{answer.headers}\n{answer.text}"
        assert (answer.status_code, code_of(answer)) == (call.status, call.code), told[-300:]
        if call.result is not None:
            facade = facade_at(call.path)
            assert facade is not None
            assert int(answer.json["head"][facade.head.code]) == call.result
    if call.code is not None or call.result is not None:
        assert len(answer.data) < 20_000
        nothing_told(mark, told, "the answer")
    assert address_is_free_of(told, f"{mark}.invalid")
