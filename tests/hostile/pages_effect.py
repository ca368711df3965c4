# SPDX-License-Identifier: Apache-2.0
"""Visits of the figures of no-proof handling: days, items and places in lists that are none."""

from typing import Any, Final

from .pages import SCRIPT, Visit

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
)
