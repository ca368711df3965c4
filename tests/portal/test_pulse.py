# SPDX-License-Identifier: Apache-2.0
"""What a container's health check learns of worker and sequencer."""

from pathlib import Path

import pytest
from fakes import HandClock
from installation import installed
from own_servers import until

from portal.pulse import SILENT_SECONDS, Pulse
from portal.worker import RENEW_SECONDS

from .conftest import run

PATIENCE = 30.0


def test_the_age_of_the_last_sign_is_told_and_each_process_gives_its_own(tmp_path: Path) -> None:
    clock = HandClock()
    worker, sequencer = (Pulse(tmp_path, name, clock) for name in ("worker", "sequencer"))
    assert worker.silent_since() is None
    worker.beat()
    clock.advance(42)
    assert worker.silent_since() == 42
    assert sequencer.silent_since() is None
    worker.beat()
    assert worker.silent_since() == 0


def test_a_worker_signs_several_times_before_it_is_taken_for_hung() -> None:
    assert RENEW_SECONDS * 3 < SILENT_SECONDS


@pytest.mark.parametrize("process", ["worker", "sequencer"])
def test_a_running_process_is_alive_and_one_that_never_ran_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], process: str
) -> None:
    with installed(tmp_path / "data") as site:
        monkeypatch.setenv("CUNZHENG_DATA", str(site.settings.data))
        assert run("alive", process, capsys=capsys)[0] == 1
        site.start(process)
        until(lambda: run("alive", process, capsys=capsys)[0] == 0, PATIENCE, f"{process} gives no sign")
