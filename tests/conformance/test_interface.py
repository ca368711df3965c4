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
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from running import Site

from portal.demo.script import Script

pytestmark = [pytest.mark.conformance, pytest.mark.slow]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CALLS_PER_OPERATION = 25
WITHIN_SECONDS = 900
_REFUSALS = """[checks.negative_data_rejection]
expected-statuses = [
  "400", "401", "403", "404", "405", "406", "409",
  "413", "414", "415", "422", "429", "431",
]
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a run."""

    code: int
    said: str
    calls: int
    report: str

    def good(self, path: str) -> bool:
        """Tell whether a call to this address of the description was answered with what was asked for."""
        lines = self.report.replace(" ", "").splitlines()
        return any(path in line and '"status_code":200' in line for line in lines)


def _open_case() -> dict[str, Any]:
    return next(one.data() for one in Script.load().cases if one.expect["state"] == "open")


def _headers(site: Site) -> Mapping[str, str]:
    """Give what the demonstration's acceptance system sends, on the basis of its open case."""
    cast = json.loads((site.data / "demo-cast.json").read_bytes())
    open_case = _open_case()
    return {
        "Authorization": f"Bearer {cast['key']}",
        "Access-Operator": cast["accounts"]["clerk"],
        "Access-Case": f"{open_case['source']}/{open_case['number']}",
        "Access-Item": open_case["item"]["code"],
        "Access-Purpose": "accept",
    }


def judged(site: Site, folder: Path, location: str, *options: str, operations: str = "") -> Judgement:
    (folder / "schemathesis.toml").write_text(_REFUSALS + operations, encoding="utf-8")
    report = folder / "report.ndjson"
    headers = [f"--header={name}: {value}" for name, value in _headers(site).items()]
    done = subprocess.run(
        [
            SCHEMATHESIS,
            "run",
            location,
            f"--url={site.address}",
            "--exclude-checks=positive_data_acceptance",
            "--generation-deterministic",
            "--request-timeout=60",
            "--warnings=off",
            "--no-color",
            f"--report-ndjson-path={report}",
            *headers,
            *options,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_SECONDS,
    )
    told = report.read_text("utf-8") if report.exists() else ""
    return Judgement(done.returncode, done.stdout + done.stderr, told.count('"status_code"'), told)


def test_the_interface_does_what_its_description_says(site: Site, tmp_path: Path) -> None:
    done = judged(site, tmp_path, f"{site.address}/openapi.json", f"--max-examples={CALLS_PER_OPERATION}")
    assert done.code == 0, done.said[-12_000:]
    assert done.calls > 1000, "so few calls judge nothing"
    described = _answer(site, "/openapi.json")["paths"]
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
    shown = _answer(site, f"/api/v1/cases/{filed['source']}/{filed['number']}")
    hits = _answer(site, f"/api/v1/search?{urlencode({'q': '营业执照'})}")["hits"]
    # The access is based on the open case, whose holder's licences may be read and nobody else's.
    holder = _open_case()["holder"]["code"]
    licence = next(hit["number"] for hit in hits if hit["kind"] == "licence" and holder in hit["number"])
    return {
        "/api/v1/cases": {},
        "/api/v1/cases/{source}/{number}": case,
        "/api/v1/dossiers/{dossier}": {"path.dossier": shown["dossier"]},
        "/api/v1/licences/{identifier}": {"path.identifier": licence},
        "/api/v1/search": {"query.q": "食品"},
        "/api/v1/ledger/checkpoint": {},
        "/.well-known/jwks.json": {},
    }


def _answer(site: Site, path: str) -> Any:
    request = Request(site.address + path, headers=dict(_headers(site)))
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


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
    described = _answer(site, "/openapi.json")
    found = described
    for step in place[:-1]:
        found = found[step]
    found[place[-1]] = wrong
    (tmp_path / "openapi.json").write_text(json.dumps(described), encoding="utf-8")
    done = judged(
        site, tmp_path, str(tmp_path / "openapi.json"), f"--include-path={place[1]}", "--max-examples=2"
    )
    assert done.code == 1, done.said
