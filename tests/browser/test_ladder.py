# SPDX-License-Identifier: Apache-2.0
"""The ladder of one item in a browser without script.

Licence, prior closed case, a commitment found false, a department's answer. What takes days is in
``tests/portal/test_ladder_days.py``, for the same item: a commitment kept, a late answer, a later supply.
"""

import json
from collections.abc import Generator

import pytest
from browsing import open_page
from playwright.sync_api import Browser
from running import Site
from walking import Walk
from working_day import OPEN

from portal.demo.script import Script

pytestmark = pytest.mark.browser
PREMISES, HEALTH = "场地使用证明", "健康证明"
SECOND_SHOP = Script.load().case("31-food-second-shop").data()["number"]
FIRST_SHOP = Script.load().case("27-food-bakery").data()["number"]


@pytest.fixture
def window(browser: Browser, site: Site) -> Generator[Walk]:
    with open_page(browser, java_script_enabled=False) as page:
        walk = Walk(page, script=False)
        walk.begin(site, "clerk")
        yield walk


@pytest.fixture
def department(browser: Browser, site: Site) -> Generator[Walk]:
    """Somebody of the department that the demonstration's rule asks."""
    people = json.loads(site.run("account", "list", "--json").stdout)
    (account,) = [one["id"] for one in people if one["posts"] == {"wjw": ["license-manager"]}]
    link = site.run("login-link", "license-manager", "--account", account).stdout.strip()
    with open_page(browser, java_script_enabled=False) as page:
        page.goto(link)
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        yield Walk(page, script=False)


def asked(walk: Walk, number: str = OPEN) -> None:
    walk.desk("窗口核验")
    walk.main.get_by_label("办件编号").fill(number)
    walk.press("核验")
    walk.stands(number, "营业执照")


def test_an_earlier_case_of_the_archive_establishes_a_proof(window: Walk) -> None:
    """The bakery's first shop is filed; what was shown for it is not asked for again with the second."""
    asked(window, SECOND_SHOP)
    window.stands(f"{PREMISES}.*已由本库既往办结件核实.*既往办结件 {FIRST_SHOP}")
    assert f"告知承诺 {PREMISES}" not in window.text(), "no rung is offered for what is established"


def test_a_case_goes_down_the_ladder(window: Walk, department: Walk) -> None:
    asked(window)
    window.press(f"告知承诺 {PREMISES}")
    window.stands("告知内容", "书面核查", "不再适用告知承诺")
    for button in ("申请人已书面承诺", "受理承诺"):
        window.press(button)
    window.stands("已受理，待核查")
    asked(window)
    window.stands("先行受理", "已作书面承诺，先行办理，事后核查")
    window.follow("查看")
    window.main.get_by_label("说明").fill("现场与承诺不符")
    window.press("经核查不实")
    window.stands("承诺不实", "现场与承诺不符")
    asked(window)
    window.stands("承诺经核查不实")

    window.press(f"部门协查 {HEALTH}")
    window.stands("等待部门答复")
    asked(window)
    window.stands("部门协查中")
    department.desk("承诺与协查")
    department.stands("待我部门答复 1", OPEN)
    department.follow(":", inside=department.row(OPEN))
    department.stands("从业人员健康检查合格，且在有效期内")
    department.press("是，属实")
    department.stands("各部门可用至")
    asked(window)
    window.stands("已由主管部门协查确认")
    window.desk("承诺与协查")
    window.follow("已结束")
    window.stands("告知承诺|部门协查")
