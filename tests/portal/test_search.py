# SPDX-License-Identifier: Apache-2.0
"""The search page: facets, orders, marks, pages, and the list that is taken away."""

import csv
import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from indexer.document import IndexDocument
from portal import search_lists
from storage.identity import Role
from storage.ledger.models import LedgerAct

from .conftest import House, form_token

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
FOOD = "339999010002"


def document(number: int, /, **changes: str) -> IndexDocument:
    values = {
        "kind": "dossier",
        "title": f"演示食品{number}",
        "text": "食品经营许可申请书",
        "organisation": "scjg",
        "number": f"Z901-2026-{number:04d}",
        "item": FOOD,
        "state": "filed",
    } | changes
    return IndexDocument(id=f"{number:026d}", at=NOON + dt.timedelta(minutes=number), **values)


@pytest.fixture
def found(house: House) -> House:
    """A house whose index holds 25 dossiers and two licences of one department, and a dossier of another."""
    words = {"kind": "licence", "type": "11100000000013338W007", "trust": "B"}
    licence = replace(document(30, **words, state="issued", title="食品证照"), since=NOON, seal="S1")
    revoked = document(31, **words, state="revoked", title="食品旧证")
    other = document(40, organisation="jtys", title="演示食品运输")
    house.rooms.index.put_all([*(document(number) for number in range(25)), licence, revoked, other])
    return house


def links(page: str) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'href="(/search\?[^"]+)"', page)]


def narrowing(page: str, value: str) -> str:
    (link,) = [one for one in links(page) if value in one]
    return link


def titles(page: str) -> list[str]:
    rows = re.findall(r'<th scope="row">(.*?)<br>', page)
    return [re.sub(r"<[^>]+>", "", row) for row in rows]


def exported(browser: FlaskClient, **form: str) -> tuple[int, str]:
    token = form_token(browser.get("/search?q=食品").text)
    answer = browser.post("/search/export", data={"form_token": token, **form})
    return answer.status_code, answer.text


def rows(text: str) -> Sequence[Sequence[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_each_facet_leads_to_what_it_counts(found: House) -> None:
    browser = found.browser(Role.ARCHIVIST)
    page = browser.get("/search?q=食品").text
    assert "共 26 条" in page
    licences = browser.get(narrowing(page, "kind=licence")).text
    assert "共 1 条" in licences
    assert titles(licences) == ["食品证照"]
    assert 'aria-current="true"' in licences
    back = narrowing(licences, "kind=dossier")
    assert "共 25 条" in browser.get(back).text


def test_counts_tell_nothing_of_other_departments(found: House) -> None:
    page = found.browser(Role.ARCHIVIST).get("/search?q=食品").text
    assert "organisation=" not in page, "one department alone tells nothing apart"
    everything = found.browser(Role.SUPERVISOR).get("/search?q=食品").text
    assert "共 27 条" in everything
    assert narrowing(everything, "organisation=jtys")
    foreign = found.browser(Role.ARCHIVIST).get("/search?q=食品&organisation=jtys").text
    assert "共 0 条" in foreign
    assert "演示食品运输" not in foreign


def test_every_order_is_paged_without_gaps_and_a_facet_begins_at_the_first_page(found: House) -> None:
    browser = found.browser(Role.ARCHIVIST)
    for sort in ("relevance", "newest", "number"):
        first = browser.get(f"/search?q=食品&sort={sort}").text
        second = browser.get(narrowing(first, "after=").replace("after=", "lang=zh&after=")).text
        seen = titles(first) + titles(second)
        assert (len(seen), len(set(seen))) == (26, 26), sort
        assert all("after=" not in link for link in links(second) if "kind=" in link)
    assert titles(browser.get("/search?q=食品&sort=number").text)[:2] == ["演示食品0", "演示食品1"]
    assert titles(browser.get("/search?q=食品&sort=newest").text)[:2] == ["食品证照", "演示食品24"]
    assert browser.get("/search?q=食品&sort=price").status_code == 422


def test_a_mark_is_the_only_markup_of_a_hit(house: House) -> None:
    hostile = '<script>alert(1)</script><b onclick="x">食品</b>&amp;'
    house.rooms.index.put(document(1, title=hostile, text=hostile, number="<i>9"))
    page = house.browser(Role.ARCHIVIST).get("/search?q=食品").text
    assert page.count("<mark>食品</mark>") == 2
    assert "<script>alert" not in page
    assert "<b onclick" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<i>9" not in page


def test_the_list_is_taken_away_as_an_act_with_its_digest(found: House) -> None:
    browser = found.browser(Role.ARCHIVIST)
    status, text = exported(browser, q="食品", kind="dossier", sort="number")
    assert status == 200
    heads, *lines = rows(text)
    assert heads == ["题名", "种类", "编号", "部门", "日期", "可信等级", "状态"]
    assert [line[2] for line in lines] == [f"Z901-2026-{number:04d}" for number in range(25)]
    assert {line[1] for line in lines} == {"案卷"}
    with found.rooms.database.reading() as uow:
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "search.exported")).one()
        notes = json.loads(uow.secrets.decrypt(act.detail))["notes"]
        core = json.loads(act.core)
    assert core["object"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert notes == {
        "text": "食品",
        "kinds": ["dossier", "licence"],
        "chosen": {"kind": "dossier"},
        "ended": False,
        "sort": "number",
        "rows": 25,
    }
    assert not found.some_core_holds("食品".encode())


def test_who_works_at_a_window_takes_no_list_and_the_refusal_is_recorded(found: House) -> None:
    browser = found.browser(Role.CLERK)
    page = browser.get("/search?q=食品").text
    assert "导出清单" not in page
    token = form_token(browser.get("/window").text)
    answer = browser.post("/search/export", data={"form_token": token, "q": "食品"})
    assert answer.status_code in {403, 404}
    assert found.acts()[-1] == "access.refused"
    assert "search.exported" not in found.acts()


def test_more_rows_than_a_list_holds_are_refused_and_not_cut_off(
    found: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_lists, "MOST_ROWS", 25)
    monkeypatch.setattr("portal.web.pages_search.MOST_ROWS", 25)
    browser = found.browser(Role.ARCHIVIST)
    page = browser.get("/search?q=食品").text
    assert "一份清单至多 25 行：请缩小范围后再导出" in page
    token = form_token(page)
    answer = browser.post("/search/export", data={"form_token": token, "q": "食品"})
    assert answer.status_code == 422
    assert "search-list-too-long" in answer.text
    assert "search.exported" not in found.acts()
    assert exported(browser, q="食品", kind="dossier")[0] == 200


def test_no_text_of_a_list_is_a_formula(house: House) -> None:
    house.rooms.index.put(document(1, title="=HYPERLINK(食品)", number="+1"))
    _, text = exported(house.browser(Role.ARCHIVIST), q="食品")
    assert rows(text)[1][0] == "'=HYPERLINK(食品)"
    assert rows(text)[1][2] == "'+1"


def test_the_interface_narrows_sorts_and_counts(found: House) -> None:
    browser = found.browser(Role.ARCHIVIST)
    asked = {"q": "食品", "facets": "true", "sort": "number", "limit": "1"}
    answer = browser.get("/api/v1/search", query_string=asked).json
    assert answer is not None
    assert answer["facets"]["state"] == [{"value": "filed", "count": 25}, {"value": "issued", "count": 1}]
    assert answer["hits"][0]["number"] == "Z901-2026-0000"
    chosen = browser.get("/api/v1/search", query_string=asked | {"state": "issued"}).json
    assert chosen is not None
    assert (chosen["total"], chosen["hits"][0]["kind"]) == (1, "licence")
    assert (chosen["hits"][0]["trust"], chosen["hits"][0]["valid"]) == ("B", True)
    assert (answer["hits"][0]["trust"], answer["hits"][0]["valid"]) == (None, None)
    for state in ("superseded", "withdrawn", "revoked", "lapsed"):
        every = asked | {"state": state, "ended": "true"}
        found_so = browser.get("/api/v1/search", query_string=every).json
        assert found_so is not None
        assert found_so["total"] == (state == "revoked")
    plain = browser.get("/api/v1/search", query_string={"q": "食品"}).json
    assert plain is not None
    assert set(map(tuple, plain["facets"].values())) == {()}
    for wrong in ({"sort": "price"}, {"year": "26"}, {"state": "valid"}, {"sort": "newest", "after": "W10"}):
        assert browser.get("/api/v1/search", query_string=asked | wrong).status_code == 422


def test_licences_that_are_not_valid_now_are_found_when_asked_for_and_say_so(found: House) -> None:
    browser = found.browser(Role.ARCHIVIST)
    page = browser.get("/search?q=食品&kind=licence").text
    assert titles(page) == ["食品证照"]
    assert "B 级" in page
    every = browser.get(narrowing(page, "ended=1")).text
    assert (titles(every), "共 2 条" in every) == (["食品旧证", "食品证照"], True)
    assert [word in every for word in ("当前无效", "有效")] == [True, True]
    status, text = exported(browser, q="食品", kind="licence", ended="1", sort="newest")
    assert status == 200
    assert [line[5:] for line in rows(text)[1:]] == [["B 级", "当前无效"], ["B 级", "有效"]]
    assert [line[0] for line in rows(exported(browser, q="食品", kind="licence")[1])[1:]] == ["食品证照"]
    nothing = browser.get("/search?q=食品&state=revoked").text
    assert "未列出当前无效的证照" in nothing
    asked = {"q": "食品", "kind": "licence"}
    for more, total in (({}, 1), ({"ended": "true"}, 2)):
        answer = browser.get("/api/v1/search", query_string={**asked, **more}).json
        assert answer is not None
        assert answer["total"] == total


def test_a_day_that_passes_takes_a_licence_from_the_list_and_nothing_is_indexed_anew(found: House) -> None:
    browser = found.browser(Role.ARCHIVIST)
    ends = found.clock.now() + dt.timedelta(seconds=60)
    found.rooms.index.put(
        replace(document(50, kind="licence", title="食品短证", trust="A"), since=NOON, until=ends)
    )
    address = "/search?q=食品短证"
    assert titles(browser.get(address).text) == ["食品短证"]
    found.clock.advance(60)
    assert titles(browser.get(address).text) == []


def test_a_seal_that_is_revoked_takes_its_licences_from_the_list(
    found: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = found.browser(Role.ARCHIVIST)
    since = found.clock.now() + dt.timedelta(seconds=30)
    monkeypatch.setattr(found.rooms.holdings, "revoked_seals", lambda _: {"S1": since})
    assert titles(browser.get("/search?q=食品证照").text) == ["食品证照"]
    found.clock.advance(30)
    assert titles(browser.get("/search?q=食品证照").text) == []
