# SPDX-License-Identifier: Apache-2.0
"""Our canonical JSON is RFC 8785's within the subset that the ledger writes, and nothing else is read."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

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
