# SPDX-License-Identifier: Apache-2.0
"""Before an edition of rules is decided on, both persons see what it would have asked of closed cases."""

import datetime as dt
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from editions import new_edition
from sqlalchemy import select

from cases.services import Announcement
from licenses.rule_edition import shipped_document
from portal.commands.common import terminal
from portal.editions.errors import EditionClosedError, EditionUnknownError
from portal.simulations.models import RuleSimulation
from portal.simulations.opening import simulate_step
from portal.simulations.services import begin, simulations_of
from portal.worker import Worker
from storage.clock import RandomIds
from storage.errors import EXIT_DONE, NotPermittedError
from storage.identity import Identity, Role, system_identity
from storage.ledger.models import LedgerAct

from .conftest import House, form_token, run

SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
ITEM, EDITION = "339999010002", "2026-03"
HOLDER = ("001", "91339999MADEM0011X", "演示食品有限公司")


def proposed(house: House, **changes: Any) -> str:
    """Propose a version of the shipped rule whose third requirement is abolished; gives the edition."""
    first = next(one for one in shipped_document()["rules"] if one["item"]["code"] == ITEM)
    requirements = [dict(one) for one in first["requirements"]]
    requirements[2] |= {"alternatives": [], "fallback": [], "cancelled": "无法律依据"}
    rule = {**first, "version": 2, "effective": ["2026-12-01", None], "requirements": requirements} | changes
    data = yaml.safe_dump({"version": "2026-12", "rules": [rule]}, allow_unicode=True).encode()
    editions, database = house.rooms.editions, house.rooms.database
    return database.write(lambda uow: editions.propose(uow, SYSTEM, data, "减证").id)


def closed_cases(house: House, count: int) -> None:
    with house.rooms.database.writing() as uow:
        for number in range(count):
            now = house.clock.now()
            said = Announcement("ycsl", f"S-{number}", ITEM, EDITION, *HOLDER, "scjg", now, now)
            house.rooms.cases.announce(uow, system_identity("worker"), said)
            house.clock.advance(1)


def work(house: House, folder: Path) -> None:
    step = simulate_step(house.rooms.database, house.rooms)
    worker = Worker(house.rooms.database, {step.kind: step}, folder / "jobs", house.clock, RandomIds())
    while worker.run_one():
        pass


def test_the_page_shows_shares_and_each_case_that_differs(house: House, tmp_path: Path) -> None:
    closed_cases(house, 3)
    edition, browser = proposed(house), house.browser(Role.SYSTEM_ADMIN)
    place = f"/editions/{edition}/simulation"
    assert place in browser.get("/editions").text
    page = browser.get(place).text
    assert "尚未仿真" in page
    started = browser.post(place, data={"form_token": form_token(page)})
    assert (started.status_code, started.headers["Location"]) == (303, place)
    assert "等待处理" in browser.get(place).text
    work(house, tmp_path)
    for looks_on in (browser, house.browser(Role.SECURITY_ADMIN), house.browser(Role.AUDIT_ADMIN)):
        page = looks_on.get(place).text
        assert "S-0" not in page, "what a rule asks could be chosen so that its outcome tells of a person"
        assert looks_on.get(f"{place}.csv").status_code == 403
    supervisor = house.browser(Role.SUPERVISOR)
    assert re.findall(r"<code>ycsl/(S-\d)</code>", supervisor.get(place).text) == ["S-0", "S-1", "S-2"]
    table = supervisor.get(f"{place}.csv").data.decode("utf-8-sig").splitlines()
    assert len(table) == 4
    assert table[1] == "339999010002-proofs v2,ycsl/S-0,R3,部门协查,已核实,339999010002 2026-03"
    elsewhere = house.browser(Role.SUPERVISOR, "jtys").get(place)
    assert (elsewhere.status_code, "S-0" in elsewhere.text) == (200, False)
    with house.rooms.database.reading() as uow:
        (row,) = simulations_of(uow, SYSTEM, edition)
        assert (row.total, row.done) == (3, 3)
        assert row.figures is not None
        assert row.figures["differing"] == 3
        (act,) = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "rule.simulated"))
        assert row.digest.encode() in act.core


def test_one_simulation_runs_at_a_time_and_can_be_run_again(house: House, tmp_path: Path) -> None:
    edition, database = proposed(house), house.rooms.database
    first = database.write(lambda uow: [one.id for one in begin(uow, SYSTEM, edition)])
    assert database.write(lambda uow: [one.id for one in begin(uow, SYSTEM, edition)]) == first
    work(house, tmp_path)
    house.clock.advance(1)
    closed_cases(house, 1)
    again = database.write(lambda uow: [one.id for one in begin(uow, SYSTEM, edition)])
    assert again != first
    work(house, tmp_path)
    with database.reading() as uow:
        (row,) = simulations_of(uow, SYSTEM, edition)
        assert (row.id, row.total) == (again[0], 1)
        assert uow.session.scalars(select(RuleSimulation.id)).all() == again, "the one before is not kept"


def test_two_that_begin_at_once_are_the_same_so_that_one_is_too_late(house: House) -> None:
    edition, database = proposed(house), house.rooms.database
    begun: list[str] = []
    with suppress(RuntimeError), database.writing() as uow:
        begun += [one.id for one in begin(uow, SYSTEM, edition)]
        raise RuntimeError
    assert database.write(lambda uow: [one.id for one in begin(uow, SYSTEM, edition)]) == begun


def test_only_who_administers_has_one_run_and_only_while_it_waits(house: House) -> None:
    edition, database = proposed(house), house.rooms.database
    clerk = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
    for who in (SECURITY, clerk):
        with pytest.raises(NotPermittedError):
            database.write(lambda uow, who=who: begin(uow, who, edition))  # type: ignore[misc]  # bound now
    with database.reading() as uow, pytest.raises(NotPermittedError):
        simulations_of(uow, clerk, edition)
    with pytest.raises(EditionUnknownError):
        database.write(lambda uow: begin(uow, SYSTEM, "x" * 26))
    database.write(lambda uow: house.rooms.editions.refuse(uow, SECURITY, edition, "不同意"))
    with pytest.raises(EditionClosedError):
        database.write(lambda uow: begin(uow, SYSTEM, edition))
    with database.reading() as uow:
        assert uow.session.scalar(select(RuleSimulation)) is None


def test_an_edition_whose_time_is_over_is_not_offered(house: House) -> None:
    edition = proposed(house)
    house.clock.advance(dt.timedelta(days=8).total_seconds())
    browser = house.browser(Role.SYSTEM_ADMIN)
    assert "<button" not in browser.get(f"/editions/{edition}/simulation").text.partition("<h1>")[2]


def test_a_number_that_could_point_to_a_person_is_for_supervision(house: House, tmp_path: Path) -> None:
    closed_cases(house, 2)
    edition = proposed(house)
    house.rooms.database.write(lambda uow: len(begin(uow, SYSTEM, edition)))
    work(house, tmp_path)
    place = f"/editions/{edition}/simulation"
    assert "&lt;3" in house.browser(Role.SECURITY_ADMIN).get(place).text
    assert "&lt;3" not in house.browser(Role.SUPERVISOR).get(place).text


def test_a_new_item_edition_is_tried_on_the_cases_before_and_says_so_everywhere(
    house: House, tmp_path: Path
) -> None:
    closed_cases(house, 3)
    editions, database = house.rooms.editions, house.rooms.database
    made = database.write(lambda uow: editions.propose(uow, SYSTEM, new_edition(), "新版指南").id)
    database.write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))
    first = next(one for one in shipped_document()["rules"] if one["item"]["code"] == ITEM)
    edition = proposed(
        house, item={"code": ITEM, "edition": "2027-01"}, requirements=first["requirements"][:-1]
    )
    gone = first["requirements"][-1]
    database.write(lambda uow: len(begin(uow, SYSTEM, edition)))
    work(house, tmp_path)
    with database.reading() as uow:
        (row,) = simulations_of(uow, SYSTEM, edition)
        assert (row.total, row.done) == (3, 3)
    supervisor = house.browser(Role.SUPERVISOR)
    page = supervisor.get(f"/editions/{edition}/simulation").text
    assert "该事项版本尚无办结件，以下按其所替代版本的办结件仿真" in page
    assert f"<code>{ITEM} {EDITION}</code>" in page
    assert gone["zh"] in page
    assert "不再要求" in page
    table = supervisor.get(f"/editions/{edition}/simulation.csv").data.decode("utf-8-sig").splitlines()
    assert len(table) == 4
    assert table[1] == f"339999010002-proofs v2,ycsl/S-0,{gone['id']},部门协查,不再要求,{ITEM} {EDITION}"


def test_the_command_names_what_it_evaluated_and_what_is_no_longer_asked(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = next(one for one in shipped_document()["rules"] if one["item"]["code"] == ITEM)
    draft = {**first, "version": 2, "item": {"code": ITEM, "edition": "2027-01"}}
    file = tmp_path / "draft.yaml"
    file.write_text(yaml.safe_dump({**draft, "requirements": first["requirements"][:-1]}))
    code, printed = run("proof", "simulate", str(file), capsys=capsys)
    assert (code, "所替代版本" in printed) == (EXIT_DONE, False), "there is no closed case at all"
    with terminal() as here, here.rooms.database.writing() as uow:
        now = here.rooms.clock.now()
        said = Announcement("ycsl", "S-1", ITEM, EDITION, *HOLDER, "scjg", now, now)
        here.rooms.cases.announce(uow, system_identity("worker"), said)
    code, printed = run("proof", "simulate", str(file), capsys=capsys)
    assert code == EXIT_DONE
    assert f"evaluated those that it replaces: {ITEM} {EDITION}" in printed
    assert f"{first['requirements'][-1]['id']} 不再要求 no longer asked" in printed
    figures = json.loads(run("proof", "simulate", "--json", str(file), capsys=capsys)[1])
    assert (figures["cases"], figures["differing"]) == (1, 1)
    assert figures["replaced"] == [f"{ITEM} {EDITION}"]
