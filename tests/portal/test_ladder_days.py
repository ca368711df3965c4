# SPDX-License-Identifier: Apache-2.0
"""The ladder over days in a browser without script: a commitment kept, a late answer, a later supply."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from browsing import open_page
from playwright.sync_api import Browser
from walking import Walk
from werkzeug.serving import make_server

from portal.proving import LadderWatch, ladder_clock
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role

from .conftest import House
from .test_window import NUMBER, announce

pytestmark = pytest.mark.browser
PREMISES, HEALTH = "场地使用证明", "健康证明"
SECOND = "YC-2026-000141"
DAY = 86_400.0


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """Serve the house, whose clock the test moves, on an address of this machine."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


class Town:
    """The house in front of a browser."""

    def __init__(self, house: House, address: str, browser: Browser) -> None:
        self.house, self.address, self.browser = house, address, browser

    @contextmanager
    def desk(self, organisation: str = "scjg", role: Role = Role.CLERK) -> Iterator[Walk]:
        """Let somebody sign in; sessions do not last over days."""
        token = self.house.login_token(role, organisation)
        with open_page(self.browser, java_script_enabled=False) as page:
            page.goto(f"{self.address}/sign-in/{token}")
            page.locator("main form button").first.click()
            page.wait_for_load_state()
            yield Walk(page, script=False)

    def pass_days(self, days: float) -> None:
        """Let days pass, and the worker look once."""
        self.house.clock.advance(days * DAY)
        LadderWatch(self.house.rooms.database, ladder_clock(self.house.rooms)).look()


@pytest.fixture
def town(house: House, address: str, browser: Browser) -> Town:
    announce(house)
    return Town(house, address, browser)


def asked(walk: Walk, number: str = NUMBER) -> None:
    walk.desk("窗口核验")
    walk.main.get_by_label("办件编号").fill(number)
    walk.press("核验")
    walk.stands(number)


def test_a_commitment_that_is_kept(town: Town) -> None:
    with town.desk() as window:
        asked(window)
        window.press(f"告知承诺 {PREMISES}")
        window.press("申请人已书面承诺")
        window.press("受理承诺")
        window.stands("已受理，待核查")
    town.pass_days(29)
    with town.desk() as window:
        window.desk("承诺与协查")
        window.follow("本部门办理中")
        window.stands("核查到期")
        window.follow(":", inside=window.row(NUMBER))
        window.main.get_by_label("说明").fill("现场核实与承诺一致")
        window.press("经核查属实")
        window.stands("现场核实与承诺一致")
        town.house.clock.advance(1)
        asked(window)
        window.stands("承诺已核查属实")


def test_a_late_answer_is_escalated_and_serves_the_next_case_of_the_holder(town: Town) -> None:
    with town.desk() as window:
        asked(window)
        window.press(f"部门协查 {HEALTH}")
        window.stands("等待部门答复")
    town.pass_days(7)
    with town.desk(role=Role.SUPERVISOR, organisation="dsj") as supervision:
        supervision.page.goto(f"{town.address}/ladder?state=overdue")
        supervision.stands(NUMBER, "逾期")
    with town.desk("wjw") as department:
        department.desk("承诺与协查")
        department.follow(":", inside=department.row(NUMBER))
        department.press("是，属实")
        department.stands("各部门可用至")
    announce(town.house, SECOND)
    town.house.clock.advance(1)
    with town.desk() as window:
        asked(window, SECOND)
        window.stands("已由主管部门协查确认")
        assert CASE_EXAMPLE["holder"]["code"] not in window.text()


def test_what_is_supplied_later_in_time_and_what_is_not(town: Town) -> None:
    announce(town.house, SECOND)
    with town.desk() as window:
        for number in (NUMBER, SECOND):
            asked(window, number)
            window.press(f"容缺后补 {PREMISES}")
            window.stands("补交")
    town.pass_days(2)
    with town.desk() as window:
        window.desk("承诺与协查")
        window.follow("本部门办理中")
        window.follow(":", inside=window.row(NUMBER))
        window.press("材料已补交")
        town.house.clock.advance(1)
        asked(window)
        window.stands("容缺材料已补交")
    town.pass_days(5)
    with town.desk() as window:
        window.desk("承诺与协查")
        window.follow("逾期")
        window.stands(SECOND, "逾期未补交")
        asked(window, SECOND)
        window.stands("只需向申请人收取.*" + PREMISES)


def test_a_mistaken_answer_is_corrected_and_what_relied_on_it_is_recalled(town: Town) -> None:
    with town.desk() as window:
        asked(window)
        window.press(f"部门协查 {HEALTH}")
        with town.desk("wjw") as department:
            department.desk("承诺与协查")
            department.follow(":", inside=department.row(NUMBER))
            department.press("是，属实")
            town.house.clock.advance(1)
            asked(window)
            window.stands("已由主管部门协查确认")
            town.house.clock.advance(1)
            department.main.get_by_label("说明").fill("体检日期录入有误")
            department.press("更正为：否，不属实")
            department.stands("部门更正了答复", "更正为：是，属实")
        window.desk("结论召回")
        window.stands(NUMBER, HEALTH, "部门更正了答复", "在办")
        window.follow("重新核验")
        assert window.main.get_by_label("办件编号").input_value() == f"ycsl/{NUMBER}"
    with town.desk(role=Role.SUPERVISOR, organisation="dsj") as supervision:
        supervision.page.goto(f"{town.address}/supervision/recalls")
        supervision.stands("部门更正了答复", NUMBER)
        supervision.follow("部门协查")
        supervision.stands("体检日期录入有误")
