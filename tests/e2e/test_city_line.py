# SPDX-License-Identifier: Apache-2.0
"""The demonstration's whole line on the real servers ends with the same figures as on the embedded parts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from parts import POSTGRESQL, city_settings
from tooling import ROOT

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no PostgreSQL server"),
]


def test_the_line_ends_with_the_same_figures_on_real_servers(tmp_path: Path) -> None:
    plain = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "CUNZHENG_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", "demo", "--once"],
        cwd=ROOT,
        env=plain | city_settings(tmp_path),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    # The script states every figure; the command ends 0 only when each of them closes.
    assert done.returncode == 0, done.stdout + done.stderr
    for embedded in ("cunzheng.db", "index.db", "objects"):
        assert not (tmp_path / "data" / embedded).exists(), embedded
