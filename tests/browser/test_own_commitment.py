# SPDX-License-Identifier: Apache-2.0
"""A commitment offered at the window, and made by its holder at home, in a browser without script."""

import pytest
from browsing import open_page, page_faults, sign_in
from playwright.sync_api import Browser
from running import Site
from walking import Walk
from working_day import OPEN

pytestmark = pytest.mark.browser
PREMISES, FIRM = "场地使用证明", "浙江演示甲餐饮管理有限公司"


def test_the_window_offers_it_and_the_holder_makes_it(browser: Browser, site: Site) -> None:
    with open_page(browser, java_script_enabled=False) as page:
        window = Walk(page, script=False)
        window.begin(site, "clerk")
        window.desk("窗口核验")
        window.main.get_by_label("办件编号").fill(OPEN)
        window.press("核验")
        window.press(f"告知承诺 {PREMISES}")
        window.stands("告知内容")
        offered = page.url
        with open_page(browser) as looked:
            sign_in(looked, site, "holder", FIRM)
            for mode, language in (("elder", "zh"), ("normal", "en")):
                looked.goto(f"{site.address}/mine/commitments?mode={mode}&lang={language}")
                assert page_faults(looked) == []
                looked.locator("main tbody a").first.click()
                looked.wait_for_load_state()
                assert page_faults(looked) == []
        with open_page(browser, java_script_enabled=False) as own:
            sign_in(own, site, "holder", FIRM)
            home = Walk(own, script=False)
            home.follow("我的告知承诺")
            home.stands(OPEN, "已告知")
            home.follow(PREMISES)
            home.stands("告知您的内容", "书面核查", "不再适用告知承诺", "您的承诺")
            own.get_by_label("本人已阅读").check()
            home.press("我承诺")
            home.stands("您已承诺", "申请人本人")
        page.goto(offered)
        window.stands("申请人本人")
        window.press("受理承诺")
        window.stands("已受理，待核查")
