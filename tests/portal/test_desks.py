# SPDX-License-Identifier: Apache-2.0
"""The desks: counts that add up and link to exactly their rows, empty lists that say what to do, traces."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import select

from archive.filings import give_back, load
from archive.findings import finding
from archive.models import Filing, FilingState
from cases.models import Case
from indexer.document import IndexDocument
from portal.accounts.models import ADMINISTRATION
from portal.i18n import ZH, set_language
from portal.web import codes
from portal.web.activity import ROWS
from portal.web.examples import CASE, CASE_PAGE, CASE_STATE, PROOF, RECEIPT
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE
from storage.clock import legal_date
from storage.identity import Role, system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.policies import parse_policy

from .conftest import House
from .test_api_cases import PATH, send, submission
from .test_holds import file_dossier
from .test_operation import figures

CONTENTS = {"application-form": b"%PDF-1.7 one", "decision": b"%PDF-1.7 two"}


@pytest.fixture
def filed(house: House) -> House:
    """A house in which one case was announced and its files have arrived."""
    key = house.client_key("announce", "file")
    house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers={"Authorization": f"Bearer {key}"})
    assert send(house.app.test_client(), key, submission(CONTENTS), CONTENTS).status_code == 202
    return house


def test_each_count_links_to_exactly_its_rows(filed: House) -> None:
    browser = filed.browser(Role.ARCHIVIST)
    page = browser.get("/archive").text
    found = re.findall(r'<a href="(/archive\?list=[a-z-]+)"><b>(\d+)</b></a>', page)
    assert [int(count) for _, count in found] == [1, 0, 0, 0, 1]
    for address, count in found:
        rows = browser.get(address).text.count('<th scope="row"')
        assert rows == int(count)


def test_the_administration_has_a_name_among_the_departments(house: House) -> None:
    house.browser(Role.SYSTEM_ADMIN, ADMINISTRATION)
    heads = re.findall(
        r'<th scope="col" class="number">([^<]*)</th>',
        house.browser(Role.SUPERVISOR).get("/supervision").text,
    )
    assert "系统管理" in heads
    assert ADMINISTRATION not in heads


def test_empty_lists_say_what_to_do(house: House) -> None:
    browser = house.browser(Role.ARCHIVIST)
    assert "cunzheng intake PATH" in browser.get("/archive").text
    for name in ("in-progress", "returned", "quarantined", "original-only", "filed"):
        assert 'class="empty"' in browser.get(f"/archive?list={name}").text
    assert browser.get("/archive?list=nothing").status_code == 422


def test_another_department_sees_nothing(filed: House) -> None:
    browser = filed.browser(Role.ARCHIVIST, "jtys")
    assert "YC-2026-000140" not in browser.get("/archive").text
    assert browser.get("/archive/cases/ycsl/YC-2026-000140").status_code == 404


def test_the_page_of_a_case_shows_its_materials(filed: House) -> None:
    page = filed.browser(Role.ARCHIVIST).get("/archive/cases/ycsl/YC-2026-000140")
    assert page.status_code == 200
    assert "application-form.pdf" in page.text
    assert "archive.accept" in page.text
    assert "食品经营许可申请书" in page.text
    assert "91339999MADEM0011X" not in page.text


def test_a_returned_attempt_has_a_slip_for_its_own_department_only(filed: House) -> None:
    address = "/archive/cases/ycsl/YC-2026-000140/return-slip/1"
    own = filed.browser(Role.ARCHIVIST)
    assert own.get(address).status_code == 404
    with filed.rooms.database.writing() as uow:
        (filing,) = uow.session.scalars(select(Filing))
        give_back(uow, load(uow, filing.id), [finding("M03", material="application")], FilingState.RETURNED)
    page = own.get(address)
    assert page.status_code == 200
    assert "退回单" in page.text
    assert "M03" in page.text
    assert finding("M03").remedy_zh in page.text
    assert address in own.get("/archive?list=returned").text
    assert "91339999MADEM0011X" not in page.text
    assert own.get(address.replace("/1", "/2")).status_code == 404
    assert filed.browser(Role.ARCHIVIST, "jtys").get(address).status_code == 404
    assert filed.browser(Role.CLERK).get(address).status_code == 403


def test_the_list_is_narrowed_by_number_item_and_days_and_says_so(filed: House) -> None:
    own = filed.browser(Role.ARCHIVIST)
    today = legal_date(filed.clock.now())
    for query, found in [
        ("number=YC-2026-0001", True),
        ("number=XX", False),
        ("item=nothing", False),
        (f"since={today}&until={today}", True),
        (f"since={today + dt.timedelta(days=1)}", False),
        ("since=today&number=YC", True),
    ]:
        page = own.get(f"/archive?{query}")
        assert page.status_code == 200
        assert ("YC-2026-000140</code>" in page.text) is found
        assert ("没有符合筛选条件" in page.text) is not found
    for wrong in ("since=2026-13-45", "until=yesterday", "since=0001-01-01", "until=9999-12-31"):
        answer = own.get(f"/archive?{wrong}")
        assert answer.status_code == 422
        assert "invalid-input" in answer.text


def test_answers_have_the_members_that_the_description_says(filed: House) -> None:
    key = filed.client_key("announce", "read", "file", "ask")
    headers = {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}
    browser = filed.app.test_client()
    assert set(browser.get("/api/v1/cases", headers=headers).json) == set(CASE_PAGE)
    shown = browser.get(PATH, headers=headers).json
    assert set(shown) == set(CASE_STATE)
    assert set(shown["attempts"][0]) == set(CASE_STATE["attempts"][0])
    again = send(browser, key, submission(CONTENTS), CONTENTS)
    assert set(again.json) == set(RECEIPT)
    other = browser.put("/api/v1/cases/ycsl/N-1", json=CASE_EXAMPLE, headers=headers)
    assert set(other.json) == set(CASE)
    question = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "N-1"}}
    answer = browser.post("/api/v1/proofs", json=question, headers=headers).json
    assert set(answer) == set(PROOF)
    assert set(answer["decision"]) >= set(PROOF["decision"])


def test_the_supervisor_traces_a_case_by_its_number(filed: House) -> None:
    browser = filed.browser(Role.SUPERVISOR)
    page = browser.get("/supervision/trace?q=YC-2026-000140").text
    for title in ("办件登记", "归档接收"):
        assert title in page
    assert "尚未存证" in page
    assert browser.get("/supervision/trace?q=nothing").status_code == 404
    assert browser.get("/supervision/trace").status_code == 200


def test_one_number_of_two_sources_is_a_choice_and_permission_comes_before_it(filed: House) -> None:
    with filed.rooms.database.writing() as uow:
        (case,) = uow.session.scalars(select(Case))
        copy = {column.key: getattr(case, column.key) for column in Case.__table__.columns}
        uow.session.add(Case(**copy | {"id": "0" * 26, "source": "other", "organisation": "jtys"}))
    browser = filed.browser(Role.SUPERVISOR)
    page = browser.get("/supervision/trace?q=YC-2026-000140")
    assert page.status_code == 200
    links = [html.unescape(one) for one in re.findall(r'href="([^"]+source=[^"]+)"', page.text)]
    assert links == [f"/supervision/trace?q=YC-2026-000140&source={name}" for name in ("other", "ycsl")]
    assert "归档接收" in browser.get(links[1]).text
    assert "归档接收" not in browser.get(links[0]).text
    own = filed.browser(Role.ARCHIVIST)
    assert "归档接收" in own.get("/supervision/trace?q=YC-2026-000140").text
    assert own.get(links[0]).status_code == 404


def test_a_trace_shows_titles_beside_codes(filed: House) -> None:
    filed.browser(Role.CLERK).get("/archive")
    browser = filed.browser(Role.SUPERVISOR)
    page = browser.get("/supervision/trace?q=YC-2026-000140").text
    assert "调用方 综合受理系统" in page
    assert "角色无此权限" in browser.get("/supervision/refusals").text
    english = browser.get("/supervision/refusals?lang=en").text
    assert "The role does not allow it" in english


def test_every_code_that_the_rooms_give_as_a_reason_has_a_title() -> None:
    set_language(ZH)
    for code in ("case-closed", "role", "M03", "R.ESTABLISHED", "fonts-not-embedded", "not-found"):
        assert codes.reason_title(code)
    assert codes.reason_title("M03") == "缺少必要材料"
    assert codes.purpose_title("accept") == "收件受理"
    assert codes.reason_title("something-new") == ""


def test_the_policy_trusts_this_log(house: House) -> None:
    answer = house.app.test_client().get("/receipts/policy")
    assert str(parse_policy(answer.text).logs[0]) == house.rooms.keys.log_key
    assert 'filename="cunzheng-policy.txt"' in answer.headers["Content-Disposition"]


def test_the_supervisors_numbers_link_to_their_rows(filed: House) -> None:
    stranger = filed.browser(Role.CLERK)
    stranger.get("/archive")
    browser = filed.browser(Role.SUPERVISOR)
    home = browser.get("/supervision").text
    numbers = dict(re.findall(r'<a href="/supervision/([a-z]+)"><b[^>]*>(\d+)</b>', home))
    assert numbers.keys() == {"late", "refusals", "recalls", "patterns", "intents", "pending"}
    assert int(numbers["refusals"]) == 1
    for name, count in numbers.items():
        assert browser.get(f"/supervision/{name}").text.count('<th scope="row"') == int(count)


@pytest.mark.parametrize("name", ["refusals", "pending"])
def test_every_counted_act_can_be_reached_page_by_page(house: House, name: str) -> None:
    refused = Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=system_identity("test"),
        object_type="route",
        object_id="x",
        outcome=Outcome.REFUSED,
        reasons=["role"],
    )
    browser = house.browser(Role.SUPERVISOR)
    with house.rooms.database.writing() as uow:
        for _ in range(2 * ROWS + 1):
            uow.record(refused)
    home = browser.get("/supervision").text
    counted = re.search(rf'<a href="/supervision/{name}"><b[^>]*>(\d+)</b>', home)
    assert counted is not None
    assert int(counted[1]) > 2 * ROWS
    address, seen, pages = f"/supervision/{name}", [], 0
    while address:
        page = browser.get(address).text
        assert f"<small>{counted[1]}</small></h1>" in page
        seen += re.findall(r'class="receipt" href="([^"]+)"', page)
        following = re.search(r'<nav class="pages"[^>]*><a href="([^"]+)"', page)
        address, pages = html.unescape(following[1]) if following else "", pages + 1
    assert len(seen) == len(set(seen)) == int(counted[1])
    assert pages == 3
    assert browser.get(f"/supervision/{name}?after=nothing").status_code == 422


def test_a_trace_of_what_one_may_not_see_is_a_recorded_refusal(filed: House) -> None:
    browser = filed.browser(Role.ARCHIVIST, "jtys")
    for key in ("YC-2026-000140", "nothing"):
        page = browser.get(f"/supervision/trace?q={key}").text
        assert "没有可追溯的办件" in page
        assert f'value="{key}"' in page, "what was typed can be corrected"
        assert filed.acts()[-1] == "access.refused"
    assert filed.acts().count("access.refused") == 2


def test_a_trace_opens_nothing(filed: House) -> None:
    headers = {"Authorization": f"Bearer {filed.client_key('ask')}", "Access-Operator": "op-1"}
    question = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "YC-2026-000140"}}
    assert filed.app.test_client().post("/api/v1/proofs", json=question, headers=headers).status_code == 200
    browser = filed.browser(Role.SUPERVISOR)
    with filed.rooms.database.writing() as uow:
        uow.secrets.destroy(uow.session.scalars(select(Case.holder_id)).one())
    page = browser.get("/supervision/trace?q=YC-2026-000140")
    assert page.status_code == 200
    assert "核验结论" in page.text
    assert "重算" not in page.text


def test_a_late_case_is_shown_as_such(filed: House) -> None:
    headers = {"Authorization": f"Bearer {filed.client_key('announce')}"}
    closed = CASE_EXAMPLE | {"closed_at": "2026-11-23T09:00:00+08:00"}
    assert filed.app.test_client().put(PATH, json=closed, headers=headers).status_code == 200
    assert figures(filed).get_sample_value("cunzheng_filings_late") == 0
    filed.clock.advance(60 * 24 * 3600)
    assert figures(filed).get_sample_value("cunzheng_filings_late") == 1
    browser = filed.browser(Role.SUPERVISOR)
    assert "YC-2026-000140" in browser.get("/supervision/late").text
    assert "已办结，逾期未归档" in browser.get("/supervision/trace?q=YC-2026-000140").text


def test_a_receipt_that_is_not_ready_says_so(filed: House) -> None:
    with filed.rooms.database.reading() as uow:
        act = filed.first_act(uow)
    page = filed.app.test_client().get(f"/receipts/{act}")
    assert page.status_code == 200
    assert "回执在下一个检查点公布后生成" in page.text
    assert filed.app.test_client().get("/receipts/" + "0" * 64).status_code == 404


def test_two_han_characters_find_a_title_within_the_department(house: House) -> None:
    document = IndexDocument(
        id="0" * 26,
        kind="dossier",
        title="演示食品有限公司食品经营许可核发",
        text="食品经营许可申请书 现场核查记录",
        organisation="scjg",
        number="Z901-2026-1",
        at=house.clock.now(),
    )
    house.rooms.index.put(document)
    page = house.browser(Role.ARCHIVIST).get("/search?q=经营").text
    assert "<mark>经营</mark>" in page
    assert "共 1 条" in page
    assert "共 0 条" in house.browser(Role.ARCHIVIST, "jtys").get("/search?q=经营").text
    assert house.browser(Role.ARCHIVIST).get("/search?q=！").status_code == 422


def test_a_dossier_that_is_not_there_is_a_recorded_refusal(house: House) -> None:
    browser = house.browser(Role.ARCHIVIST)
    assert browser.get("/dossiers/none").status_code == 404
    assert house.acts()[-1] == "access.refused"


def test_the_rail_marks_the_desk_on_every_page_to_which_it_leads(filed: House) -> None:
    archivist, supervisor = filed.browser(Role.ARCHIVIST), filed.browser(Role.SUPERVISOR)
    for browser, path, desk, marked in (
        (archivist, "/archive", "/archive", "page"),
        (archivist, "/supervision/late", "/archive", "true"),
        (archivist, "/search", "/search", "page"),
        (supervisor, "/supervision/late", "/supervision", "true"),
    ):
        rail = browser.get(path).text.partition('<nav class="rail"')[2].partition("</nav>")[0]
        assert re.findall(r'<a href="([^"]+)" aria-current="(page|true)"', rail) == [(desk, marked)], path


def test_a_trace_leads_nobody_to_what_is_refused(filed: House) -> None:
    file_dossier(filed, "1")
    trace = "/supervision/trace?q=2026-1"
    assert 'href="/dossiers/' in filed.browser(Role.SUPERVISOR).get(trace).text
    page = filed.browser(Role.AUDIT_ADMIN, "office").get(trace).text
    assert "档号" in page
    assert 'href="/dossiers/' not in page
