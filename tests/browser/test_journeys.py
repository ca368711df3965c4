# SPDX-License-Identifier: Apache-2.0
"""A working hour of each of the five people, with and without script, on one served demonstration.

Nobody types an address after the entrance: what a person needs must be reached by words that are seen.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2
import pytest
from browsing import open_page
from own_servers import until
from pdf_text import text_of
from playwright.sync_api import Browser
from running import Site
from walking import Walk
from working_day import (
    CLOSED,
    EXPIRED,
    LATE,
    OPEN,
    RETURNED,
    SUPPLEMENTED,
    UNMET,
    WAITING,
    bring_licence,
    live_through_the_morning,
)

from portal.demo.holders import demo_persons
from portal.demo.script import Script

pytestmark = pytest.mark.browser
_NAMES = [one.title for one in demo_persons(Script.load())]
FIRM = next(name for name in _NAMES if "丙" in name)
ELDER_PIXELS = 22
SUM = r"收到 (\d+) = 已归档 (\d+) \+ 退回 (\d+) \+ 隔离 (\d+) \+ 处理中 (\d+)"
WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


@pytest.fixture(scope="module")
def town(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give the served demonstration after a morning in which more has happened than its script plays."""
    live_through_the_morning(site, tmp_path_factory.mktemp("morning"))
    return site


@contextmanager
def _somebody(browser: Browser, *, script: bool, refusals: bool = False) -> Generator[Walk]:
    with open_page(browser, java_script_enabled=script, refusals=refusals) as page:
        yield Walk(page, script=script)


def _numbers(pattern: str, text: str) -> list[int]:
    found = re.search(pattern, text)
    assert found is not None, text
    return [int(number) for number in found.groups()]


# The archivist.


@WITH_AND_WITHOUT_SCRIPT
def test_an_archivist_accounts_for_every_case_received(browser: Browser, town: Site, script: bool) -> None:
    with _somebody(browser, script=script) as walk:
        walk.begin(town, "archivist")
        _the_counts_close_and_each_leads_to_its_cases(walk)
        _the_list_is_narrowed_by_item(walk)
        _a_returned_case_has_a_slip_to_print(walk)
        _a_waiting_case_says_what_it_waits_for(walk)
        _a_supplement_stands_beside_its_main_dossier(walk)
        _the_pages_of_a_dossier_are_turned(walk)
        _a_dossier_is_taken_away(walk)
        _several_cases_are_done_at_once(walk)


def _the_counts_close_and_each_leads_to_its_cases(walk: Walk) -> None:
    walk.stands(SUM)
    received, *parts = _numbers(SUM, walk.text())
    assert received == sum(parts)
    for name, count in zip(("已归档", "退回", "隔离", "处理中"), parts, strict=True):
        walk.follow(f"{name} {count}")
        assert len(walk.rows()) == count
    walk.follow(f"全部 {received}")
    assert len(walk.rows()) == received


def _the_list_is_narrowed_by_item(walk: Walk) -> None:
    walk.main.get_by_label("事项").select_option(label="企业设立登记")
    walk.press("筛选")
    walk.stands("企业设立登记")
    rows = [row.inner_text() for row in walk.rows()]
    assert rows
    assert all("企业设立登记" in row for row in rows)
    walk.follow("退回 1")
    assert [RETURNED in row.inner_text() for row in walk.rows()] == [True]


def _a_returned_case_has_a_slip_to_print(walk: Walk) -> None:
    walk.follow("退回单", inside=walk.row(RETURNED))
    walk.stands("退回单", RETURNED, "M03", "需更正内容", "处理方法", "归档员", "接收人")
    walk.prints_on_one_sheet("退回单", "M03")
    walk.follow("返回办件")
    walk.stands("退回", "M03", "→", "第 2 次归档")


def _looked_again(walk: Walk) -> str:
    walk.follow("重新查看")
    return walk.row(WAITING).inner_text()


def _a_waiting_case_says_what_it_waits_for(walk: Walk) -> None:
    walk.desk("归档工作台")
    walk.follow("处理中 1")
    # The steps before the seal take their time.
    until(lambda: "等待中" in _looked_again(walk), 180, "the case waits for its seal", every=1)
    walk.stands(r"第 5 步，共 7 步[:：] ?案卷用章", "等待中 不予用章", "自 ", "截至")
    walk.follow(WAITING)
    walk.stands("处理中", "第 5 步，共 7 步", "等待中")
    walk.follow("不予用章")
    walk.stands("请核对印章状态与使用范围", "等待中的归档与证照自动继续")
    walk.back()
    walk.follow("追溯")
    walk.stands(WAITING, "处理步骤等待条件具备，届时自动继续", "用章被拒绝 ✕ ?拒绝.*印章已停用")


def _a_supplement_stands_beside_its_main_dossier(walk: Walk) -> None:
    walk.desk("归档工作台")
    row = walk.row("第 1 次补充归档")
    assert SUPPLEMENTED in row.inner_text()
    walk.follow("-B1", inside=row)
    walk.stands("补充归档 *第 1 次；所补充的案卷不变", "补充案卷", "-B1")
    walk.follow("", inside=walk.main.locator("dl.facts div").filter(has_text="补充案卷"))
    walk.stands("第 1 次补充归档 *.*-B1", SUPPLEMENTED)
    assert f"共 {len(walk.rows())} 件。每次查阅和下载均存证" in walk.text()


def _the_pages_of_a_dossier_are_turned(walk: Walk) -> None:
    walk.follow(" 页 ", inside=walk.main.locator("tbody"))
    walk.stands("每页图像都印有您的姓名、单位和时间", "第 1 页")
    walk.follow("第 1 页")
    walk.stands("第 1 页，共 [0-9]+ 页", "全部页面")
    walk.follow("全部页面")
    walk.follow("案卷")


def _a_dossier_is_taken_away(walk: Walk) -> None:
    with zipfile.ZipFile(walk.saved("下载案卷（ZIP）")) as package:
        assert package.testzip() is None
        names = package.namelist()
    assert [one for one in ("README", "manifest", "receipt") if not any(one in name for name in names)] == []


def _several_cases_are_done_at_once(walk: Walk) -> None:
    walk.desk("归档工作台")
    for number in (RETURNED, EXPIRED, SUPPLEMENTED):
        walk.main.get_by_label(f"选择 {number}", exact=True).last.check()
    walk.press("打印退回单")
    walk.stands("所选 3 件中办理 1 件", "退回单见下", "未退回：没有退回单", "M03")
    walk.prints_on_one_sheet("M03")
    # The way back keeps what was selected.
    walk.back()
    walk.press("下载案卷（ZIP）")
    walk.stands("所选 3 件中办理 2 件", "未归档：尚无案卷", "列入下载")
    with zipfile.ZipFile(walk.saved("下载 2 卷")) as package:
        table = package.read("RESULT.csv").decode("utf-8-sig")
        assert len([name for name in package.namelist() if name.endswith(".zip")]) == 2
    assert len(list(csv.reader(io.StringIO(table)))) == 1 + len(walk.rows())


# The clerk at the window.


@WITH_AND_WITHOUT_SCRIPT
def test_a_clerk_asks_only_for_what_cannot_be_established(browser: Browser, town: Site, script: bool) -> None:
    with _somebody(browser, script=script, refusals=True) as walk:
        walk.begin(town, "clerk")
        _ask_about(walk, OPEN)
        walk.stands("只需向申请人收取 2 份", "营业执照", "已核实", "无法核实", "→ .*告知承诺")
        answered = _numbers(r"(\d\d):(\d\d):(\d\d)", walk.text())
        walk.prints_on_one_sheet(OPEN, "只需向申请人收取", "核验结论", "存证回执", "市场监督管理局")
        walk.press("查看申请人持有的证照（将存证）")
        walk.stands("申请人持有的证照", "营业执照", "有效")
        _ask_about(walk, UNMET)
        walk.stands("核实不符 1 项", "营业执照", "→", "无法核实")
        _ask_about(walk, CLOSED)
        walk.stands("核验请求被拒绝", "本次拒绝已存证")
        walk.desk("窗口核验")
        walk.stands("我最近核验的办件", UNMET, OPEN)
        assert CLOSED not in walk.text()
        walk.follow(OPEN)
        walk.stands("只需向申请人收取 2 份")
        assert _numbers(r"(\d\d):(\d\d):(\d\d)", walk.text()) == answered, "it was asked again"


def _ask_about(walk: Walk, number: str) -> None:
    walk.main.get_by_label("办件编号或扫码").fill(number)
    walk.press("核验")


# The inspector.


@WITH_AND_WITHOUT_SCRIPT
def test_an_inspector_says_valid_invalid_or_cannot_tell_and_why(
    browser: Browser, town: Site, tmp_path: Path, script: bool
) -> None:
    licence = bring_licence(town, "01-firm-registered", tmp_path / "营业执照.pdf")
    expired = bring_licence(town, "04-food-expired", tmp_path / "食品经营许可证.pdf")
    with _somebody(browser, script=script) as walk:
        walk.begin(town, "inspector")
        walk.stands("核验文件", "核验码查询")
        walk.main.get_by_label("PDF 文件").set_input_files(
            [licence, expired, town.data / "tampered-copy.pdf"]
        )
        walk.press("核验文件")
        walk.stands("有效 1", "无效 2", "文件真实，证照已过期", "SHA-256")
        assert [_verdict(row.inner_text()) for row in walk.rows()] == ["有效", "无效", "无效"]
        walk.main.get_by_role("link", name="tampered-copy.pdf").click()
        _the_reports_are_kept(walk)
        walk.follow("核验其他文件")
        printed = re.findall(r"\b[0-9a-hjkmnp-tv-z]{26}\b", text_of(licence.read_bytes()))
        walk.main.get_by_label("核验码：二维码旁的 26 位字符").fill(printed[0])
        walk.press("查询证照")
        _a_printed_licence_is_not_compared(walk)
        walk.desk("查验")
        walk.main.get_by_label("二维码照片").set_input_files(_photo(licence, tmp_path))
        walk.press("读取二维码")
        _a_printed_licence_is_not_compared(walk)


def _verdict(row: str) -> str:
    found = re.search("有效|无效|无法判定", row)
    assert found is not None, row
    return found[0]


def _the_reports_are_kept(walk: Walk) -> None:
    kept = json.loads(walk.saved("保存全部报告（JSON）").read_bytes())
    assert [one["name"] for one in kept["reports"]][-1] == "tampered-copy.pdf"
    text = text_of(walk.saved("保存报告（PDF，全部文件）").read_bytes())
    assert "无效" in text
    assert "tampered-copy.pdf" in text


def _a_printed_licence_is_not_compared(walk: Walk) -> None:
    walk.stands("无法判定", "未比对", "营业执照", "有效", "本次查验存证")


def _photo(licence: Path, folder: Path) -> Path:
    with pypdfium2.PdfDocument(licence) as document:
        document[0].render(scale=2.5).to_pil().convert("RGB").save(folder / "photo.jpg")
    return folder / "photo.jpg"


# The citizen.


@WITH_AND_WITHOUT_SCRIPT
def test_a_holder_objects_and_reads_the_answer_of_the_department(
    browser: Browser, town: Site, script: bool
) -> None:
    words = f"我没有办过这件事（{script}）。"
    answer = f"已核对，是误录，已更正（{script}）。"
    with _somebody(browser, script=script) as holder, _somebody(browser, script=script) as archivist:
        holder.begin(town, "holder", FIRM)
        holder.follow("我不认可", inside=holder.main.locator("table").last)
        holder.stands("市场监督管理局最迟于.*答复", "不能撤回")
        holder.main.get_by_label("哪里不对").fill(words)
        holder.press("提出异议")
        holder.stands("我的异议", re.escape(words), "待答复")
        archivist.begin(town, "archivist")
        archivist.desk("异议")
        archivist.stands("待答复 1", "一次用证")
        archivist.follow("", inside=archivist.rows()[-1])
        archivist.stands(re.escape(words), "答复期限")
        archivist.main.get_by_label("异议成立").check()
        archivist.main.get_by_label("持证主体将看到的答复").fill(answer)
        archivist.press("答复异议")
        archivist.stands("异议成立", re.escape(answer))
        holder.page.reload()
        holder.stands(f"异议成立 *{re.escape(answer)}")
        _large_print_is_chosen_and_left(holder)


def _large_print_is_chosen_and_left(holder: Walk) -> None:
    holder.follow("长辈版")
    assert holder.page.locator("html").get_attribute("data-ui-mode") == "elder"
    holder.stands("我的证照", "谁用过我的信息")
    size = "cell => parseFloat(getComputedStyle(cell).fontSize)"
    assert holder.main.locator("td").first.evaluate(size) >= ELDER_PIXELS
    holder.follow("标准版")
    assert holder.page.locator("html").get_attribute("data-ui-mode") == "normal"


# The supervisor.


@WITH_AND_WITHOUT_SCRIPT
def test_a_supervisor_finds_what_is_late_refused_or_unusual_and_traces_it(
    browser: Browser, town: Site, script: bool
) -> None:
    with _somebody(browser, script=script) as walk:
        walk.begin(town, "supervisor")
        walk.stands("审计链 ● ?正常", r"条数 *\d+", r"检查点 *\d+", "时间戳锚定")
        until(lambda: _often_refused(walk), 180, "the workers find the unusual queries", every=1)
        for name in ("逾期未归档", "24 小时内被拒绝", "异常查询", "有计划无结果", "异议逾期未答复"):
            _a_number_leads_to_exactly_its_rows(walk, name)
        assert _number_of(walk, "异议逾期未答复") == 1
        _unusual_queries_lead_to_an_act(walk)
        _what_is_late_is_traced(walk)
        _a_decision_is_traced_by_the_number_of_its_case(walk)
        _the_figures_are_a_chart_and_a_table_to_take_away(walk)


def _number_of(walk: Walk, name: str) -> int:
    return int(walk.main.locator(".tiles a").filter(has_text=name).locator("b").inner_text())


def _a_number_leads_to_exactly_its_rows(walk: Walk, name: str) -> None:
    number = _number_of(walk, name)
    walk.follow(name, inside=walk.main.locator(".tiles"))
    walk.stands(name[-2:])
    assert len(walk.rows()) == number
    walk.desk("电子监察")


def _often_refused(walk: Walk) -> bool:
    """Tell whether the refusals were found: the demonstration's own unusual queries are there before."""
    walk.desk("电子监察")
    walk.follow("异常查询", inside=walk.main.locator(".tiles"))
    found = walk.main.locator("tbody").get_by_text("多次被拒").count() > 0
    walk.desk("电子监察")
    return found


def _unusual_queries_lead_to_an_act(walk: Walk) -> None:
    walk.follow("异常查询", inside=walk.main.locator(".tiles"))
    walk.stands("仅供核查，不作结论", "多次被拒")
    walk.follow("…", inside=walk.row("多次被拒"))
    walk.stands("存证回执", "拒绝")
    walk.desk("电子监察")


def _what_is_late_is_traced(walk: Walk) -> None:
    walk.follow("逾期未归档", inside=walk.main.locator(".tiles"))
    walk.stands(LATE, "已办结")
    walk.follow(LATE)
    walk.stands(LATE, "归档期限 .*逾期", "缺失", "行为 *2")


def _a_decision_is_traced_by_the_number_of_its_case(walk: Walk) -> None:
    walk.main.get_by_label("办件编号、档号").fill(CLOSED)
    walk.press("追溯")
    walk.stands(CLOSED, "档号", "缺失 *0", "无：计划均有结果", "核验结论 *2", "拒绝.*办件已办结")
    entry = walk.main.locator("ol.acts li").filter(has_text="核验").first
    entry.locator("summary").click()
    assert "cunzheng-verify" in entry.inner_text()
    receipt = walk.saved(re.compile("^下载 "), inside=entry)
    assert receipt.read_text(encoding="utf-8").startswith("c2sp.org/tlog-proof")
    walk.follow("存证回执", inside=entry)
    walk.stands("审计链第 [0-9]+ 条", "离线校验", "下载回执")


def _the_figures_are_a_chart_and_a_table_to_take_away(walk: Walk) -> None:
    walk.desk("电子监察")
    today = next(row for row in walk.rows() if row.locator("rect").get_attribute("width") != "0.0")
    day, total = _numbers(r"-(\d\d)\s+(\d+)", today.inner_text())
    table = csv.reader(io.StringIO(walk.saved("近一季度数据表").read_text(encoding="utf-8-sig")))
    taken = {row[0][-2:]: int(row[1]) for row in list(table)[1:8]}
    assert taken[f"{day:02}"] >= total
