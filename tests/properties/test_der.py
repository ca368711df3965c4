# SPDX-License-Identifier: Apache-2.0
"""Our small DER encoder writes what a full ASN.1 library reads and would have written itself."""

import datetime as dt

import hypothesis.strategies as st
from asn1crypto import core
from hypothesis import given

from seals import der


@given(st.integers(min_value=0, max_value=2**200))
def test_integers(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@given(st.binary(max_size=70_000))
def test_octet_strings_of_any_length(value: bytes) -> None:
    assert der.octets(value) == core.OctetString(value).dump()


@given(
    st.sampled_from([0, 1, 2]),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**130), max_size=8),
)
def test_object_identifiers(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, [first, second, *rest]))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.datetimes(timezones=st.just(dt.UTC)).filter(lambda instant: 1960 < instant.year < 2999))
def test_generalized_times_keep_microseconds_without_trailing_zeros(instant: dt.datetime) -> None:
    written = der.generalized_time(instant)
    assert core.GeneralizedTime.load(written).native == instant
    text = written[2:-1]
    assert not (b"." in text and text.endswith(b"0"))


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_sets_are_sorted(members: list[bytes]) -> None:
    encoded = [der.octets(member) for member in members]
    assert der.set_of(*encoded) == der.set_of(*reversed(encoded))
