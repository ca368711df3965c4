# SPDX-License-Identifier: Apache-2.0
"""What only systems with a key pair may call, judged by its description: each call is signed as it leaves.

With the shared key of ``test_interface.py`` these addresses do no more than refuse.
"""

import json
import shutil
from pathlib import Path

import pytest
from calling import Outside
from judging import GOOD_ELSEWHERE, NEED_A_TOKEN, judged, open_case, readable_licence
from running import Site
from tooling import ROOT

pytestmark = [pytest.mark.conformance, pytest.mark.slow]
HOOK = ROOT / "tests" / "support" / "signing_hook.py"
CALLS_PER_OPERATION = 10


def test_what_must_be_signed_does_what_its_description_says(site: Site, tmp_path: Path) -> None:
    caller, case = Outside.of(site.address, site.data), open_case()
    question = {
        "case": {"source": case["source"], "number": case["number"]},
        "item": case["item"]["code"],
        "purpose": caller.purpose,
        "requirements": [],
        "subjects": [],
    }
    environment = {
        "SCHEMATHESIS_HOOKS": str(shutil.copy(HOOK, tmp_path)),
        "CALLER_TOKEN": caller.token(),
        "CALLER_KEY": str(site.data / "demo-client.jwk"),
        "CALLER_QUESTION": json.dumps(question),
        "CALLER_LICENCE": readable_licence(site),
    }
    done = judged(
        site,
        tmp_path,
        f"{site.address}/openapi.json",
        f"--max-examples={CALLS_PER_OPERATION}",
        *(f"--include-path={path}" for path in NEED_A_TOKEN),
        bearer=environment["CALLER_TOKEN"],
        environment=environment,
    )
    assert done.code == 0, done.said[-12_000:]
    refused = {path for path in NEED_A_TOKEN if not done.good(path)}
    assert refused - set(GOOD_ELSEWHERE) == set(), "each was answered, not only refused"
