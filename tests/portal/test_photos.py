# SPDX-License-Identifier: Apache-2.0
"""Entering a verification code by a photo or by a hand scanner, without login and without script."""

import io
from collections.abc import Sequence

import pytest
import segno
from PIL import Image
from werkzeug.test import TestResponse

from portal.web.checks import code_in

from .conftest import House, form_token

CODE, OTHER = "0123456789abcdefghjkmnpqrs", "zzzz456789abcdefghjkmnpqrs"


def _photo(*texts: str) -> bytes:
    sheet = Image.new("L", (400 * max(len(texts), 1), 400), 255)
    for place, text in enumerate(texts):
        drawn = io.BytesIO()
        segno.make_qr(text, error="m").save(drawn, kind="png", scale=5)
        sheet.paste(Image.open(drawn), (400 * place + 40, 40))
    out = io.BytesIO()
    sheet.save(out, "JPEG")
    return out.getvalue()


def _send(house: House, photos: Sequence[bytes], **headers: str) -> TestResponse:
    browser = house.app.test_client()
    parts = [(io.BytesIO(data), f"{place}.jpg", "image/jpeg") for place, data in enumerate(photos)]
    form = {"form_token": form_token(browser.get("/verify").text), "photo": parts}
    return browser.post("/verify/photo", data=form, content_type="multipart/form-data", headers=headers)


def test_the_form_opens_a_telephones_camera_without_script(house: House) -> None:
    page = house.app.test_client().get("/verify").text
    assert 'type="file" accept="image/*"' in page
    assert "<script" not in page


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        CODE.upper(),
        f"https://zhengzhao.example.invalid/v/{CODE}",
        f"http://127.0.0.1:8321/v/{CODE.upper()}",
    ],
)
def test_a_photo_of_a_licences_code_leads_to_its_page(house: House, text: str) -> None:
    answer = _send(house, [_photo(text)])
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/v/{CODE}"
    assert house.acts() == [], "the page of the code records, not the way to it"


def test_the_same_code_twice_is_one_code(house: House) -> None:
    answer = _send(house, [_photo(CODE, f"https://elsewhere.invalid/v/{CODE}", "https://elsewhere.invalid/")])
    assert answer.headers["Location"] == f"/v/{CODE}"


@pytest.mark.parametrize(
    ("texts", "codes"), [((), "0"), (("https://elsewhere.invalid/",), "0"), ((CODE, OTHER), "2")]
)
def test_a_photo_without_exactly_one_code_says_what_to_do(
    house: House, texts: tuple[str, ...], codes: str
) -> None:
    answer = _send(house, [_photo(*texts)])
    assert answer.status_code == 422
    assert "照片中没有读到唯一的核验码" in answer.text
    assert f"<code>photo-without-code</code> <code>codes={codes}</code>" in answer.text
    assert '<a href="/verify">返回查验</a>' in answer.text
    assert "elsewhere" not in answer.text


@pytest.mark.parametrize("photos", [[], [b""], [_photo(CODE), _photo(CODE)]])
def test_one_photo_at_a_time(house: House, photos: list[bytes]) -> None:
    answer = _send(house, photos)
    assert answer.status_code == 422
    assert "invalid-input" in answer.text


def test_what_is_no_photo_is_told_as_a_photo_without_a_code(house: House) -> None:
    assert "photo-without-code" in _send(house, [b"<svg onload=alert(1)>"]).text


def test_a_photo_counts_against_a_strangers_allowance(house: House) -> None:
    limit = house.app.extensions["cunzheng.settings"].public_rate
    for _ in range(limit):
        assert house.app.extensions["cunzheng.limit"].admit("127.0.0.1")
    assert _send(house, [_photo(CODE)]).status_code == 429


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{CODE[:8]} {CODE[8:16]}-{CODE[16:]}", CODE),
        (f" https://zhengzhao.example.invalid/licences/v/{CODE}/ ", CODE),
        (f"https://zhengzhao.example.invalid/v/{CODE}?from=paper", CODE),
        (f"javascript:alert(1)//v/{CODE}", None),
        (f"https://zhengzhao.example.invalid/v/{CODE}x", None),
        (f"https://zhengzhao.example.invalid/?next=/v/{CODE}", None),
        ("", None),
        (CODE[:-1], None),
    ],
)
def test_a_hand_scanner_types_the_code_or_the_address_of_the_page(text: str, found: str | None) -> None:
    assert code_in(text) == found
