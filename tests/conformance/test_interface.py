# SPDX-License-Identifier: Apache-2.0
"""The whole interface as schemathesis judges it by its own description: no finding.

Every check but ``positive_data_acceptance``: the description states the form of a call, and a call of good
form may still be refused, because the case is unknown, closed, of another department or another system's.
Which of these it is cannot be said in a schema, and permission comes before existence. The tests of the rooms
say what is accepted. Calls are the same in every run.

A call that breaks the description must be refused, and 413, 414 and 431 count as refusals too: the size of a
call is judged before its form.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from judging import answer_of, judged, readable_licence
from running import Site

from portal.demo.script import Script

pytestmark = [pytest.mark.conformance, pytest.mark.slow]
CALLS_PER_OPERATION = 25


def test_the_interface_does_what_its_description_says(site: Site, tmp_path: Path) -> None:
    done = judged(site, tmp_path, f"{site.address}/openapi.json", f"--max-examples={CALLS_PER_OPERATION}")
    assert done.code == 0, done.said[-12_000:]
    assert done.calls > 1000, "so few calls judge nothing"
    described = answer_of(site, "/openapi.json")["paths"]
    operations = [f"{method.upper()} {path}" for path, known in described.items() for method in known]
    assert [one for one in operations if json.dumps(one) not in done.report] == [], "each was called"


def test_answers_about_what_is_there_have_the_form_that_is_described(site: Site, tmp_path: Path) -> None:
    """Made-up numbers are refused; here every address names something that the demonstration holds."""
    known = _known(site)
    operations = "".join(
        f'[[operations]]\ninclude-path = "{path}"\n[operations.parameters]\n{_toml(values)}\n'
        for path, values in known.items()
    )
    only = [f"--include-path={path}" for path in known]
    done = judged(
        site,
        tmp_path,
        f"{site.address}/openapi.json",
        "--mode=positive",
        "--max-examples=4",
        *only,
        operations=operations,
    )
    assert done.code == 0, done.said[-12_000:]
    answered = {path for path in known if done.good(path)}
    assert answered == set(known), "each was answered, not only refused"


def _toml(values: Mapping[str, str]) -> str:
    return "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in values.items())


def _known(site: Site) -> dict[str, dict[str, str]]:
    """Give for each address the parameters that name something."""
    filed = Script.load().case("01-firm-registered").data()
    case = {"path.source": filed["source"], "path.number": filed["number"]}
    shown = answer_of(site, f"/api/v1/cases/{filed['source']}/{filed['number']}")
    return {
        "/api/v1/cases": {},
        "/api/v1/cases/{source}/{number}": case,
        "/api/v1/dossiers/{dossier}": {"path.dossier": shown["dossier"]},
        "/api/v1/licences/{identifier}": {"path.identifier": readable_licence(site)},
        "/api/v1/search": {"query.q": "食品"},
        "/api/v1/ledger/checkpoint": {},
        "/.well-known/jwks.json": {},
    }


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("paths", "/api/v1/ledger/checkpoint", "get", "responses"), {"404": {"description": "never"}}),
        (
            ("paths", "/api/v1/cases", "get", "responses", "200", "content"),
            {"application/json": {"schema": {"type": "object", "required": ["not-there"]}}},
        ),
    ],
    ids=["a status", "a schema"],
)
def test_a_description_that_is_wrong_is_found_out(
    site: Site, tmp_path: Path, place: tuple[str, ...], wrong: Any
) -> None:
    described = answer_of(site, "/openapi.json")
    found = described
    for step in place[:-1]:
        found = found[step]
    found[place[-1]] = wrong
    (tmp_path / "openapi.json").write_text(json.dumps(described), encoding="utf-8")
    done = judged(
        site, tmp_path, str(tmp_path / "openapi.json"), f"--include-path={place[1]}", "--max-examples=2"
    )
    assert done.code == 1, done.said
