# SPDX-License-Identifier: Apache-2.0
"""No address is forgotten: each is described and attacked, or named here with what is known of it instead.

The interface as a whole is attacked a second time, by its own description, in
``tests/conformance/test_interface.py``, which leaves nothing of the description out.
"""

import re
from collections.abc import Iterable

import pytest
from flask import Flask
from judging import NEED_A_TOKEN
from tooling import ROOT
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from portal.accounts.models import SCOPES
from portal.web.access import rule_of
from storage.identity import Identity, Role

from . import test_calls, test_pages
from .ground import Ground

ELSEWHERE = {
    "POST /api/v1/cases/{source}/{number}/filings": "tests/hostile/test_filings.py",
    "POST /api/v1/cases/{source}/{number}/supplements": "tests/hostile/test_filings.py, the same view",
    "POST /api/v1/verifications": "tests/hostile/test_checked_files.py",
    "POST /editions": "tests/hostile/test_editions.py",
    "POST /editions/rules": "tests/hostile/test_editions.py",
    "POST /account/password": "tests/portal/test_passwords.py",
    "GET /account/password": "tests/portal/test_passwords.py",
    "POST /sign-in": "tests/portal/test_passwords.py",
    "POST /archive/selection/packages": "tests/portal/test_selection.py",
    "GET /archive/selection": "tests/portal/test_selection.py",
    "GET /mine/begin": "tests/portal/test_citizen_sign_in.py",
    "GET /dossiers/{dossier}/members/{member}/pages": "tests/portal/test_leaves.py",
    "GET /dossiers/{dossier}/members/{member}/pages/{page}": "tests/portal/test_leaves.py",
}
"""Attacked in a suite of its own."""
NOTHING_TO_SEND = {
    "GET /",
    "GET /catalog/licence-types",
    "GET /healthz",
    "GET /mine/sign-in",
    "GET /openapi.json",
    "GET /readyz",
    "GET /receipts/policy",
    "GET /rights/ask",
    "GET /sign-in",
    "GET /supervision",
    "GET /supervision/days.csv",
    "GET /supervision/effect/patterns.csv",
    "GET /supervision/late",
    "GET /supervision/patterns",
}
"""Pages without a form, a part of the address that may vary, or a question that is read."""


def operations(app: Flask) -> set[str]:
    """Give every method and address that the application answers, as its description writes them."""
    return {
        f"{method} {_written(rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def _written(rule: Rule) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_0-9]+)>", r"{\1}", rule.rule)


def attacked(ground: Ground) -> set[str]:
    """Give those that a call or a visit of the catalogue reaches."""
    calls = [(one.method, one.path) for one in test_calls.CASES]
    visits = [("GET" if one.form is None else "POST", one.path) for one in test_pages.CASES]
    return set(_reached(ground.app, [*calls, *visits]))


def _reached(app: Flask, sent: Iterable[tuple[str, str]]) -> Iterable[str]:
    addresses = app.url_map.bind("localhost")
    for method, path in sent:
        try:
            rule, _ = addresses.match(path.replace("{", "").replace("}", ""), method=method, return_rule=True)
        except HTTPException:
            continue
        yield f"{method} {_written(rule)}"


def described(app: Flask) -> set[str]:
    paths = app.spec["paths"]  # type: ignore[attr-defined] # an APIFlask
    return {f"{method.upper()} {path}" for path, known in paths.items() for method in known}


def is_interface(operation: str) -> bool:
    """Tell whether programs call it: pages and what watches the process are for browsers and probes."""
    address = operation.partition(" ")[2]
    return address.startswith(("/api/", "/oauth/", "/.well-known/", "/elssp/"))


def test_each_address_of_the_interface_is_described(ground: Ground) -> None:
    assert {one for one in operations(ground.app) if is_interface(one)} == described(ground.app)


def test_each_address_is_attacked_or_named(ground: Ground) -> None:
    known = attacked(ground) | set(ELSEWHERE) | NOTHING_TO_SEND
    assert sorted(operations(ground.app) - known) == []


def test_no_address_is_named_in_vain(ground: Ground) -> None:
    """What is attacked, or is not there any more, is named no longer."""
    named = set(ELSEWHERE) | NOTHING_TO_SEND
    assert sorted(named & attacked(ground)) == []
    assert sorted(named - operations(ground.app)) == []
    assert not set(ELSEWHERE) & NOTHING_TO_SEND


def test_each_address_that_wants_a_key_pair_is_judged_with_signed_calls(ground: Ground) -> None:
    """The list of ``tests/conformance/test_signed_interface.py`` leaves none out."""
    system = Identity("client", "system", "", "", frozenset({Role.CLIENT}), scopes=frozenset(SCOPES))
    wanted = {
        _written(rule)
        for rule in ground.app.url_map.iter_rules()
        if rule.endpoint != "static" and rule_of(ground.app.view_functions[rule.endpoint]).needs_token(system)
    }
    assert wanted == set(NEED_A_TOKEN)


def test_nothing_that_varies_or_is_sent_is_called_nothing() -> None:
    assert [one for one in NOTHING_TO_SEND if "{" in one or not one.startswith("GET ")] == []


@pytest.mark.parametrize("named", sorted(set(ELSEWHERE.values())))
def test_each_other_suite_is_there(named: str) -> None:
    assert (ROOT / named.partition(",")[0]).is_file()
