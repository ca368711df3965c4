# SPDX-License-Identifier: Apache-2.0
"""Staged uploads: a web process that starts removes what dead processes left, and nothing of living ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from portal.web import uploads
from portal.web.uploads import StagedFile, sweep

LIVING = """
import sys
from pathlib import Path
from portal.web.uploads import StagedFile
staged = StagedFile(Path(sys.argv[1]) / "upload-living")
staged.write(b"half of it")
print("staged", flush=True)
sys.stdin.read()
"""


def test_what_another_living_process_is_receiving_stays_until_that_process_is_dead(tmp_path: Path) -> None:
    (tmp_path / "upload-left").write_bytes(b"left by a dead process")
    with subprocess.Popen(
        [sys.executable, "-c", LIVING, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"staged\n"
        assert sweep(tmp_path) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["upload-living"]
        other.kill()
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_a_sweep_meets_before_its_lock_is_made_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, swept = uploads.fcntl.flock, []

    def swept_first(handle: object, how: int) -> None:
        if not swept:
            swept.append("")
            swept.append(str(sweep(tmp_path)))
        lock(handle, how)  # type: ignore[arg-type] # whatever the product locks

    monkeypatch.setattr(uploads.fcntl, "flock", swept_first)
    with StagedFile(tmp_path / "upload-new") as staged:
        staged.write(b"whole")
        assert swept == ["", "1"]
        assert staged.path.read_bytes() == b"whole"
