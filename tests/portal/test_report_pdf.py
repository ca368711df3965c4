# SPDX-License-Identifier: Apache-2.0
"""The report of a check as PDF: what the page says, in its language, and a code that opens the receipt."""

import base64
import datetime as dt
import io
import re
from dataclasses import replace

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from fakes import HandClock
from pdf_text import text_of

from documents.typesetting import Typesetter
from portal.check_lines import NOT_A_LICENSE, NOT_CHECKED
from portal.checking import CheckReport, judge
from portal.i18n import EN, ZH, set_language
from portal.web.report_pdf import ReportOrigin, report_pdf
from seals.verdicts import SignatureReport, State, Verdict
from storage.ledger.acts import Promise

from .conftest import House, form_token

AT = HandClock().now()
ACT = "0f" * 32
ORIGIN = ReportOrigin("演示市政务服务中心", "https://zhengzhao.example.invalid/", demo=True)
HAN = re.compile(r"[\u4e00-\u9fff]+")


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


def _report(state: State = State.VALID, reason: str = "seal-holds", *, recorded: bool = True) -> CheckReport:
    seal = SignatureReport(
        field="Seal",
        kind="certification",
        state=state,
        reasons=(reason,),
        signer="Demonstration Bureau",
        issuer="Demonstration CA",
        certificate_sha256="cd" * 32,
        sealed_at=AT,
        token_authority="Demonstration TSA",
    )
    verdict = Verdict(state, (reason,), (seal,), "ab" * 32, 4711, AT)
    promise = Promise("log", ACT, AT + dt.timedelta(seconds=300)) if recorded else None
    return judge(verdict, NOT_A_LICENSE if state is State.VALID else NOT_CHECKED, promise=promise)


def _flat(pdf: bytes) -> str:
    return re.sub(r"\s+", "", text_of(pdf))


def test_one_report_says_answer_grounds_seal_digest_and_number(typesetter: Typesetter) -> None:
    set_language(ZH)
    pdf = report_pdf(typesetter, [("证照.pdf", _report())], ORIGIN)
    text = _flat(pdf)
    for said in ("有效", "证照.pdf", "DemonstrationBureau", "DemonstrationTSA", "4711B", "ab" * 32, ACT):
        assert said in text
    assert "2026-11-2409:00:00+08:00" in text
    assert "无法律效力" in text
    assert "https://zhengzhao.example.invalid/verify" in text
    assert report_pdf(typesetter, [("证照.pdf", _report())], ORIGIN) == pdf


def test_it_is_in_the_language_of_the_page(typesetter: Typesetter) -> None:
    set_language(EN)
    english = replace(ORIGIN, operator="Demonstration office")
    pdf = report_pdf(typesetter, [("licence.pdf", _report(State.INVALID, "signature-wrong"))], english)
    set_language(ZH)
    text = text_of(pdf)
    assert "Invalid" in text
    assert "Report on a document check" in text
    assert HAN.findall(text) == []


def test_a_recorded_check_has_a_code_that_opens_its_receipt(typesetter: Typesetter) -> None:
    pdf = report_pdf(typesetter, [("a.pdf", _report())], ORIGIN)
    with pypdfium2.PdfDocument(pdf) as document:
        image = document[len(document) - 1].render(scale=3).to_pil()
    (code,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text == f"https://zhengzhao.example.invalid/receipts/{ACT}"


def test_a_check_that_is_not_recorded_has_no_number_and_says_so(typesetter: Typesetter) -> None:
    text = _flat(report_pdf(typesetter, [("a.pdf", _report(recorded=False))], ORIGIN))
    assert "本报告没有编号" in text
    assert ACT not in text


def test_several_files_are_a_table_first_and_a_page_each(typesetter: Typesetter) -> None:
    reports = [("a.pdf", _report()), ("b.pdf", _report(State.INVALID, "signature-wrong"))]
    pdf = report_pdf(typesetter, reports, ORIGIN)
    with pikepdf.open(io.BytesIO(pdf)) as read:
        assert len(read.pages) == 1 + len(reports)
    with pypdfium2.PdfDocument(pdf) as document:
        first = document[0].get_textpage().get_text_bounded()
    for said in ("a.pdf", "b.pdf", "有效", "无效"):
        assert said in first


@pytest.mark.parametrize("name", ["", "\U0001f600.pdf", "a\u202efdp.exe", '#panic("x")', "x" * 300])
def test_no_name_of_a_file_breaks_it_or_becomes_source(typesetter: Typesetter, name: str) -> None:
    text = _flat(report_pdf(typesetter, [(name, _report())], ORIGIN))
    assert "有效" in text
    assert "\u202e" not in text
    if name.startswith("#"):
        assert '#panic("x")' in text


@pytest.mark.parametrize("count", [1, 2])
def test_the_page_offers_it_as_a_file_to_save(house: House, count: int) -> None:
    browser = house.app.test_client()
    form = {
        "form_token": form_token(browser.get("/verify").text),
        "file": [(io.BytesIO(b"no PDF"), f"{number}.pdf") for number in range(count)],
    }
    page = browser.post("/verify", data=form, content_type="multipart/form-data").text
    found = re.search(r'href="data:application/pdf;base64,([^"]+)" download="reports?[-\w]*\.pdf"', page)
    assert found is not None
    text = _flat(base64.b64decode(found[1]))
    assert "0.pdf" in text
    assert "无法判定" in text
    assert house.app.extensions["cunzheng.settings"].operator_name.replace(" ", "") in text
