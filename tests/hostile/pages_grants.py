# SPDX-License-Identifier: Apache-2.0
"""Visits of the grants of use: by who may not, with terms that are none, about grants that are not there."""

from .pages import REFUSED, SCRIPT, Visit

_TERMS = {
    "caller": "scjg",
    "item": "339999010002",
    "editions": "every",
    "purpose": "accept",
    "ceiling": "fields",
    "quota": "10",
    "valid_from": "2026-11-24",
    "valid_until": "2099-01-01",
    "legal_basis": "{mark}",
    "reason": "{mark}",
}


def _asked(name: str, **changes: str) -> Visit:
    return Visit(
        name=name,
        status=422,
        who="system",
        path="/rights/grants/ask",
        form=_TERMS | changes,
        redisplays=True,
    )


GRANTS = (
    Visit(
        name="grants looked at by a clerk",
        status=403,
        code="not-permitted",
        who="clerk",
        path="/rights/grants",
        acts=REFUSED,
    ),
    Visit(
        name="a grant asked for by who decides",
        status=403,
        code="not-permitted",
        who="security",
        path="/rights/grants/ask",
        form=_TERMS,
        acts=REFUSED,
    ),
    Visit(
        name="a grant in the place of one that is not there",
        status=404,
        code="grant-unknown",
        who="system",
        path="/rights/grants/ask",
        query={"of": "{mark}"},
        acts=REFUSED,
        redisplays=True,
    ),
    Visit(
        name="the end of a grant that is not there",
        status=404,
        code="grant-unknown",
        who="system",
        path="/rights/grants/{mark}/end",
        form={"reason": "{mark}"},
        acts=REFUSED,
    ),
    _asked("a grant for three years and more"),
    _asked("a grant for markup", caller=SCRIPT, valid_until="2027-01-01"),
    _asked("a grant of an item made up", item="{mark}"),
    _asked("a grant for a purpose made up", purpose="{mark}", valid_until="2027-01-01"),
    _asked("a grant of a ceiling made up", ceiling="{mark}"),
    _asked("a grant of an endless quota", quota="9" * 400),
    _asked("a grant of a quota in other digits", quota="٣"),
    _asked("a grant from a day that is none", valid_from="{mark}"),
    _asked("a grant from the year zero", valid_from="0000-01-01"),
    _asked("a grant until the last day", valid_until="9999-12-31"),
    _asked("a grant for requirements made up", requirements="{mark} <b>", valid_until="2027-01-01"),
    _asked("a grant from right to left", legal_basis="{mark}\u202e", valid_until="2027-01-01"),
)
