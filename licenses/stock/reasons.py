# SPDX-License-Identifier: Apache-2.0
"""Why a record of the stock was taken with a remark, quarantined or rejected: stable codes, as data.

A code is never renamed or given another meaning: reports and quarantined records keep theirs.
"""

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


class Verdict(enum.StrEnum):
    """What becomes of a record; the gravest reason decides."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


_GRAVITY = {Verdict.ACCEPTED: 0, Verdict.QUARANTINED: 1, Verdict.REJECTED: 2}


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as people read it.

    Attributes:
        code: Stable code.
        verdict: What becomes of a record for which it holds.
        kind: Number of the kind of defect, 1 to 12; 0 for what is none of these.
    """

    code: str
    verdict: Verdict
    kind: int
    zh: str
    en: str


@cache
def stock_reasons() -> Mapping[str, Reason]:
    """Read the table of reasons."""
    text = resources.files("licenses").joinpath("data/stock_reasons.json").read_text("utf-8")
    rows = [
        Reason(row["code"], Verdict(row["verdict"]), row["kind"], row["zh"], row["en"])
        for row in json.loads(text)["reasons"]
    ]
    return {row.code: row for row in rows}


def verdict_of(codes: Iterable[str]) -> Verdict:
    """Give what becomes of a record for which these reasons hold."""
    table = stock_reasons()
    return max((table[code].verdict for code in codes), key=_GRAVITY.__getitem__, default=Verdict.ACCEPTED)


def first_of(codes: Iterable[str], verdict: Verdict) -> str:
    """Give the first reason that has this verdict."""
    table = stock_reasons()
    return next(code for code in codes if table[code].verdict is verdict)
