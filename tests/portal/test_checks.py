# SPDX-License-Identifier: Apache-2.0
"""Checking a document without login: page, interface, code, and the limit."""

import base64
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fakes import HandClock
from press import DEPARTMENTS, Press
from werkzeug.test import TestResponse

from portal.check_answers import report_json
from portal.check_lines import NOT_A_LICENSE, NOT_CHECKED, Headline, Line
from portal.checking import judge
from portal.web.examples import REPORT
from seals import demo_pki
from seals.keys import FileKeyStore
from seals.verdicts import State, Verdict
from storage.clock import RandomIds

from .conftest import House, form_token, make_house


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Press:
    folder = tmp_path_factory.mktemp("authority")
    clock = HandClock()
    pki = demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), clock, DEPARTMENTS)
    return Press(pki, pki.tsa(RandomIds()), clock)


@pytest.fixture(scope="module")
def plain() -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue() + b"\n"


def _send(house: House, data: bytes) -> Any:
    parts = {"file": (io.BytesIO(data), "张三的证照.pdf", "application/pdf")}
    browser = house.app.test_client()
    return browser.post("/api/v1/verifications", data=parts, content_type="multipart/form-data")


def test_a_file_without_seal_cannot_be_judged(house: House, plain: bytes) -> None:
    report = _send(house, plain)
    assert report.status_code == 200
    assert report.json["headline"]["zh"] == "无法判定"
    assert "没有电子印章" in report.json["file"]["zh"]
    assert house.acts() == []
    assert house.app.test_client().get("/healthz").json["counts"] == {"unmatched-upload": 1}


@pytest.mark.parametrize("data", [b"x", b"%PDF-1.7\n%%EOF", b"\x00" * 4096])
def test_what_is_no_pdf_is_never_valid(house: House, data: bytes) -> None:
    assert _send(house, data).json["headline"]["code"] != "valid"


def _verdict(state: State, reason: str) -> Verdict:
    return Verdict(state, (reason,), (), "ab" * 32, 1, HandClock().now())


EXPIRED = Line("expired", Headline.INVALID, "已过期", "Expired", ("证照已过期", "licence status: expired"))


@pytest.mark.parametrize(
    ("state", "reason", "line", "headline", "sentence"),
    [
        (State.VALID, "seal-holds", NOT_A_LICENSE, Headline.VALID, "电子印章有效："),
        (State.VALID, "seal-holds", EXPIRED, Headline.INVALID, "文件真实，证照已过期"),
        (State.VALID, "seal-holds", NOT_CHECKED, Headline.CANNOT_TELL, "文件真实，证照状态未核验"),
        (State.INDETERMINATE, "no-seal", NOT_CHECKED, Headline.CANNOT_TELL, "文件没有电子印章。"),
        (State.INDETERMINATE, "seal-revoked-after", EXPIRED, Headline.INVALID, "无法判定；证照已过期"),
        (State.INVALID, "signature-wrong", EXPIRED, Headline.INVALID, "签名值不正确。"),
    ],
)
def test_the_headline_is_the_worse_line_and_the_sentence_says_which(
    state: State, reason: str, line: Line, headline: Headline, sentence: str
) -> None:
    report = judge(_verdict(state, reason), line)
    assert report.headline is headline
    assert sentence in report.sentence[0]
    assert [title[0] for title, _ in report.lines] == ["文件", "证照状态"]
    shown = report_json(report)
    assert shown["licence"]["zh"] == line.zh
    assert shown["licence"]["standing"] == (line.standing or "not-applicable")


def test_a_report_has_the_members_that_the_description_says(house: House, plain: bytes) -> None:
    report = _send(house, plain).json
    assert set(report) == set(REPORT)
    for part in ("file", "licence", "verdict"):
        assert set(report[part]) == set(REPORT[part])
    assert report["licence"] == {
        "code": "not-checked",
        "standing": "cannot-tell",
        "zh": "未核验",
        "en": "Not checked",
    }


def test_no_file_is_malformed(house: House) -> None:
    assert _send(house, b"").status_code == 422
    browser = house.app.test_client()
    assert browser.post("/api/v1/verifications", json={}).status_code == 415


def test_the_report_is_a_page_that_names_digest_and_time(house: House, plain: bytes) -> None:
    browser = house.app.test_client()
    field = form_token(browser.get("/verify").text)
    parts = {"file": (io.BytesIO(plain), "a.pdf"), "form_token": field}
    page = browser.post("/verify", data=parts, content_type="multipart/form-data")
    assert page.status_code == 200
    assert "无法判定" in page.text
    assert "未核验" in page.text
    assert "SHA-256" in page.text
    assert "2026-11-24 09:00:00 +08:00" in page.text
    assert "<dd>a.pdf</dd>" in page.text
    assert "此类查验不存证" in page.text


def _page_of(house: House, *files: tuple[bytes, str]) -> TestResponse:
    browser = house.app.test_client()
    field = form_token(browser.get("/verify").text)
    parts = {"file": [(io.BytesIO(data), name) for data, name in files], "form_token": field}
    return browser.post("/verify", data=parts, content_type="multipart/form-data")


def _saved(page: TestResponse) -> dict[str, Any]:
    found = re.search(r'href="data:application/json;base64,([\w+/=]+)" download', page.text)
    assert found is not None
    saved: dict[str, Any] = json.loads(base64.b64decode(found[1]))
    return saved


def test_several_files_are_a_table_with_each_report_in_the_order_sent(house: House, plain: bytes) -> None:
    page = _page_of(house, (plain, "甲.pdf"), (b"no document", "<b>.pdf"), (plain, ""))
    assert page.status_code == 200
    assert page.text.count("<h2>依据</h2>") == 3
    assert "&lt;b&gt;.pdf" in page.text
    assert "<b>.pdf" not in page.text
    saved = _saved(page)["reports"]
    assert [one["name"] for one in saved] == ["甲.pdf", "<b>.pdf", ""]
    assert [one["verdict"]["sha256"] for one in saved] == [
        hashlib.sha256(data).hexdigest() for data in (plain, b"no document", plain)
    ]


def test_the_saved_report_is_what_the_interface_answers(house: House, plain: bytes) -> None:
    saved, answered = _saved(_page_of(house, (plain, "a.pdf"))), _send(house, plain).get_json()
    assert saved == answered


def test_each_of_several_files_counts_against_a_strangers_allowance(house: House, plain: bytes) -> None:
    files = [(plain, f"{number}.pdf") for number in range(20)]
    assert _page_of(house, *files).status_code == 200
    assert _page_of(house, *files).status_code == 429


def test_too_many_files_or_an_empty_one_are_refused(house: House, plain: bytes) -> None:
    assert _page_of(house, *[(plain, "a.pdf")] * 21).status_code == 422
    assert _page_of(house, (plain, "a.pdf"), (b"", "b.pdf")).status_code == 422


def test_an_unknown_code_looks_like_none_and_is_counted(house: House) -> None:
    browser = house.app.test_client()
    answer = browser.get("/v/" + "0" * 26)
    assert answer.status_code == 404
    assert "没有与此核验码或文件对应的证照" in answer.text
    assert house.acts() == []


def test_a_code_may_be_typed_in_groups(house: House) -> None:
    typed = {"code": "0000 0000-0000 0000 0000 0000 00"}
    answer = house.app.test_client().get("/verify/code", query_string=typed)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/v/" + "0" * 26


def test_strangers_have_an_allowance_that_fills_again(house: House) -> None:
    browser = house.app.test_client()
    answers = [browser.get("/v/" + "0" * 26).status_code for _ in range(31)]
    assert answers == [404] * 30 + [429]
    house.clock.advance(2)
    assert browser.get("/v/" + "0" * 26).status_code == 404


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    house = make_house(tmp_path, max_verification=2048)
    answer = _send(house, b"%PDF" + b"\0" * 4096)
    assert answer.status_code == 413
    assert answer.json["code"] == "too-large"
    assert list(house.staging.iterdir()) == []
    house.rooms.database.close()


def test_the_page_says_what_it_does_not_check(house: House) -> None:
    for language, words in (("zh", "不核验"), ("en", "Not checked here")):
        page = house.app.test_client().get(f"/verify?lang={language}").text
        assert words in page
        assert "OFD" in page
        assert "SM2" in page


def test_what_cannot_be_read_or_verified_is_never_valid() -> None:
    report = judge(_verdict(State.UNSUPPORTED, "algorithm-unsupported"), NOT_A_LICENSE)
    assert report.headline is Headline.CANNOT_TELL
    assert {one for one in State if judge(_verdict(one, "no-seal"), NOT_A_LICENSE).headline == "valid"} == {
        State.VALID,
        State.VALID_WITH_CHANGES,
    }
