# SPDX-License-Identifier: Apache-2.0
"""Codes of holders and cases: check digits, normal forms, masks."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cases.errors import CaseNumberError, HolderCodeError
from cases.identifiers import (
    SCHEMES,
    check_holder_code,
    check_segment,
    divisions_above,
    is_resident_id,
    is_uscc,
    mask_code,
    mask_person,
    organisation_check,
    resident_id_check,
    uscc_check,
)

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
digits = st.text("0123456789", min_size=6, max_size=6)
synthetic_dates = st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    organisation = draw(st.text(USCC_ALPHABET, min_size=8, max_size=8))
    check = organisation_check(organisation)
    body = draw(st.text(USCC_ALPHABET, min_size=2, max_size=2)) + draw(digits) + organisation + check
    return body + uscc_check(body)


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    body = draw(digits) + draw(synthetic_dates) + draw(st.text("0123456789", min_size=3, max_size=3))
    return body + resident_id_check(body)


@pytest.mark.parametrize("code", ["91339999MADEM0011X", "11339999DEM0010178", "11330105002500287C"])
def test_published_and_synthetic_credit_codes_are_right(code: str) -> None:
    assert is_uscc(code)


@pytest.mark.parametrize("code", ["11010519491231002X", "339999190001010012"])
def test_published_and_synthetic_resident_numbers_are_right(code: str) -> None:
    assert is_resident_id(code)


@given(credit_codes(), st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_no_single_substitution_in_a_credit_code_escapes(code: str, place: int, char: str) -> None:
    assert is_uscc(code)
    assume(code[place] != char)
    assert not is_uscc(code[:place] + char + code[place + 1 :])


@given(resident_ids(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_no_single_substitution_in_a_resident_number_escapes(code: str, place: int, char: str) -> None:
    assert is_resident_id(code)
    assume(code[place] != char)
    assert not is_resident_id(code[:place] + char + code[place + 1 :])


@given(resident_ids(), st.integers(0, 16))
def test_no_transposition_in_a_resident_number_escapes(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assume(swapped != code)
    assert not is_resident_id(swapped)


@given(st.one_of(st.text(max_size=20), st.text(string.printable, min_size=18, max_size=18)))
def test_any_text_is_judged_without_an_exception(text: str) -> None:
    is_uscc(text)
    is_resident_id(text)


def test_a_birth_date_that_never_was_is_refused() -> None:
    body = "33999919000230001"
    assert not is_resident_id(body + resident_id_check(body))


@pytest.mark.parametrize("sent", [" 91339999madem0011x ", "９１３３９９９９MADEM0011X"])
def test_a_code_is_kept_in_one_normal_form(sent: str) -> None:
    assert check_holder_code("001", sent) == ("001", "91339999MADEM0011X")


@pytest.mark.parametrize(
    ("scheme", "code", "rule"),
    [
        ("001", "91339999MADEM0011Y", "check-digit"),
        ("001", "339999190001010012", "check-digit"),
        ("111", "339999190001010013", "check-digit"),
        ("002", "91339999MADEM0011X", "scheme"),
        ("099", " ", "length-or-characters"),
        ("999", "A\u0000B", "length-or-characters"),
        ("999", "A" * 65, "length-or-characters"),
    ],
)
def test_a_wrong_code_is_refused_without_being_echoed(scheme: str, code: str, rule: str) -> None:
    with pytest.raises(HolderCodeError) as caught:
        check_holder_code(scheme, code)
    assert caught.value.facts["rule"] == rule
    assert code.strip() == "" or code not in str(caught.value)


def test_schemes_without_a_check_digit_take_what_they_are_given() -> None:
    assert check_holder_code("516", "h12345678") == ("516", "H12345678")
    assert all(len(scheme) == 3 for scheme in SCHEMES)


@pytest.mark.parametrize("number", ["ZJ-2026-000131", "衢受理〔2026〕1号", "a" * 64, "..a"])
def test_a_case_number_is_one_path_segment(number: str) -> None:
    assert check_segment(number, "number") == number


@pytest.mark.parametrize(
    "number", ["", "a" * 65, "a/b", "a\\b", "a\nb", "a\u200bb", ".", "..", " a", "a ", "e\u0301"]
)
def test_what_a_path_would_change_is_no_case_number(number: str) -> None:
    with pytest.raises(CaseNumberError):
        check_segment(number, "number")


def test_masks_show_enough_to_recognise_and_no_more() -> None:
    assert mask_code("339999190001010012") == "3399**********0012"
    assert mask_code("H12345678") == "H********"
    assert mask_person("张示例") == "张*"


@given(st.text(min_size=1, max_size=64))
def test_a_mask_keeps_the_length_and_never_shows_more_than_eight(code: str) -> None:
    assert len(mask_code(code)) == len(code)
    if "*" not in code:
        assert len(code) - mask_code(code).count("*") <= 8


@pytest.mark.parametrize(
    ("division", "above"),
    [
        ("330106", ("100000", "330000", "330100")),
        ("330100", ("100000", "330000")),
        ("330000", ("100000",)),
        ("100000", ()),
        # A county directly under its province has no city above it that exists.
        ("429004", ("100000", "420000", "429000")),
    ],
)
def test_what_stands_above_a_division_is_read_off_its_digits(division: str, above: tuple[str, ...]) -> None:
    assert divisions_above(division) == above
