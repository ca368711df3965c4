# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licenses.errors import LicenseDataError
from licenses.identifiers import ROOT, Identifier, Shape, check_character, classify, compose, parse

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TYPES = ("11100000MB0143028R001", "11100000000019713D008", "11339999DEM0010178001")
ISSUERS = ("11330105002500287C", "11339999MBDEM0015L", "11339999MBDEM0023F")

identifiers = st.builds(
    compose,
    st.sampled_from(TYPES),
    st.sampled_from(ISSUERS),
    st.text(ALPHABET, min_size=1, max_size=24),
    st.integers(1, 999),
)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("11100000000013338W032.11220000013544541J.2430599.001.F", Shape.CONFORMING),
        ("11100000MB0143028R001.11330105002500287C.91330100TEST000001.001.L", Shape.CONFORMING),
        ("11100000MB03271699001.11330105002500287C.2024000000123456.001.Y", Shape.CONFORMING),
        ("11100000000019713D008.11330105002500287C.330105000001.002.6", Shape.CONFORMING),
        ("11100000MB03271699022.340100.000000016.001.9", Shape.BAD_ISSUER_USCC),
        ("11100000000013338W032.11220000013544541J.2430599.001.G", Shape.CHECK_FAILED),
        ("11100000000013338W032.11220000013544541J.2430599.01.F", Shape.LEGACY_SHAPE),
        ("11100000000013338W032.11220000013544541J.2430599.1.F", Shape.LEGACY_SHAPE),
        ("11100000000013338W032.2430599.001.F", Shape.LEGACY_SHAPE),
        ("11100000000013338W032.11220000013544541J.2430599.000.F", Shape.LENGTH_OR_SEPARATOR),
        ("11100000000013338W032.11220000013544541J.2430599.001", Shape.LENGTH_OR_SEPARATOR),
        ("11100000000013338W032.11220000013544541J.2430 599.001.F", Shape.LENGTH_OR_SEPARATOR),
        ("11100000000013338w032.11220000013544541J.2430599.001.F", Shape.LENGTH_OR_SEPARATOR),
    ],
)
def test_published_vectors_and_field_shapes(text: str, shape: Shape) -> None:
    assert classify(f"{ROOT}.{text}") is shape


def test_another_root_is_a_legacy_shape_and_no_root_is_none_at_all() -> None:
    tail = "11100000000013338W032.11220000013544541J.2430599.001.F"
    assert classify(f"1.2.156.3003.2.{tail}") is Shape.LEGACY_SHAPE
    assert classify(tail) is Shape.LENGTH_OR_SEPARATOR


def test_check_over_the_root_as_well_is_a_legacy_shape() -> None:
    body = ("11100000000013338W032", "11220000013544541J", "2430599", "001")
    check = check_character("1215630052" + "".join(body))
    assert classify(".".join((ROOT, *body, check))) is Shape.LEGACY_SHAPE


def test_right_check_over_a_wrong_credit_code_is_named() -> None:
    for type_code, issuer, shape in (
        ("11100000000013338X032", "11220000013544541J", Shape.BAD_TYPE_USCC),
        ("11100000000013338W032", "11220000013544541K", Shape.BAD_ISSUER_USCC),
    ):
        assert classify(str(Identifier(type_code, issuer, "1", 1))) is shape


def test_54_to_45_swap_that_the_check_misses_is_caught_by_the_credit_code() -> None:
    swapped = "11100000000013338W032.11220000013545441J.2430599.001.F"
    assert classify(f"{ROOT}.{swapped}") is not Shape.CONFORMING


@given(identifiers)
def test_composing_and_parsing_are_inverse(text: str) -> None:
    assert str(parse(text)) == text


@given(identifiers, st.data())
def test_every_single_substitution_is_caught(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in ALPHABET + "." if c != text[place]]))
    assert classify(text[:place] + other + text[place + 1 :]) is not Shape.CONFORMING


def test_no_substitution_in_the_jilin_identifier_escapes() -> None:
    text = f"{ROOT}.11100000000013338W032.11220000013544541J.2430599.001.F"
    escaped = [
        (place, other)
        for place in range(len(ROOT) + 1, len(text))
        for other in ALPHABET + "."
        if other != text[place] and classify(text[:place] + other + text[place + 1 :]) is Shape.CONFORMING
    ]
    assert escaped == []


@given(identifiers, st.integers(0, 3), st.integers(-20, 20).filter(bool))
def test_every_moved_separator_is_caught(text: str, which: int, by: int) -> None:
    parts = text[len(ROOT) + 1 :].split(".")
    left, right = parts[which], parts[which + 1]
    joined, cut = left + right, len(left) + by
    if 0 < cut < len(joined):
        parts[which : which + 2] = [joined[:cut], joined[cut:]]
        assert classify(".".join((ROOT, *parts))) is not Shape.CONFORMING


@pytest.mark.parametrize("serial", ["", "浙0001", "ab", "A-1", "A.1"])
def test_serials_outside_the_alphabet_are_refused(serial: str) -> None:
    with pytest.raises(LicenseDataError):
        compose(TYPES[0], ISSUERS[0], serial)


@pytest.mark.parametrize("version", [0, 1000])
def test_versions_outside_three_digits_are_refused(version: int) -> None:
    with pytest.raises(LicenseDataError):
        compose(TYPES[0], ISSUERS[0], "1", version)
