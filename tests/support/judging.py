# SPDX-License-Identifier: Apache-2.0
"""The served demonstration as schemathesis judges it: who calls, with which options, and what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from running import Site

from portal.demo.script import Script

_SCHEMATHESIS: Final = str(Path(sys.executable).with_name("schemathesis"))
_WITHIN_SECONDS = 900
_REFUSALS = """[checks.negative_data_rejection]
expected-statuses = [
  "400", "401", "403", "404", "405", "406", "409",
  "413", "414", "415", "422", "429", "431",
]
"""

NEED_A_TOKEN: Final = (
    "/api/v1/authorisation-codes",
    "/api/v1/authorisation-codes/copy",
    "/api/v1/client-keys",
    "/api/v1/client-keys/{kid}/end",
    "/api/v1/cooperation",
    "/api/v1/cooperation/{rung_id}",
    "/api/v1/cooperation/{rung_id}/answer",
    "/api/v1/copies/{copy_id}/links",
    "/api/v1/licences/{identifier}/copies",
    "/api/v1/one-certificate",
    "/api/v1/proofs",
    "/api/v1/proofs/{decision_id}",
    "/api/v1/proofs/{decision_id}/bundle",
    "/api/v1/proofs/recalled",
    "/api/v1/proofs:batch",
    "/api/v1/rungs",
    "/api/v1/rungs/{rung_id}",
    "/api/v1/rungs/{rung_id}/events",
)
"""Addresses that a system with nothing but a shared key is refused at."""
GOOD_ELSEWHERE: Final = {
    "/api/v1/authorisation-codes": "tests/portal/test_chain.py",
    "/api/v1/authorisation-codes/copy": "tests/portal/test_chain.py",
    "/api/v1/cooperation": "tests/portal/test_cooperation.py",
    "/api/v1/cooperation/{rung_id}": "tests/portal/test_cooperation.py",
    "/api/v1/cooperation/{rung_id}/answer": "tests/portal/test_cooperation.py",
}
"""Those of them that take a scope or a code which the run lacks, by where they are answered."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a run."""

    code: int
    said: str
    calls: int
    report: str

    def good(self, path: str) -> bool:
        """Tell whether a call to this address of the description was answered with what was asked for."""
        return any(known == path and 200 <= status < 300 for known, status in self._answers())

    def _answers(self) -> Iterator[tuple[str, int]]:
        for line in self.report.splitlines():
            seen = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for name, call in seen.get("interactions", {}).items():
                if call.get("response"):
                    yield seen["cases"][name]["value"]["path"], call["response"]["status_code"]


def open_case() -> dict[str, Any]:
    return next(one.data() for one in Script.load().cases if one.expect["state"] == "open")


def headers_of(site: Site, bearer: str = "") -> dict[str, str]:
    """Give what the demonstration's acceptance system sends, on the basis of its open case."""
    cast = json.loads((site.data / "demo-cast.json").read_bytes())
    waiting = open_case()
    return {
        "Authorization": f"Bearer {bearer or cast['key']}",
        "Access-Operator": cast["accounts"]["clerk"],
        "Access-Case": f"{waiting['source']}/{waiting['number']}",
        "Access-Item": waiting["item"]["code"],
        "Access-Purpose": "accept",
    }


def judged(
    site: Site,
    folder: Path,
    location: str,
    *options: str,
    operations: str = "",
    bearer: str = "",
    environment: Mapping[str, str] = {},
) -> Judgement:
    """Have the interface judged by its description; ``bearer`` is used in place of the shared key."""
    (folder / "schemathesis.toml").write_text(_REFUSALS + operations, encoding="utf-8")
    report = folder / "report.ndjson"
    headers = [f"--header={name}: {value}" for name, value in headers_of(site, bearer).items()]
    done = subprocess.run(
        [
            _SCHEMATHESIS,
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
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_WITHIN_SECONDS,
    )
    told = report.read_text("utf-8") if report.exists() else ""
    return Judgement(done.returncode, done.stdout + done.stderr, told.count('"status_code"'), told)


def answer_of(site: Site, path: str) -> Any:
    request = Request(site.address + path, headers=headers_of(site))
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def readable_licence(site: Site) -> str:
    """Give the identifier of a licence of the open case's holder: those may be read and nobody else's."""
    hits = answer_of(site, f"/api/v1/search?{urlencode({'q': '营业执照'})}")["hits"]
    holder = open_case()["holder"]["code"]
    return next(str(hit["number"]) for hit in hits if hit["kind"] == "licence" and holder in hit["number"])
