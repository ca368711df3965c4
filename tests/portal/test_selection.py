# SPDX-License-Identifier: Apache-2.0
"""Several cases of the archive desk at once: who may, what is done for which, and what is not and why."""

import csv
import io
import re
import zipfile
from typing import Any

import pytest
from sqlalchemy import select

from archive.filings import give_back, load
from archive.findings import finding
from archive.models import Filing, FilingState
from portal.spreadsheet import spreadsheet
from portal.web.pages_selection import MOST, RESULT
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role

from .conftest import House, form_token
from .test_api_cases import PATH, send, submission

CONTENTS = {"application-form": b"%PDF-1.7 one", "decision": b"%PDF-1.7 two"}
LOOK, PACKAGES = "/archive/selection", "/archive/selection/packages"
NUMBER = "YC-2026-000140"


@pytest.fixture
def filed(house: House) -> House:
    """A house with two attempts of a case: one returned, one in progress."""
    key = house.client_key("announce", "file")
    house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers={"Authorization": f"Bearer {key}"})
    assert send(house.app.test_client(), key, submission(CONTENTS), CONTENTS).status_code == 202
    with house.rooms.database.writing() as uow:
        (filing,) = uow.session.scalars(select(Filing))
        give_back(uow, load(uow, filing.id), [finding("M03", material="application")], FilingState.RETURNED)
    house.clock.advance(60)
    again = CONTENTS | {"decision": b"%PDF-1.7 corrected"}
    assert send(house.app.test_client(), key, submission(again), again).status_code == 202
    return house


def _ids(house: House) -> dict[str, str]:
    with house.rooms.database.reading() as uow:
        return {one.state: one.id for one in uow.session.scalars(select(Filing))}


def _query(action: str, *ids: str) -> dict[str, Any]:
    return {"action": action, "pick": list(ids)}


def test_every_row_can_be_selected_one_by_one_or_all_without_script(filed: House) -> None:
    browser = filed.browser(Role.ARCHIVIST)
    page = browser.get("/archive").text
    boxes = re.findall(r'<input form="selection" type="checkbox" name="pick" value="(\w+)"([^>]*)>', page)
    assert {value for value, _ in boxes} == set(_ids(filed).values())
    assert all(f'aria-label="选择 {NUMBER}' in rest for _, rest in boxes)
    assert "checked" not in page
    assert browser.get("/archive?pick=all").text.count(" checked>") == 2


def test_slips_of_what_was_returned_are_printed_and_the_rest_is_told_why_not(filed: House) -> None:
    ids = _ids(filed)
    page = filed.browser(Role.ARCHIVIST).get(LOOK, query_string=_query("slips", *ids.values())).text
    assert "所选 2 件中办理 1 件" in page
    assert page.count("未退回：没有退回单") == 1
    assert page.count('<article class="sheet">') == 1
    assert finding("M03").remedy_zh in page
    assert "91339999MADEM0011X" not in page
    english = filed.browser(Role.ARCHIVIST).get(
        LOOK, query_string=_query("slips", *ids.values()) | {"lang": "en"}
    )
    assert "not returned: there is no slip" in english.text


def test_the_other_language_keeps_the_whole_selection(filed: House) -> None:
    ids = _ids(filed)
    page = filed.browser(Role.ARCHIVIST).get(LOOK, query_string=_query("slips", *ids.values())).text
    (other,) = re.findall(r'href="([^"]+)" lang="en"', page)
    assert all(f"pick={one}" in other for one in ids.values())


def test_without_a_dossier_nothing_is_packed_and_the_table_says_so(filed: House) -> None:
    browser, ids = filed.browser(Role.ARCHIVIST), _ids(filed)
    page = browser.get(LOOK, query_string=_query("packages", *ids.values())).text
    assert page.count("未归档：尚无案卷") == 2
    assert PACKAGES not in page, "there is nothing to download"
    token = form_token(page)
    answer = browser.post(PACKAGES, data={"form_token": token, "pick": list(ids.values())}, buffered=True)
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == [RESULT]
        table = list(csv.DictReader(io.StringIO(archive.read(RESULT).decode("utf-8-sig"))))
    assert [row["办件编号"] for row in table] == [NUMBER, NUMBER]
    assert {row["结果"] for row in table} == {"未办理"}
    assert {row["未办理原因"] for row in table} == {"未归档：尚无案卷"}
    assert "dossier.read" not in filed.acts()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (_query("slips", *(f"{number:026d}" for number in range(MOST + 1))), 422),
        (_query("destroy", "x"), 422),
        (_query("slips", "no such filing"), 404),
    ],
)
def test_what_is_no_selection_is_refused(filed: House, query: dict[str, Any], status: int) -> None:
    assert filed.browser(Role.ARCHIVIST).get(LOOK, query_string=query).status_code == status


@pytest.mark.parametrize("action", ["slips", "packages"])
def test_who_selected_nothing_is_told_to_tick_and_comes_back_to_the_same_list(
    filed: House, action: str
) -> None:
    browser = filed.browser(Role.ARCHIVIST)
    shown = browser.get("/archive?list=returned&number=YC").text
    hidden = dict(re.findall(r'<input type="hidden" name="(list|number)" value="(\w+)">', shown))
    assert hidden == {"list": "returned", "number": "YC"}
    answer = browser.get(LOOK, query_string=_query(action) | hidden)
    assert answer.status_code == 422
    assert "尚未选择办件" in answer.text
    assert 'href="/archive?list=returned&amp;number=YC"' in answer.text


def test_another_department_and_another_role_reach_nothing(filed: House) -> None:
    query = _query("slips", *_ids(filed).values())
    other = filed.browser(Role.ARCHIVIST, "jtys")
    assert other.get(LOOK, query_string=query).status_code == 404
    assert filed.acts()[-1] == "access.refused"
    token = form_token(other.get("/account").text)
    assert other.post(PACKAGES, data={"form_token": token, "pick": query["pick"]}).status_code == 404
    assert other.post(PACKAGES, data={"pick": query["pick"]}).status_code == 403
    assert filed.browser(Role.CLERK).get(LOOK, query_string=query).status_code == 403
    assert filed.app.test_client().get(LOOK, query_string=query).status_code == 303


def test_the_list_tells_how_far_each_case_is_and_can_be_looked_at_again(filed: House) -> None:
    page = filed.browser(Role.ARCHIVIST).get("/archive?list=in-progress").text
    assert "第 1 步，共 7 步" in page
    assert "核验办结信息" in page
    assert '<progress value="0" max="7"' in page, "nothing is done before the first step is"
    assert '<a href="/archive?list=in-progress">重新查看</a>' in page
    case = filed.browser(Role.ARCHIVIST).get(f"/archive/cases/ycsl/{NUMBER}").text
    assert "第 1 步，共 7 步" in case
    assert "重新查看" in case


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_the_table_is_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(spreadsheet([[text, "ZJ-2026-1"]]).decode("utf-8-sig"), newline=""))
    assert row == [f"'{text}", "ZJ-2026-1"]
