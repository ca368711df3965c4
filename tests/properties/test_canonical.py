# SPDX-License-Identifier: Apache-2.0
"""Our canonical JSON is RFC 8785's within the subset that the ledger writes, and nothing else is read."""

import datetime as dt
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from storage.clock import SHANGHAI, rfc3339
from storage.ledger.canonical import canonical, parse_canonical

KEYS = st.text(st.characters(max_codepoint=127))
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_the_bytes_are_those_of_an_independent_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(
    st.integers(-(10**9), 4 * 10**9),
    st.sampled_from((dt.UTC, SHANGHAI, dt.timezone(dt.timedelta(hours=-3)))),
)
def test_an_instant_is_written_in_utc_whatever_its_zone(second: int, zone: dt.tzinfo) -> None:
    at = dt.datetime.fromtimestamp(second, zone)
    assert dt.datetime.fromisoformat(rfc3339(at)).timestamp() == second


def test_of_the_hour_that_came_twice_each_instant_is_written_as_itself() -> None:
    # When the clock was put back; to the language both are equal.
    summer = dt.datetime(1986, 9, 14, 1, 30, tzinfo=SHANGHAI)
    winter = summer.replace(fold=1)
    assert summer == winter
    assert rfc3339(summer) == "1986-09-13T16:30:00.000000Z"
    assert rfc3339(winter) == "1986-09-13T17:30:00.000000Z"


@given(VALUES)
def test_what_was_written_reads_back(value: Any) -> None:
    assert parse_canonical(canonical(value)) == value


@given(VALUES, st.integers(0, 10_000), st.binary(min_size=1, max_size=1))
def test_one_value_has_one_spelling(value: Any, at: int, byte: bytes) -> None:
    data = canonical(value)
    at %= len(data) + 1
    changed = data[:at] + byte + data[at:]
    try:
        read = parse_canonical(changed)
    except (ValueError, TypeError):
        return
    assert canonical(read) == changed
    assert read != value


@pytest.mark.parametrize("value", [1.0, {"a": 0.5}, 2**53, -(2**53), {"é": 1}, b"bytes", {"a": {1, 2}}])
def test_what_lies_outside_the_subset_is_not_written(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical(value)
