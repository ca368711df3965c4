# SPDX-License-Identifier: Apache-2.0
"""What readers and hands type is read as what was meant, and what is meant as typed is not changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.errors import HolderCodeError
from cases.identifiers import resident_id_check
from cases.typed import read_holder, readings

FIRM = "91339999MADEM0011X"
BODY = "33999919900101001"
PERSON = BODY + resident_id_check(BODY)


@pytest.mark.parametrize(
    "typed",
    [
        "YC-2026-000140\r",
        "YC-2026-000140\r\n",
        "\tYC-2026-000140\t",
        "\x02YC-2026-000140\x03",
        "ＹＣ－２０２６－０００１４０",
        " YC-2026- 000140 ",
        "YC-2026-000140\u3000",
        "\u200bYC-2026-000140\u202c",
        "yc-2026-000140",
        "\ufeffyc－２０２６ 000140\r".replace(" ", "-"),
    ],
)
def test_a_number_is_found_however_a_reader_sends_it(typed: str) -> None:
    assert "YC-2026-000140" in readings(typed)


def test_a_number_that_rightly_holds_such_signs_is_tried_as_it_stands() -> None:
    assert readings("（2026）食字 第1号") == ("（2026）食字 第1号", "(2026)食字第1号")
    assert readings("a-1")[0] == "a-1"


@pytest.mark.parametrize("typed", ["", "\r\n", "\x00\x02", "\u200b \u3000"])
def test_nothing_to_see_is_no_number(typed: str) -> None:
    assert readings(typed) == ()


@given(st.text("YC-2026０１\r\t\x02 \u3000\u200b/", max_size=30))
def test_no_reading_holds_unseen_signs_or_outer_blanks(typed: str) -> None:
    for reading in readings(typed):
        assert reading == reading.strip()
        assert reading.isprintable() or "\u3000" in reading


@pytest.mark.parametrize(
    ("typed", "scheme", "code"),
    [
        (f"{PERSON}\r", "111", PERSON),
        (f" {PERSON[:6]} {PERSON[6:14]} {PERSON[14:]} ", "111", PERSON),
        (FIRM.lower(), "001", FIRM),
        ("".join(chr(ord(char) + 0xFEE0) for char in FIRM), "001", FIRM),
    ],
)
def test_an_id_reader_names_a_person_or_a_firm(typed: str, scheme: str, code: str) -> None:
    assert read_holder(typed) == (scheme, code)


@pytest.mark.parametrize("typed", ["", "339999199001010019", FIRM[:-1], "YC-2026-000140"])
def test_what_is_neither_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(HolderCodeError) as refusal:
        read_holder(typed)
    assert not typed or typed not in str(refusal.value)
