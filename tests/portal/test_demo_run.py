# SPDX-License-Identifier: Apache-2.0
"""Starting the demonstration: never two on one data folder, never somebody else's folder removed."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from running import free_port
from sqlalchemy import select

from portal import cli
from portal.bootstrap import open_rooms
from portal.demo.driver import DemoFailedError
from portal.demo.run import Demonstration, Options
from portal.demo.script import Script
from portal.errors import AlreadyRunningError, DemoOutdatedError
from portal.processes import only_one
from portal.settings import Settings
from storage.ledger.models import LedgerAct


def demonstration(folder: Path, *, reset: bool) -> Demonstration:
    options = Options(once=True, reset=reset)
    return Demonstration(Settings(data=folder), options, lambda line: None, threading.Event())


@pytest.mark.parametrize("reset", [False, True])
def test_a_second_demonstration_on_the_same_folder_is_refused_and_removes_nothing(
    tmp_path: Path, reset: bool
) -> None:
    (tmp_path / "cunzheng.db").write_bytes(b"")
    with only_one(tmp_path / "demo.lock"), pytest.raises(AlreadyRunningError):
        demonstration(tmp_path, reset=reset).run()
    assert (tmp_path / "cunzheng.db").exists()


def test_a_folder_that_holds_something_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoFailedError):
        demonstration(tmp_path, reset=True).run()
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("progress", [{"steps": 3}, {"steps": 3, "digest": "of other steps"}])
def test_a_folder_in_which_another_script_was_played_asks_for_a_reset(
    tmp_path: Path, progress: dict[str, object]
) -> None:
    marker = tmp_path / "demo.json"
    marker.write_text(json.dumps(progress))
    with pytest.raises(DemoOutdatedError):
        demonstration(tmp_path, reset=False).run()
    assert not (tmp_path / "cunzheng.db").exists(), "nothing was begun"
    assert json.loads(marker.read_text()) == progress


def test_while_it_serves_links_are_acts_commands_find_its_address_and_the_figures_are_those_of_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Script.load()
    announced = tuple(step for step in whole.steps if step == {"action": "announce", "case": "11-food-open"})
    script = replace(
        whole, cases=(whole.case("11-food-open"),), steps=announced, counts=dict.fromkeys(whole.counts, 0)
    )
    port, stop, told = free_port(), threading.Event(), list[str]()
    monkeypatch.setenv("CUNZHENG_DATA", str(tmp_path))
    settings = Settings().at_port(port)

    def visit(line: str) -> None:
        told.append(line)
        if "Ctrl-C" in line:
            cli.run(["login-link", "supervisor"])
            stop.set()

    figures = Demonstration(settings, Options(script=script), visit, stop).run()
    assert capsys.readouterr().out.startswith(f"http://127.0.0.1:{port}/sign-in/")
    assert [line for line in told if "other than the script" in line] == []
    links = [line for line in told if "/sign-in/" in line]
    rooms = open_rooms(settings)
    with rooms.database.reading() as uow:
        kinds = list(uow.session.scalars(select(LedgerAct.kind)))
    rooms.close()
    assert kinds.count("account.link-made") == len(links) + 1
    assert (figures.acts, figures.entries, figures.problems) == (len(kinds), len(kinds), [])
