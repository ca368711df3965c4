# SPDX-License-Identifier: Apache-2.0
"""Asks veraPDF, a program we did not write, whether files are the PDF/A that they declare."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tooling import ROOT, tools_required

JARS: Final = ROOT / "build" / "verapdf"
_MAIN: Final = "org.verapdf.apps.GreenfieldCliWrapper"


@dataclass(frozen=True)
class Judgement:
    """What veraPDF says of one file.

    Attributes:
        passed: The file conforms to the level it declares.
        profile: The profile it was judged by, such as ``PDF/A-3B validation profile``; empty if unreadable.
        rules: The broken rules as ``clause-test``, such as ``6.2.11.4.1-1``, or ``unreadable``.
    """

    passed: bool
    profile: str
    rules: tuple[str, ...]


class VeraPdf:
    """One Java process judges any number of files: starting it costs a second, a file some milliseconds.

    Without Java, or before ``make conformance-tools``, making one skips the test (or fails it where tools are
    required).
    """

    def __init__(self) -> None:
        self._java = shutil.which("java")
        if self._java is None or not any(JARS.glob("greenfield-apps-*.jar")):
            if not tools_required():
                pytest.skip("missing tool: verapdf")
            pytest.fail("veraPDF is missing: run make conformance-tools")

    def judge(self, files: Sequence[Path], flavour: str = "0") -> dict[Path, Judgement]:
        """Judge files by the level each declares, or all by one ``flavour`` such as ``3b``."""
        command = [str(self._java), "-cp", f"{JARS}/*", _MAIN, "-f", flavour, "--format", "json"]
        named = {str(path.resolve()): path for path in files}
        done = subprocess.run(
            [*command, *named], capture_output=True, text=True, check=False, timeout=300, cwd=ROOT
        )
        judged: dict[Path, Judgement] = {}
        for job in json.loads(done.stdout)["report"]["jobs"]:
            judged[named[job["itemDetails"]["name"]]] = _judgement(job)
        missing = set(files) - set(judged)
        assert not missing, f"veraPDF said nothing about {missing}"
        return judged

    def assert_conform(self, files: Sequence[Path]) -> None:
        """Fail with the broken rules of every file that does not conform to what it declares."""
        broken = {str(path): one.rules for path, one in self.judge(files).items() if not one.passed}
        assert not broken, broken


def _judgement(job: dict[str, Any]) -> Judgement:
    results = job.get("validationResult")
    if not results:
        return Judgement(passed=False, profile="", rules=("unreadable",))
    result = results[0]
    rules = [f"{one['clause']}-{one['testNumber']}" for one in result["details"]["ruleSummaries"]]
    return Judgement(bool(result["compliant"]), result["profileName"], tuple(sorted(rules)))
