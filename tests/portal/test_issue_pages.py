# SPDX-License-Identifier: Apache-2.0
"""An office issues a licence by itself at a page: form by type, preview that is no licence, issue."""

import io
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from flask.testing import FlaskClient
from license_library import BUSINESS, COMPANY, FACES, FOOD
from sqlalchemy import func, select

from licenses.models import License
from storage.identity import Role
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

from .conftest import House, form_token, make_house

FACE = {f"face.{name}": str(value) for name, value in FACES[FOOD].items()}
STATED = FACE | {
    "type": FOOD,
    "holder_scheme": COMPANY[0],
    "holder_code": COMPANY[1],
    "holder_name": COMPANY[2],
    "number": "JY20000000000001",
    "issued_on": "2026-11-20",
    "valid_from": "2026-11-20",
    "valid_until": "2031-11-19",
}
GROUNDS = {"reason": "依职权补发", "legal_basis": "食品安全法第三十五条"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.rooms.database.close()


@pytest.fixture
def browser(house: House) -> FlaskClient:
    return house.browser(Role.LICENSE_MANAGER, "scjg")


def send(browser: FlaskClient, path: str = "/licences/issue", **form: str) -> "tuple[int, bytes]":
    token = form_token(browser.get(f"/licences/issue?type={FOOD}").text)
    answer = browser.post(path, data={**form, "form_token": token})
    return answer.status_code, answer.data


def licences(house: House) -> int:
    with house.rooms.database.reading() as uow:
        return uow.session.scalar(select(func.count()).select_from(License)) or 0


def test_the_form_follows_the_definition_and_offers_the_department_s_types_only(browser: FlaskClient) -> None:
    page = browser.get(f"/licences/issue?type={FOOD}").text
    assert "主体业态" in page
    assert "餐饮服务经营者" in page
    assert BUSINESS in browser.get("/licences/issue").text
    assert "不动产权证书" not in browser.get("/licences/issue").text
    assert "主体业态" not in browser.get("/licences/issue?type=11100000MB03271699001").text


def test_a_preview_states_what_was_typed_and_cannot_be_taken_for_a_licence(
    house: House, browser: FlaskClient
) -> None:
    status, data = send(browser, "/licences/issue/preview", **STATED)
    assert (status, data[:5]) == (200, b"%PDF-")
    with pypdfium2.PdfDocument(data) as document:
        text = [page.get_textpage().get_text_bounded() for page in document]
    assert all("预览 · 非证照 · 尚未签发" in page and page.count("预览") > 20 for page in text)
    assert "JY20000000000001" in text[0]
    assert "1.2.156.3005.2" not in "".join(text)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.attachments) == 0
        assert "/AcroForm" not in pdf.Root
    assert send(browser, "/licences/issue/preview", **STATED)[1] == data, "the same values, the same bytes"
    assert licences(house) == 0


def test_what_is_issued_is_reserved_recorded_and_listed(house: House, browser: FlaskClient) -> None:
    assert send(browser, **STATED, **GROUNDS)[0] == 303
    with house.rooms.database.reading() as uow:
        made = uow.session.scalars(select(License)).one()
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == ActKind.LICENSE_RESERVED)).all()
    assert (made.origin, made.number, made.organisation, made.item_code) == (
        "office",
        "JY20000000000001",
        "scjg",
        "339999010002",
    )
    assert [one.object_id for one in acts] == [made.id]
    page = browser.get("/licences/issue").text
    assert made.identifier in page
    assert "制证中" in page
    assert COMPANY[2] not in page
    assert send(browser, **STATED, **GROUNDS)[0] == 409, "the number is in use"
    assert licences(house) == 1


@pytest.mark.parametrize(
    ("changes", "status", "named"),
    [
        ({"valid_until": "2020-01-01"}, 422, "valid_until"),
        ({"issued_on": "yesterday"}, 422, "issued_on"),
        ({"holder_code": "91339999MADEM00119"}, 422, "holder_code"),
        ({"holder_name": ""}, 422, "holder_name"),
        ({"face.business_form": "无此业态"}, 422, "business_form"),
        ({"number": ""}, 422, "number"),
        ({"reason": ""}, 422, "reason"),
        ({"replaces": "nothing", "change": "renewal"}, 422, "replaces"),
        ({"type": "11100000MB03271699001"}, 422, ""),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_what_was_typed_is_kept(
    house: House, browser: FlaskClient, changes: dict[str, str], status: int, named: str
) -> None:
    code, page = send(browser, **STATED | GROUNDS | changes)
    assert code == status
    assert named.encode() in page
    if "type" not in changes:
        assert GROUNDS["legal_basis"].encode() in page, "what was typed is kept"
    assert licences(house) == 0


def test_more_rows_are_offered_and_nothing_is_lost(browser: FlaskClient) -> None:
    code, page = send(browser, **STATED, rows="3", more="1")
    assert code == 200
    assert b'name="rows" value="6"' in page
    assert b"JY20000000000001" in page


def test_others_than_licence_managers_find_no_such_page(house: House) -> None:
    for role in (Role.CLERK, Role.ARCHIVIST, Role.SUPERVISOR):
        assert house.browser(role, "scjg").get("/licences/issue").status_code == 403
