# SPDX-License-Identifier: Apache-2.0
"""Visits of figures and unusual queries: days, items, places in lists and patterns that are none."""

from typing import Any, Final

from .pages import EXPIRED, REFUSED, SCRIPT, Visit

PLACE: Final = "/supervision/effect"


def _seen(name: str, path: str, status: int = 422, code: str | None = "invalid-input", **query: str) -> Visit:
    more: dict[str, Any] = {"query": query, "who": "supervisor", "redisplays": True}
    return Visit(name=name, status=status, code=code, path=PLACE + path, **more)


EFFECT = (
    _seen("figures since markup", "", **{"from": SCRIPT, "until": "2026-11-01"}),
    _seen("figures until a mark", "", **{"from": "2026-11-01", "until": "{mark}"}),
    _seen("figures of a thousand years", "", **{"from": "1026-11-01", "until": "2026-11-01"}),
    _seen("figures of the year zero", "", **{"from": "0000-01-01", "until": "0000-01-02"}),
    _seen("figures of the first day", "", **{"from": "0001-01-01", "until": "0001-01-02"}),
    _seen("figures of the last day", "", **{"from": "9999-12-31", "until": "9999-12-31"}),
    *(
        _seen(f"a table of {name} since markup", f"/{name}.csv", **{"from": SCRIPT, "until": SCRIPT})
        for name in ("answers", "collected", "cooperation", "commitments")
    ),
    _seen("proofs of a verdict made of markup", "/proofs", verdict=SCRIPT),
    _seen("proofs of an item made of markup", "/proofs", 200, None, verdict="established", item=SCRIPT),
    _seen("proofs after a mark", "/proofs", code="cursor", verdict="established", after="{mark}"),
    Visit(
        name="an explanation of a pattern made of markup",
        status=404,
        code="pattern-unknown",
        path="/supervision/patterns",
        who="supervisor",
        form={"pattern": SCRIPT, "actor": "{mark}", "operator": SCRIPT, "reason": SCRIPT},
        acts=REFUSED,
    ),
    Visit(
        name="an explanation without a pattern",
        status=404,
        code="pattern-unknown",
        path="/supervision/patterns",
        who="supervisor",
        form={"reason": "\0"},
        acts=REFUSED,
    ),
    Visit(
        name="an explanation by who does not supervise",
        status=403,
        code="not-permitted",
        path="/supervision/patterns",
        who="clerk",
        form={"pattern": "burst", "actor": "{mark}", "reason": "x"},
        acts=REFUSED,
    ),
    Visit(
        name="a forged explanation",
        status=403,
        code=EXPIRED,
        path="/supervision/patterns",
        who="supervisor",
        token="none",
        form={"pattern": "burst", "actor": "x", "reason": "x"},
    ),
)
