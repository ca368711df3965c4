# SPDX-License-Identifier: Apache-2.0
"""Builds and asks the Go program that judges our ledger's formats with the Go project's own packages."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest
from tooling import ROOT, tools_required

_SOURCE: Final = ROOT / "tests" / "conformance" / "go"
_BUILT: Final = ROOT / "build" / "gojudge"


def build() -> Path:
    """Give the program, built anew when its source is newer; without a Go tool chain the test is skipped."""
    newest = max(path.stat().st_mtime for path in _SOURCE.iterdir())
    if _BUILT.exists() and _BUILT.stat().st_mtime >= newest:
        return _BUILT
    found = subprocess.run(
        [ROOT / "scripts" / "go.sh"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode != 0 and not tools_required():
        pytest.skip("missing tool: go")
    assert found.returncode == 0, found.stderr
    _BUILT.parent.mkdir(exist_ok=True)
    fresh = _BUILT.with_name(f"gojudge.{os.getpid()}")
    command = [found.stdout.strip(), "build", "-o", str(fresh), "."]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    built = subprocess.run(command, cwd=_SOURCE, capture_output=True, text=True, env=environment, check=False)
    assert built.returncode == 0, built.stderr
    return fresh.rename(_BUILT)


def judge(command: str, vkey: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Ask for a verdict: return code 0 = accepted, 1 = refused; ``command`` is checkpoint or receipt."""
    return subprocess.run(
        [build(), command, vkey, file], capture_output=True, text=True, check=False, timeout=60
    )
