# SPDX-License-Identifier: Apache-2.0
"""What a killed process left in a folder of files from outside is removed; what somebody works in is not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from documents.sandbox import Sandbox
from documents.workrooms import opened, sweep

_OLD = 1_700_000_000


def aged(folder: Path) -> Path:
    os.utime(folder, (_OLD, _OLD))
    return folder


def killed(scratch: Path) -> Path:
    """Let a process be killed while a workroom of it is open; gives what it left."""
    program = (
        "import sys, time; from pathlib import Path; from documents.workrooms import opened\n"
        "with opened(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'source').write_text('in clear'); print(folder, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(scratch)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        assert sweep(scratch) == 0
        assert sweep_of_old(scratch, left) == 0, "it lives, and works there"
        process.send_signal(signal.SIGKILL)
    return left


def sweep_of_old(scratch: Path, folder: Path) -> int:
    aged(folder)
    return sweep(scratch)


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = killed(tmp_path)
    assert (left / "source").read_text() == "in clear"
    other = tmp_path / "jobs"
    other.mkdir()
    with opened(tmp_path) as mine:
        aged(mine)
        assert sweep_of_old(tmp_path, left) == 1
        assert mine.is_dir()
    assert [one.name for one in tmp_path.iterdir()] == ["jobs"]


def test_a_young_folder_may_still_become_somebody_s(tmp_path: Path) -> None:
    (tmp_path / "cunzheng-young").mkdir()
    assert sweep(tmp_path) == 0


def test_a_link_in_the_place_of_a_folder_leads_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (tmp_path / "cunzheng-link").symlink_to(target)
    aged(target)
    assert sweep(tmp_path) == 0
    assert target.is_dir()


def test_whoever_opens_a_workroom_looks_for_what_was_left(tmp_path: Path) -> None:
    left = aged(killed(tmp_path))
    with Sandbox(scratch=tmp_path).workroom():
        assert not left.exists()
