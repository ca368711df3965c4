# SPDX-License-Identifier: Apache-2.0
"""The supervisor sees unusual queries and takes figures away as a table; nobody's name or code is shown."""

import csv
import datetime as dt
import io
from dataclasses import replace
from typing import Any

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.unusual import LIMITS
from cases.identifiers import is_resident_id
from cases.models import Case
from cases.services import Announcement
from licenses.models import LicenseUsage
from portal.accounts.models import Account
from portal.patterns.models import PatternLook
from portal.patterns.opening import pattern_watch
from storage.identity import Identity, Role, system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

from .conftest import House, form_token

CLERK = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
HOLDER = Identity("holder", "holder-1", "", frozenset({Role.HOLDER}))


def refuse(house: House, who: Identity, times: int) -> None:
    with house.rooms.database.writing() as uow:
        for number in range(times):
            uow.record(
                Act(
                    kind=ActKind.ACCESS_REFUSED,
                    actor=who,
                    object_type="route",
                    object_id=f"route-{number}",
                    outcome=Outcome.REFUSED,
                    reasons=["not-permitted"],
                )
            )


def look(house: House) -> bool:
    return pattern_watch(house.rooms, house.rooms.database, house.clock).look()


def test_who_is_refused_often_is_named_by_id_with_the_way_to_the_act(house: House) -> None:
    supervisor = house.browser(Role.SUPERVISOR)
    assert "尚未查看" in supervisor.get("/supervision/patterns").text
    assert look(house)
    assert "近七日无异常查询" in supervisor.get("/supervision/patterns").text
    refuse(house, CLERK, 5)
    house.clock.advance(60)
    assert look(house)
    page = supervisor.get("/supervision/patterns").text
    assert "多次被拒" in page
    assert "clerk-1" in page
    assert "/receipts/" in page
    assert "异常查询（近七日）" in supervisor.get("/supervision").text
    assert "Often refused" in supervisor.get("/supervision/patterns?lang=en").text


def test_holders_who_look_at_their_own_are_no_pattern(house: House) -> None:
    refuse(house, HOLDER, 50)
    assert look(house)
    assert "holder-1" not in house.browser(Role.SUPERVISOR).get("/supervision/patterns").text


def test_a_supervisor_sees_those_of_the_own_subtree_only(house: House) -> None:
    refuse(house, CLERK, 5)
    look(house)
    assert "clerk-1" not in house.browser(Role.SUPERVISOR, "jtys").get("/supervision/patterns").text
    assert "clerk-1" in house.browser(Role.SUPERVISOR, "scjg").get("/supervision/patterns").text
    assert "clerk-1" in house.browser(Role.AUDIT_ADMIN).get("/supervision/patterns").text


def test_one_look_serves_all_workers_until_the_next_is_due(house: House) -> None:
    assert look(house)
    assert not look(house)
    house.clock.advance(60)
    assert look(house)


def test_a_look_that_took_long_lets_the_next_one_wait(house: House) -> None:
    look(house)
    with house.rooms.database.writing() as uow:
        uow.session.get_one(PatternLook, 1).milliseconds = 10_000
    house.clock.advance(300)
    assert not look(house)
    house.clock.advance(230)
    assert look(house)


def test_an_older_look_does_not_replace_a_newer_one(house: House) -> None:
    refuse(house, CLERK, 5)
    slow = pattern_watch(house.rooms, house.rooms.database, HandClock(house.clock.now()))
    house.clock.advance(3600)
    look(house)
    assert not slow.look()
    assert "clerk-1" in house.browser(Role.SUPERVISOR).get("/supervision/patterns").text


def test_figures_go_into_a_spreadsheet(house: House) -> None:
    refuse(house, CLERK, 3)
    answer = house.browser(Role.SUPERVISOR).get("/supervision/days.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    head, today, *rest = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert head[:2] == ["日期", "全部"]
    assert int(today[1]) == sum(int(cell) for cell in today[2:])
    assert int(today[head.index("演示市市场监督管理局")]) >= 3
    assert len(rest) == 91
    english = house.browser(Role.SUPERVISOR).get("/supervision/days.csv?lang=en").text
    assert english.lstrip("\ufeff").startswith("Date,All,")


def look_up(house: House, number: int, days_ago: float, **changes: Any) -> Case:
    """Store a look-up of somebody whose code ends in a number, for an open case."""
    at = house.clock.now() - dt.timedelta(days=days_ago) + dt.timedelta(seconds=number)
    body = f"33999919900101{number:03d}"
    code = body + next(c for c in "0123456789X" if is_resident_id(body + c))
    with house.rooms.database.writing() as uow:
        opened = Announcement(
            "ycsl",
            f"N-{number}-{days_ago}",
            "339999010002",
            "2026-03",
            "111",
            code,
            "张演示",
            "scjg",
            at,
            None,
        )
        case, _ = house.rooms.cases.announce(uow, system_identity("test"), opened)
        use = {"action": "read", "basis": "case", "actor_id": "clerk-1", "operator": "clerk-1", "asked": ""}
        use |= {"organisation": "scjg", "result": "READ", "case_id": case.id, "holder_id": case.holder_id}
        uow.session.add(LicenseUsage(id=uow.ids.new_id(), at=at, **(use | changes)))
    return case


def test_who_walks_through_codes_is_named_with_the_cases_and_no_code(house: House) -> None:
    cases = [look_up(house, number, 1) for number in range(1, 6)]
    assert look(house)
    page = house.browser(Role.SUPERVISOR).get("/supervision/patterns").text
    assert "连号查询" in page
    assert all(f"<code>{case.number}</code>" in page for case in cases)
    assert "3399991990" not in page
    elsewhere = house.browser(Role.SUPERVISOR, "jtys").get("/supervision/patterns").text
    assert "<code>N-1-1</code>" not in elsewhere
    trace = house.browser(Role.SUPERVISOR).get("/supervision/trace?q=N-1-1&source=ycsl")
    assert trace.status_code == 200


def test_codes_that_are_far_from_each_other_are_no_walk(house: House) -> None:
    for number in range(1, 60, 10):
        look_up(house, number, 1)
    assert look(house)
    assert "连号查询" not in house.browser(Role.SUPERVISOR).get("/supervision/patterns").text


def test_holders_and_strangers_walk_through_nothing(house: House) -> None:
    for number in range(1, 6):
        look_up(house, number, 1, operator=None, basis="public-check")
    assert look(house)
    assert "连号查询" not in house.browser(Role.SUPERVISOR).get("/supervision/patterns").text


def test_look_ups_that_nothing_followed_are_named_after_their_days(house: House) -> None:
    waited = LIMITS.undecided_days + 1.0
    cases = [look_up(house, number * 100, waited) for number in range(1, 4)]
    for number in range(4, 7):
        look_up(house, number * 100, LIMITS.undecided_days - 1.0)
    assert look(house)
    page = house.browser(Role.SUPERVISOR).get("/supervision/patterns").text
    assert "查询后无下文" in page
    assert all(f"<code>{case.number}</code>" in page for case in cases)
    with house.rooms.database.writing() as uow:
        uow.session.get_one(Case, cases[0].id).closed_at = house.clock.now()
    house.clock.advance(120)
    assert look(house)
    assert "查询后无下文" not in house.browser(Role.SUPERVISOR).get("/supervision/patterns").text


def explain(browser: FlaskClient, **form: str) -> Any:
    token = form_token(browser.get("/supervision/patterns").text)
    return browser.post("/supervision/patterns", data={"form_token": token, **form})


def test_a_supervisor_says_what_it_was_and_a_later_query_stands_unexplained(house: House) -> None:
    refuse(house, CLERK, 5)
    look(house)
    browser = house.browser(Role.SUPERVISOR)
    said = {
        "pattern": "refused-often",
        "actor": "clerk-1",
        "operator": "",
        "reason": "  新系统上线，\n误配置 ",
    }
    assert explain(browser, **said).status_code == 303
    page = browser.get("/supervision/patterns").text
    assert "新系统上线， 误配置" in page
    assert 'value="refused-often"' not in page, "it is explained"
    assert '<b class="good">0</b>异常查询' in browser.get("/supervision").text
    assert house.acts()[-1] == "pattern.explained"
    counted = list(csv.reader(io.StringIO(browser.get("/supervision/effect/patterns.csv").text)))
    assert ["多次被拒", "1", "1"] in counted
    assert ["连号查询", "0", "0"] in counted
    house.clock.advance(120)
    look(house)
    assert "新系统上线" in browser.get("/supervision/patterns").text, "a look does not forget it"
    refuse(house, CLERK, 1)
    house.clock.advance(120)
    look(house)
    page = browser.get("/supervision/patterns").text
    assert "新系统上线" not in page
    assert 'value="refused-often"' in page


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": "   "}, 422),
        ({"reason": "说" * 201}, 422),
        ({"reason": "\u202e"}, 422),
        ({"pattern": "burst"}, 404),
        ({"actor": "clerk-2"}, 404),
        ({"operator": "op-1"}, 404),
    ],
)
def test_what_explains_nothing_is_refused(house: House, changes: dict[str, str], status: int) -> None:
    refuse(house, CLERK, 5)
    look(house)
    said = {"pattern": "refused-often", "actor": "clerk-1", "operator": "", "reason": "误配置"}
    assert explain(house.browser(Role.SUPERVISOR), **(said | changes)).status_code == status
    assert "pattern.explained" not in house.acts()


def test_nobody_explains_elsewhere_the_own_or_as_an_auditor(house: House) -> None:
    own = house.browser(Role.SUPERVISOR)
    with house.rooms.database.reading() as uow:
        (me,) = uow.session.scalars(select(Account.id).where(Account.id != "op-1"))
    refuse(house, replace(CLERK, id=me), 5)
    look(house)
    said = {"pattern": "refused-often", "actor": me, "operator": "", "reason": "误配置"}
    assert explain(own, **said).status_code == 404
    assert explain(house.browser(Role.SUPERVISOR, "jtys"), **said).status_code == 404
    assert explain(house.browser(Role.AUDIT_ADMIN), **said).status_code == 403
    assert explain(house.browser(Role.SUPERVISOR, "scjg"), **said).status_code == 303


@pytest.mark.parametrize("role", [Role.CLERK, Role.ARCHIVIST, Role.INSPECTOR, Role.SYSTEM_ADMIN])
@pytest.mark.parametrize("path", ["/supervision/patterns", "/supervision/days.csv"])
def test_others_see_neither(house: House, role: Role, path: str) -> None:
    assert house.browser(role).get(path).status_code == 403
